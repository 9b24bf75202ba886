"""How raw samples become what a model takes: one record per kind of input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.errors import DataError, ModelError

Inputs = dict[str, Tensor]
RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, kw_only=True)
class ImageInput:
    """Pictures: resize the short side, crop the centre, scale to 0–1, normalize per channel.

    `size` is (height, width) in pixels; the short side is resized to `resize` pixels first
    (None squashes the picture to `size`). `argument` names the forward argument, "" for the first
    positional one. `mean` and `std` have one entry per channel (1 or 3).
    """

    kind: ClassVar[Literal["image"]] = "image"
    size: tuple[int, int] = (224, 224)
    resize: int | None = 256
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    argument: str = ""

    def picture(self, raw: Any) -> Image.Image:
        """Show what the model sees: resized and cropped, before normalization."""
        picture = raw if isinstance(raw, Image.Image) else as_picture(raw)
        height, width = self.size
        method = RESAMPLING[self.interpolation]
        if self.resize is None:
            return picture.resize((width, height), method)
        # Rounded as torchvision, timm and transformers do, so that weights see what they know.
        short = min(picture.size)
        scaled = (
            max(width, self.resize * picture.width // short),
            max(height, self.resize * picture.height // short),
        )
        picture = picture.resize(scaled, method) if scaled != picture.size else picture
        left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
        return picture.crop((left, top, left + width, top + height))

    def tensor(self, picture: Image.Image) -> Tensor:
        """Normalize a picture of the right size to a float32 tensor (channels, height, width)."""
        mode = "L" if len(self.mean) == 1 else "RGB"
        pixels = np.array(picture.convert(mode), dtype=np.float32) / 255
        pixels = pixels[None] if mode == "L" else pixels.transpose(2, 0, 1)
        mean = np.asarray(self.mean, dtype=np.float32)[:, None, None]
        std = np.asarray(self.std, dtype=np.float32)[:, None, None]
        return torch.from_numpy((pixels - mean) / std)

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        """Prepare a batch: {argument: (n, channels, height, width) float32}."""
        return {self.argument: torch.stack([self.tensor(self.picture(raw)) for raw in raws])}

    def describe(self) -> str:
        height, width = self.size
        how = f"short side to {self.resize}, centre crop" if self.resize else "squashed"
        return (
            f"pictures, {len(self.mean)} × {height} × {width} ({how}, {self.interpolation}; "
            f"mean {_numbers(self.mean)}, std {_numbers(self.std)})"
        )

    def to_json(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class TextInput:
    """Texts through a Hugging Face tokenizer: padded to the longest, cut at `max_length` tokens."""

    kind: ClassVar[Literal["text"]] = "text"
    tokenizer: Any
    max_length: int = 256

    def prepare(self, raws: Sequence[str]) -> Inputs:
        """Prepare a batch: {input_ids, attention_mask, …: (n, tokens) int64}."""
        encoded = self.tokenizer(
            list(raws),
            padding=True,
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
        )
        return dict(encoded)

    def describe(self) -> str:
        name = type(self.tokenizer).__name__
        return f"texts, at most {self.max_length} tokens ({name}, {len(self.tokenizer)} words)"

    def to_json(self, folder: Path) -> dict[str, Any]:
        self.tokenizer.save_pretrained(folder / "tokenizer")
        return {"kind": self.kind, "max_length": self.max_length}


@dataclass(frozen=True, kw_only=True)
class ArrayInput:
    """Arrays as they are: stacked to float32; `shape` is that of one sample, None if unknown."""

    kind: ClassVar[Literal["array"]] = "array"
    shape: tuple[int, ...] | None = None
    argument: str = ""

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        """Prepare a batch: {argument: (n, …) float32}."""
        rows = [torch.as_tensor(np.asarray(raw), dtype=torch.float32) for raw in raws]
        shapes = {tuple(row.shape) for row in rows}
        if self.shape is not None:
            shapes.add(self.shape)
        if len(shapes) > 1:
            raise DataError(f"samples of one shape were expected, found {sorted(shapes)}.")
        return {self.argument: torch.stack(rows)}

    def describe(self) -> str:
        return f"arrays of shape {self.shape}" if self.shape else "arrays"

    def to_json(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002
        return {"kind": self.kind, **asdict(self)}


Input = ImageInput | TextInput | ArrayInput


def input_from_json(record: dict[str, Any], folder: Path) -> Input:
    """Build an input record again from what `to_json` wrote into `folder`."""
    fields: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in record.items()
    }
    kind = fields.pop("kind")
    if kind == "image":
        return ImageInput(**fields)
    if kind == "array":
        return ArrayInput(**fields)
    if kind == "text":
        from pellucid.plugins import require

        auto = require("transformers", extra="transformers", why="to read texts").AutoTokenizer
        return TextInput(tokenizer=auto.from_pretrained(folder / "tokenizer"), **fields)
    raise ModelError(f"{folder}: input kind {kind!r} is unknown; expected image, text or array.")


def as_picture(raw: Any) -> Image.Image:
    """Turn an array (height, width[, channels]), uint8 or float 0–1, into an RGB picture."""
    pixels: NDArray[Any] = np.asarray(raw)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.shape[2] not in (1, 3):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim not in (2, 3):
        raise DataError(
            f"a picture of shape {pixels.shape} was given; expected (height, width[, 3])."
        )
    if pixels.dtype != np.uint8:
        pixels = np.clip(np.round(pixels.astype(np.float64) * 255), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels.squeeze()).convert("RGB")


def _numbers(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:.3g}" for value in dict.fromkeys(values))
