"""Baselines: the neutral input that an input is compared with.

| baseline | pictures and arrays | texts |
|---|---|---|
| ``None`` | ``"zero"`` | the tokenizer's pad or mask token, as the method asks; else ``"zero"`` |
| ``"zero"`` | 0 after normalization: the data set's mean colour | the embedding 0 |
| ``"black"`` | the pixel value 0 before normalization | |
| ``"mean"`` | the picture's own mean colour | |
| ``"blur"`` | the picture, blurred until only patches of colour are left | |
| ``"pad"``, ``"mask"``, ``"unk"`` | | that token in place of each word |
| a number | that value everywhere | that value in every embedding |
| a tensor | broadcast to the explained tensor | broadcast to the embeddings |

Tokens that the tokenizer added keep their place in every baseline of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from pellucid.attribution.call import Call
from pellucid.errors import MethodError, closest
from pellucid.model import ImageInput, TextInput

Baseline = str | int | float | Tensor | None
OF_PICTURES = ("zero", "black", "blur", "mean")
OF_TEXTS = ("pad", "mask", "unk", "zero")
OF_ARRAYS = ("zero",)


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
            f"{tuple(explained.shape)}."
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
