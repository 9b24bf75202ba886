"""Baselines: the neutral input that an input is compared with.

| baseline | pictures and arrays | texts |
|---|---|---|
| ``None`` | ``"zero"`` | the tokenizer's pad or mask token, as the method asks; else ``"zero"`` |
| ``"zero"`` | 0 after normalization: the data set's mean colour | the embedding 0 |
| ``"black"`` | the pixel value 0 before normalization | |
| ``"mean"`` | the picture's own mean colour | |
| ``"blur"`` | the picture, blurred until only patches of colour are left | |
| ``"inpaint"`` | what is hidden, filled with the colours around it | |
| ``"pad"``, ``"mask"``, ``"unk"`` | | that token in place of each word |
| a number | that value everywhere | that value in every embedding |
| a tensor | broadcast to the explained tensor | broadcast to the embeddings |

Tokens that the tokenizer added keep their place in every baseline of words. ``"inpaint"`` depends
on what is hidden, so it is only for methods that hide parts. Methods that share a score among
parts (Shapley values and their kin) also take samples of data, a tensor (k, …): each of the k
fills what is hidden in turn, and the scores are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from pellucid.attribution.call import Call
from pellucid.attribution.inpainting import inpaint
from pellucid.errors import MethodError, closest
from pellucid.model import ImageInput, TextInput

Baseline = str | int | float | Tensor | None
OF_PICTURES = ("zero", "black", "blur", "mean")
OF_TEXTS = ("pad", "mask", "unk", "zero")
OF_ARRAYS = ("zero",)
WORDS_TO_HIDE = ("mask", "pad", "unk")


def make_baseline(
    call: Call, baseline: Baseline, *, words: Sequence[str] = ("pad", "mask", "unk")
) -> Float[Tensor, " n *shape"]:
    """Make the baseline of a call's explained tensor, of the same shape.

    `words` are the tokens to try for texts when none is named. Raises MethodError for an unknown
    name, a tensor that does not fit, or a token that the tokenizer lacks.
    """
    explained = call.explained
    if isinstance(baseline, Tensor | int | float) and not isinstance(baseline, bool):
        return _filled(explained, torch.as_tensor(baseline))
    if baseline is None and call.kind == "text":
        known = [word for word in words if _token(call, word) is not None]
        baseline = known[0] if known else "zero"
    names = {"image": OF_PICTURES, "text": OF_TEXTS, "array": OF_ARRAYS}[call.kind]
    name = "zero" if baseline is None else baseline
    if name == "inpaint" and call.kind == "image":
        raise MethodError(
            "baseline 'inpaint' depends on what is hidden, and this method compares with one "
            f"neutral input. Use one of {', '.join(map(repr, names))}, or 'inpaint' with a method "
            "that hides segments, such as 'kernel_shap'."
        )
    if name not in names:
        raise MethodError(
            f"baseline {baseline!r} is not known here. {closest(str(name), names)} "
            "A number or a tensor will do as well."
        )
    if name == "zero":
        return torch.zeros_like(explained)
    if call.kind == "text":
        return _words(call, name)
    return _picture(call, name)


@dataclass(frozen=True, eq=False)
class Filler:
    """Fills what is hidden of the samples: `filler(keep, rows)`, see `__call__`.

    Sample i has the baselines pool[index[0, i]], pool[index[1, i]] and so on; without a pool, what
    is hidden is painted over.
    """

    call: Call
    pool: Float[Tensor, " p *shape"] | None
    index: Int[Tensor, "k n"]

    @property
    def num_baselines(self) -> int:
        """How many ways there are to fill what is hidden, to be averaged over."""
        return len(self.index)

    def __call__(
        self,
        keep: Bool[Tensor, " m *plane"],
        rows: Int[Tensor, " m"],
        which: Int[Tensor, " m"] | None = None,
    ) -> Float[Tensor, " m *shape"]:
        """Give sample rows[i] with what keep[i] leaves out replaced by its baseline which[i].

        A plane is (y, x) for pictures, (tokens,) for texts, a sample's own shape for arrays.
        Without `which`, the first baseline is taken.
        """
        explained = self.call.explained[rows]
        if self.pool is None:
            return inpaint(explained, keep)
        chosen = self.index[0, rows] if which is None else self.index[which, rows]
        axis = {"image": 1, "text": 2}.get(self.call.kind)
        shown = keep if axis is None else keep.unsqueeze(axis)
        return torch.where(shown, explained, self.pool[chosen])


def make_filler(call: Call, baseline: Baseline, *, several: bool = False) -> Filler:
    """Make what fills the hidden parts of a call's samples.

    With `several`, a tensor with the dimension of samples is a set of baselines (k, …) that every
    sample is compared with; or (k, n, …), with n = 1 or one for each sample. Raises MethodError
    as `make_baseline` does.
    """
    own = torch.arange(call.size, device=call.explained.device)[None]
    if isinstance(baseline, str) and baseline == "inpaint" and call.kind == "image":
        return Filler(call, None, own)
    if several and isinstance(baseline, Tensor) and baseline.ndim >= call.explained.ndim:
        return _several(call, baseline)
    return Filler(call, make_baseline(call, baseline, words=WORDS_TO_HIDE), own)


def _several(call: Call, baselines: Tensor) -> Filler:
    shape = call.explained.shape
    each = baselines[:, None] if baselines.ndim == len(shape) else baselines
    columns = each.shape[1]
    fits = each.ndim == len(shape) + 1 and len(each) and columns in (1, call.size)
    if not fits or each.shape[2:] != shape[1:]:
        raise MethodError(
            f"baselines of shape {tuple(baselines.shape)} were given; expected samples of data of "
            f"shape (k, {', '.join(map(str, shape[1:]))})."
        )
    pool = each.to(call.explained).flatten(0, 1)
    index = torch.arange(len(pool), device=pool.device).view(len(each), columns)
    return Filler(call, pool, index.expand(-1, call.size))


def special_tokens(tokenizer: Any, indices: Tensor) -> Bool[Tensor, "n tokens"]:
    """Mark tokens that the tokenizer added; an unknown or masked word is not one of them."""
    own = {getattr(tokenizer, "unk_token_id", None), getattr(tokenizer, "mask_token_id", None)}
    added = [index for index in tokenizer.all_special_ids if index not in own]
    return torch.isin(indices, torch.tensor(added, device=indices.device, dtype=indices.dtype))


def _filled(explained: Tensor, value: Tensor) -> Tensor:
    try:
        return value.to(explained).expand_as(explained)
    except RuntimeError as error:
        raise MethodError(
            f"a baseline of shape {tuple(value.shape)} was given; expected one that broadcasts to "
            f"{tuple(explained.shape)}. Samples of data to average over are for methods such as "
            "'shapley_sampling'."
        ) from error


def _picture(call: Call, name: str) -> Tensor:
    pixels = call.explained
    if name == "mean":
        return pixels.mean((2, 3), keepdim=True).expand_as(pixels)
    if name == "blur":
        radius = max(1, min(pixels.shape[2:]) // 4)
        blurred: Tensor = gaussian_blur(
            pixels, [2 * radius + 1, 2 * radius + 1], [radius / 3, radius / 3]
        )
        return blurred
    record = call.model.input
    if not isinstance(record, ImageInput):
        raise MethodError(
            "baseline 'black' needs to know how pictures are normalized, and this model has no "
            "record of it. Give the value of black as a number or tensor, or a Model for pictures."
        )
    mean, std = torch.tensor(record.mean), torch.tensor(record.std)
    return _filled(pixels, (-mean / std)[:, None, None])


def _token(call: Call, name: str) -> int | None:
    found = getattr(getattr(call.model.input, "tokenizer", None), f"{name}_token_id", None)
    return None if found is None else int(found)


def _words(call: Call, name: str) -> Tensor:
    token, record = _token(call, name), call.model.input
    if token is None or not isinstance(record, TextInput):
        raise MethodError(
            f"baseline {name!r} was given, but the model's tokenizer has no {name} token. "
            "Use 'zero', or another of 'pad', 'mask' and 'unk'."
        )
    indices = call.inputs[call.name]
    kept = special_tokens(record.tokenizer, indices)
    return call.embed(torch.where(kept, indices, token))
