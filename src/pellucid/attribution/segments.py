"""Segments: the parts of an input that are hidden or shown together.

| segments | pictures | texts | arrays |
|---|---|---|---|
| ``None`` | the method's own choice, mostly ``"grid"`` | each token | each value |
| ``"grid"`` | rectangles of equal size | | |
| ``"slic"`` | superpixels (Achanta et al., 2012), by scikit-image | | |
| ``"pixels"`` | each pixel | | |
| a tensor | labels (y, x) or (n, y, x) | (tokens,) or (n, tokens) | the array's shape |

All channels of a pixel belong together. Tokens that the tokenizer added belong to no segment, and
are always kept. Each place of an input belongs to one segment at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attribution.baselines import special_tokens
from pellucid.attribution.call import EVERY, Call
from pellucid.attribution.registry import PLURALS
from pellucid.errors import MethodError, closest
from pellucid.model import TextInput
from pellucid.plugins import require

Segmentation = str | Tensor | None
OF_PICTURES = ("grid", "slic", "pixels")
ALWAYS_KEPT = -1


@dataclass(frozen=True, eq=False)
class Segments:
    """Which segment each place belongs to, 0 … count - 1 in each sample; -1 is always kept."""

    labels: Int[Tensor, " n *plane"]
    counts: Int[Tensor, " n"]
    resolution: str

    def groups(self) -> Iterator[tuple[int, Int[Tensor, " r"]]]:
        """Give the samples that have equally many segments: their count, and their rows."""
        for count in sorted(set(self.counts.tolist())):
            yield count, (self.counts == count).nonzero()[:, 0]

    def places(
        self, kept: Bool[Tensor, "m players"], rows: Int[Tensor, " m"]
    ) -> Bool[Tensor, " m *plane"]:
        """Mark the places that are kept, where row i is of sample rows[i]."""
        padded = torch.nn.functional.pad(kept, (0, 1), value=True)
        labels = self.labels[rows] % padded.shape[1]
        return padded.gather(1, labels.flatten(1)).view(labels.shape)

    def paint(self, values: Float[Tensor, "n players"]) -> Float[Tensor, " n *plane"]:
        """Give each place its segment's value; 0 to places that are always kept."""
        padded = torch.nn.functional.pad(values, (0, 1))
        labels = self.labels % padded.shape[1]
        return padded.gather(1, labels.flatten(1)).view(labels.shape)

    def areas(self) -> Int[Tensor, "n players"]:
        """Count the places of each segment; 0 beyond a sample's count."""
        labels = (self.labels % (int(self.counts.max()) + 1)).flatten(1)
        empty = labels.new_zeros(len(labels), int(self.counts.max()) + 1)
        return empty.scatter_add_(1, labels, torch.ones_like(labels))[:, :-1]


def make_segments(
    call: Call, segments: Segmentation, num_segments: int, *, default: str = "grid"
) -> Segments:
    """Cut a call's samples into segments.

    `num_segments` is for the grid and superpixels of pictures: about so many. `default` is what
    None means for pictures. Raises MethodError for an unknown name, or labels that do not fit.
    """
    if isinstance(segments, Tensor):
        return _from_labels(call, segments)
    if call.kind == "image":
        return _of_pictures(call, segments or default, num_segments)
    if segments is not None:
        raise MethodError(
            f"segments={segments!r} was given; {PLURALS[call.kind]} have none of that name. "
            f"Leave it out to take {EVERY[call.kind]} on its own, or give a tensor of labels."
        )
    plane = plane_of(call)
    each = torch.arange(plane.numel(), device=call.explained.device).view(plane)
    return _numbered(call, each.expand(call.size, *plane), EVERY[call.kind])


def _of_pictures(call: Call, name: str, num_segments: int) -> Segments:
    height, width = call.explained.shape[2:]
    if name == "slic":
        labels = _superpixels(call.explained, num_segments)
        return _numbered(call, labels, f"about {num_segments} superpixels")
    if name == "pixels":
        rows, columns, resolution = height, width, EVERY["image"]
    elif name == "grid":
        rows = max(1, min(height, num_segments, round((num_segments * height / width) ** 0.5)))
        columns = max(1, min(width, round(num_segments / rows)))
        resolution = f"a grid of {rows} × {columns} segments"
    else:
        raise MethodError(
            f"segments={name!r} is not known. {closest(name, OF_PICTURES)} "
            "A tensor of labels will do as well."
        )
    down = torch.arange(height, device=call.explained.device) * rows // height
    across = torch.arange(width, device=call.explained.device) * columns // width
    grid = down[:, None] * columns + across
    return _numbered(call, grid.expand(call.size, height, width), resolution)


def _superpixels(
    pixels: Float[Tensor, "n channels y x"], num_segments: int
) -> Int[Tensor, "n y x"]:
    slic = require("skimage.segmentation", extra="segments", why="for segments='slic'").slic
    broken = (~pixels.flatten(1).isfinite().all(1)).nonzero()[:, 0].tolist()
    if broken:
        raise MethodError(
            f"the pictures are not finite (NaN or infinite) for samples {broken}, so that they have "
            "no superpixels. Check the inputs, or use segments='grid'."
        )
    low, high = pixels.amin((1, 2, 3), keepdim=True), pixels.amax((1, 2, 3), keepdim=True)
    scaled = ((pixels - low) / (high - low).clamp(min=1e-6)).permute(0, 2, 3, 1)
    found = [
        torch.from_numpy(slic(picture, n_segments=num_segments, start_label=0, channel_axis=-1))
        for picture in scaled.double().cpu().numpy()
    ]
    return torch.stack(found).to(pixels.device)


def _from_labels(call: Call, labels: Tensor) -> Segments:
    plane = plane_of(call)
    fits = labels.shape in (plane, (call.size, *plane), (1, *plane))
    if not fits or labels.is_floating_point() or labels.is_complex():
        raise MethodError(
            f"segments of shape {tuple(labels.shape)} and type {labels.dtype} were given; "
            f"expected whole-number labels of shape {tuple(plane)} or {(call.size, *plane)}."
        )
    everywhere = labels.to(call.explained.device).expand(call.size, *plane)
    return _numbered(call, everywhere, "the given segments")


def plane_of(call: Call) -> torch.Size:
    """Shape of what is hidden piece by piece: (y, x), (tokens,), or that of a sample's array."""
    shape = call.explained.shape
    return {"image": shape[2:], "text": shape[1:2], "array": shape[1:]}[call.kind]


def always_kept(call: Call) -> Bool[Tensor, " n *plane"]:
    """Mark what is never hidden: tokens that the tokenizer added, and padding."""
    plane, device = plane_of(call), call.explained.device
    kept = torch.zeros(call.size, *plane, dtype=torch.bool, device=device)
    if call.kind == "text" and isinstance(call.model.input, TextInput):
        kept |= special_tokens(call.model.input.tokenizer, call.inputs[call.name])
    if call.kind == "text" and "attention_mask" in call.inputs:
        kept |= call.inputs["attention_mask"] == 0
    return kept


def _numbered(call: Call, labels: Int[Tensor, " n *plane"], resolution: str) -> Segments:
    """Number the segments of each sample from 0, without those of places that are always kept."""
    hidden = ~always_kept(call)
    numbered = torch.full_like(labels, ALWAYS_KEPT, dtype=torch.int64)
    counts = torch.zeros(call.size, dtype=torch.int64, device=labels.device)
    for row in range(call.size):
        known, own = torch.unique(labels[row][hidden[row]], return_inverse=True)
        numbered[row][hidden[row]] = own
        counts[row] = len(known)
    return Segments(numbered, counts, resolution)
