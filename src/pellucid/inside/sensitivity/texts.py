"""Changes of texts: tokens left out, or hidden behind a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.attribution.baselines import special_tokens
from pellucid.errors import ModelError
from pellucid.inside.sensitivity.changes import Change, growing
from pellucid.model import Inputs, Model, TextInput
from pellucid.views.wording import shorten

MOST_DELETED, MOST_MASKED = 90.0, 100.0  # % of the tokens
SHOWN = 240  # letters


class Texts:
    """Texts as the token tensors of one sample: {name: (1, tokens)}, without padding."""

    def __init__(self, model: Model, num_steps: int) -> None:
        assert isinstance(model.input, TextInput)
        self.model, self.tokenizer = model, model.input.tokenizer
        hiding = self._hiding_token()
        masking = Change(
            name="masking",
            about="a share of the tokens hidden behind the mask token, the same ones and more",
            unit="% of the tokens",
            short="mask",
            strengths=growing(MOST_MASKED, num_steps),
            apply=lambda state, share, random: self._mask(state, share, random, hiding or 0),
        )
        deletion = Change(
            name="deletion",
            about="a share of the tokens left out, the same ones and more; one always stays",
            unit="% of the tokens",
            short="delete",
            strengths=growing(MOST_DELETED, num_steps),
            apply=self._delete,
        )
        self.changes: tuple[Change, ...] = (deletion,) if hiding is None else (deletion, masking)

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        return self.model.prepare(raws)

    def states(self, prepared: Inputs) -> list[Inputs]:
        """Take one text at a time: prepared together they would be padded."""
        size = len(self._ids(prepared))
        return [
            {name: t[row : row + 1] for name, t in prepared.items() if t.ndim and len(t) == size}
            for row in range(size)
        ]

    def inputs(self, states: Sequence[Inputs]) -> Inputs:
        return {name: torch.cat([state[name] for state in states]) for name in states[0]}

    def shape(self, state: Inputs) -> tuple[int, ...]:
        return tuple(self._ids(state).shape)

    def shown(self, state: Inputs) -> str:
        """The text without the tokens that the tokenizer added."""
        decode = getattr(self.tokenizer, "decode", None)
        ids = self._ids(state)[0, self._own(state)]
        return shorten(str(decode(ids.tolist())), SHOWN) if decode else ""

    def _hiding_token(self) -> int | None:
        names = ("mask_token_id", "unk_token_id", "pad_token_id")
        found = (getattr(self.tokenizer, name, None) for name in names)
        return next((int(token) for token in found if token is not None), None)

    def _ids(self, inputs: Inputs) -> Tensor:
        if "input_ids" not in inputs:
            raise ModelError(
                f"{self.model.source} takes {sorted(inputs)}; expected 'input_ids' among them, "
                "whose tokens can be left out or masked."
            )
        return inputs["input_ids"]

    def _own(self, state: Inputs) -> NDArray[np.int64]:
        """Places of the text's own tokens."""
        ids = self._ids(state)
        kept = state["attention_mask"][0].bool() if "attention_mask" in state else ids[0] == ids[0]
        if hasattr(self.tokenizer, "all_special_ids"):
            kept = kept & ~special_tokens(self.tokenizer, ids)[0]
        return np.flatnonzero(kept.numpy())

    def _delete(self, state: Inputs, share: float, random: np.random.Generator) -> Inputs:
        own = random.permutation(self._own(state))
        gone = own[: min(round(len(own) * share / 100), max(len(own) - 1, 0))]
        tokens = self._ids(state).shape[1]
        kept = torch.from_numpy(np.setdiff1d(np.arange(tokens), gone))
        return {
            name: t[:, kept] if t.ndim > 1 and t.shape[1] == tokens else t
            for name, t in state.items()
        }

    def _mask(
        self, state: Inputs, share: float, random: np.random.Generator, hiding: int
    ) -> Inputs:
        own = random.permutation(self._own(state))
        hidden = torch.from_numpy(own[: round(len(own) * share / 100)])
        ids = self._ids(state).clone()
        ids[:, hidden] = hiding
        return state | {"input_ids": ids}
