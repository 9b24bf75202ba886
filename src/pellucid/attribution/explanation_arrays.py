"""From batches of attributions to the labelled arrays of an explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from pellucid.attribution.baselines import special_tokens
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.registry import Card
from pellucid.attribution.targets import true_classes
from pellucid.attribution.words import NO_WORD, word_index
from pellucid.data import Data, InputKind
from pellucid.errors import MethodError
from pellucid.model import ImageInput, Model, TextInput
from pellucid.model.labels import class_names

NUM_RANKS = 5
PLANES = {"image": ("y", "x"), "text": ("token",), "array": ("feature",)}
AXES = {
    "picture": ("y", "x", "channel"),
    "token": ("token",),
    "special": ("token",),
    "word": ("token",),
    "used": ("token",),
}
Plain = NDArray[np.generic]


@dataclass(frozen=True, kw_only=True)
class MethodPart:
    """One method on one batch: `values` (n, *plane), error (n,) or NaN, passes (n,)."""

    values: Plain
    completeness_error: Plain
    passes: Plain
    resolution: str
    layer: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """One batch: positions in the data, logits (n, classes), explained classes, input, methods.

    `shown` is what the model saw: pictures (n, y, x, 3) uint8; tokens, which of them the tokenizer
    added, the word that each belongs to, and which are used, not padding; nothing for arrays.
    """

    kind: InputKind
    positions: Plain
    logits: Plain
    targets: Plain
    shown: dict[str, Plain]
    methods: tuple[MethodPart, ...]


def method_part(call: Call, card: Card, found: Attribution, passes: Tensor) -> MethodPart:
    """Reduce an attribution to the plane that is shown: channels are summed, arrays flattened.

    Raises MethodError for a map that does not cover the picture.
    """
    values = found.values.float()
    if call.kind == "array":
        values = values.flatten(1)
    elif call.kind == "image" and values.ndim == 4:
        values = values.sum(1)
    if call.kind == "image" and values.shape[1:] != call.explained.shape[2:]:
        raise MethodError(
            f"{card.name!r} gave a map of {tuple(values.shape[1:])} for pictures of "
            f"{tuple(call.explained.shape[2:])}; expected equal sizes to show it. Leave out what "
            "keeps it small, or use `attribute`."
        )
    error = found.completeness_error
    return MethodPart(
        values=values.cpu().numpy(),
        completeness_error=np.full(call.size, np.nan) if error is None else error.cpu().numpy(),
        passes=passes.numpy(),
        resolution=found.resolution,
        layer=found.layer,
    )


def shown_input(call: Call) -> dict[str, Plain]:
    """What the model saw, in a form that people can see."""
    record = call.model.input
    if call.kind == "image":
        return {"picture": _pictures(call.explained, record)}
    if call.kind == "text" and isinstance(record, TextInput):
        indices = call.inputs[call.name]
        rows = [record.tokenizer.convert_ids_to_tokens(row) for row in indices.tolist()]
        used = call.inputs.get("attention_mask", torch.ones_like(indices)) > 0
        special = special_tokens(record.tokenizer, indices).cpu().numpy()
        words = [
            word_index(record.tokenizer, row, added)
            for row, added in zip(indices.tolist(), special.tolist(), strict=True)
        ]
        return {
            "token": np.array(rows, dtype=np.str_),
            "special": special,
            "word": np.stack(words),
            "used": used.cpu().numpy(),
        }
    return {}


def assemble(parts: Sequence[Part], cards: Sequence[Card], data: Data, model: Model) -> xr.Dataset:
    """Put the batches of an explanation together; texts are padded to the longest."""
    order = np.concatenate([part.positions for part in parts])
    planes = [_joined([part.methods[i].values for part in parts]) for i in range(len(cards))]
    shown = _shown(parts)
    words = {name: shown.pop(name) for name in ("word",) if name in shown}
    variables = {
        "attribution": (("method", "sample", *PLANES[parts[0].kind]), np.stack(planes)),
        **shown,
        **_answers(parts, true_classes(data, model)[order], data, model),
        **_per_method(parts, cards),
    }
    coordinates = {
        "method": ("method", np.array([card.name for card in cards])),
        "sample_id": ("sample", np.array([data.ids[int(i)] for i in order], dtype=np.str_)),
        **words,
    }
    return xr.Dataset(variables, coords=coordinates)


def _pictures(normalized: Tensor, record: object) -> NDArray[np.uint8]:
    """Undo the normalization; without a record of it, stretch each sample's values to 0 … 255."""
    planes = normalized.detach().cpu().float().numpy()
    if isinstance(record, ImageInput):
        mean, std = np.array(record.mean), np.array(record.std)
        planes = planes * std[:, None, None] + mean[:, None, None]
    else:
        low, high = planes.min((1, 2, 3), keepdims=True), planes.max((1, 2, 3), keepdims=True)
        planes = (planes - low) / np.maximum(high - low, np.finfo(np.float32).tiny)
    if planes.shape[1] != 3:
        planes = planes.mean(1, keepdims=True).repeat(3, 1)
    pixels: NDArray[np.uint8] = np.round(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    return pixels.transpose(0, 2, 3, 1)


def _shown(parts: Sequence[Part]) -> dict[str, tuple[tuple[str, ...], Plain]]:
    return {
        name: (("sample", *AXES[name]), _joined([part.shown[name] for part in parts]))
        for name in parts[0].shown
    }


def _answers(
    parts: Sequence[Part], true: NDArray[np.int64], data: Data, model: Model
) -> dict[str, tuple[tuple[str, ...], Plain]]:
    """Explained, predicted and true classes, and the model's most probable answers."""
    logits = np.concatenate([part.logits for part in parts])
    odds = np.exp(logits - logits.max(1, keepdims=True))
    probability = (odds / odds.sum(1, keepdims=True)).astype(np.float32)
    ranked = np.argsort(-logits, axis=1, kind="stable")[:, :NUM_RANKS]
    names = np.array([*class_names(model.labels, data.labels, logits.shape[1]), ""], dtype=np.str_)
    own = np.array([*data.labels, ""], dtype=np.str_)
    order = np.concatenate([part.positions for part in parts])
    targets = np.concatenate([part.targets for part in parts])
    label = own[data.targets[order]]
    rows = np.arange(len(logits))
    return {
        "target": (("sample",), targets),
        "target_label": (("sample",), names[targets]),
        "target_probability": (("sample",), probability[rows, targets]),
        "predicted": (("sample",), ranked[:, 0]),
        "predicted_label": (("sample",), names[ranked[:, 0]]),
        "true": (("sample",), true),
        "true_label": (("sample",), np.where(label == "", names[true], label)),
        "probability": (("sample", "rank"), np.take_along_axis(probability, ranked, 1)),
        "rank_label": (("sample", "rank"), names[ranked]),
    }


def _per_method(
    parts: Sequence[Part], cards: Sequence[Card]
) -> dict[str, tuple[tuple[str, ...], Plain]]:
    """What is known of each method, so that a saved explanation shows without the method."""

    def joined(name: str) -> Plain:
        columns = range(len(cards))
        return np.stack(
            [np.concatenate([getattr(p.methods[i], name) for p in parts]) for i in columns]
        )

    last = parts[-1].methods
    return {
        "completeness_error": (("method", "sample"), joined("completeness_error")),
        "passes": (("method", "sample"), joined("passes")),
        "resolution": (("method",), np.array([each.resolution for each in last], dtype=np.str_)),
        "layer": (("method",), np.array([each.layer for each in last], dtype=np.str_)),
        "title": (("method",), np.array([card.title for card in cards], dtype=np.str_)),
        "about": (("method",), np.array([card.about for card in cards], dtype=np.str_)),
        "signed": (("method",), np.array([card.signed for card in cards])),
        "per_pixel": (("method",), np.array([card.per_pixel for card in cards])),
    }


def _joined(batches: Sequence[Plain]) -> Plain:
    """Put batches together; shorter rows are padded with NaN, "", False, or the index of no word."""
    longest = max(batch.shape[1] for batch in batches)
    padded = [_padded(batch, longest - batch.shape[1]) for batch in batches]
    return np.concatenate(padded)


def _padded(batch: Plain, missing: int) -> Plain:
    if not missing:
        return batch
    filler = {"f": np.nan, "i": NO_WORD}.get(batch.dtype.kind, batch.dtype.type())
    return np.pad(batch, [(0, 0), (0, missing)], constant_values=filler)
