"""Occlusion: hide a part of the input, and see how far the score falls.

    drop(W) = f(x) − f(x with the window W replaced by the baseline)
    map_i   = mean of drop(W) over the windows W that cover i

For a linear model and windows that do not overlap, a window's drop is Σ_{i∈W} w_i (x_i − b_i).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.registry import PLURALS, method
from pellucid.errors import MethodError

Size = int | tuple[int, int] | None
WINDOWS_PER_SIDE = 8


@method(
    title="Occlusion",
    family="perturbation",
    paper="Zeiler and Fergus, 2014, section 4.2",
    about=(
        "Occlusion covers one part of the input after another and watches the score: red parts "
        "are missed when they are covered, blue parts were in the way. It sees parts one at a "
        "time, so of two that say the same it may show neither."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="one prediction for each position of the window",
    passes="1 forward for each window, and 1",
)
def occlusion(
    call: Call,
    *,
    baseline: Baseline = None,
    window: Size = None,
    stride: Size = None,
) -> Attribution:
    """How far does the score fall when a part is hidden? Signed, of the input's shape.

    Texts give (n, tokens): each token is replaced in turn. Arrays: one value at a time.
    For pictures, `window` is (height, width) in pixels, or one number for both; an eighth of the
    picture's sides if None. `stride` is how far the window moves each time; half of it if None. The
    first window lies at the top left; those that cross the right or lower border are cut there.
    All channels of a pixel are hidden together. `baseline` fills the window, see
    `pellucid.attribution.baselines`. Raises MethodError for windows that leave gaps or do not fit.
    Zeiler and Fergus, 2014, section 4.2. One forward pass per window.
    """
    hidden = make_baseline(call, baseline, words=("mask", "pad", "unk"))
    windows = _windows(call, window, stride)
    drops = _drops(call, hidden, windows)
    down, across = windows.down.to(drops), windows.across.to(drops)
    total = torch.einsum("nij,iy,jx->nyx", drops, down, across)
    values = _over_input(call, total / (down.sum(0)[:, None] * across.sum(0)))
    values = values[..., 0] if call.kind == "text" else values
    return Attribution(values=values, resolution=windows.resolution)


@dataclass(frozen=True)
class _Windows:
    """Where the windows lie: the rows of the plane that each covers, and the columns."""

    down: Bool[Tensor, "i y"]
    across: Bool[Tensor, "j x"]
    resolution: str


def _windows(call: Call, window: Size, stride: Size) -> _Windows:
    """Plan windows over a picture's plane; over one column for the tokens or values of others."""
    device = call.explained.device
    if call.kind == "image":
        (height, width), (step_down, step_across) = _sizes(call, window, stride)
        down = _cover(call.explained.shape[2], height, step_down, device)
        across = _cover(call.explained.shape[3], width, step_across, device)
        where = f"{len(down)} × {len(across)} positions"
        return _Windows(down, across, f"{where} of a window of {height} × {width} pixels")
    if window is not None or stride is not None:
        raise MethodError(
            f"'occlusion' takes `window` and `stride` for pictures only; {PLURALS[call.kind]} are "
            "occluded one value at a time. Leave them out."
        )
    size = call.explained.shape[1] if call.kind == "text" else call.explained[0].numel()
    each = torch.eye(size, dtype=torch.bool, device=device)
    return _Windows(each, torch.ones_like(each[:1, :1]), EVERY[call.kind])


def _sizes(call: Call, window: Size, stride: Size) -> tuple[tuple[int, int], tuple[int, int]]:
    sides = call.explained.shape[2:]
    eighth = (max(1, sides[0] // WINDOWS_PER_SIDE), max(1, sides[1] // WINDOWS_PER_SIDE))
    windows = eighth if window is None else _pair(window)
    half = (max(1, windows[0] // 2), max(1, windows[1] // 2))
    strides = half if stride is None else _pair(stride)
    for side, size, step in zip(sides, windows, strides, strict=True):
        if not 1 <= step <= size <= side:
            raise MethodError(
                f"'occlusion' got window {windows} and stride {strides} for a picture of "
                f"{sides[0]} × {sides[1]} pixels; expected 1 ≤ stride ≤ window ≤ side each way."
            )
    return windows, strides


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _cover(side: int, window: int, stride: int, device: torch.device) -> Bool[Tensor, "i side"]:
    """Mark what each position of a window covers; the last may be cut at the border."""
    starts = torch.arange(0, side - window + stride, stride, device=device)[:, None]
    places = torch.arange(side, device=device)
    return (places >= starts) & (places < starts + window)


def _drops(
    call: Call, hidden: Float[Tensor, " n *shape"], windows: _Windows
) -> Float[Tensor, "n i j"]:
    """Fall of the score for each sample and window; windows that change nothing cost nothing."""
    explained, own = call.explained, call.own_scores.float()
    changed = _plane(call, explained != hidden).float()
    down, across = windows.down.float(), windows.across.float()
    places = torch.einsum("iy,nyx,jx->nij", down, changed, across)
    drops = torch.zeros_like(places)
    needed = places.nonzero()
    for part in call.chunks(len(needed)):
        rows, i, j = needed[part].T
        covered = windows.down[i][:, :, None] & windows.across[j][:, None, :]
        points = torch.where(_over_input(call, covered), hidden[rows], explained[rows])
        scores = call.scores(points, rows)
        drops[rows, i, j] = own[rows] - scores.float()
    return drops


def _plane(call: Call, values: Bool[Tensor, " n *shape"]) -> Bool[Tensor, "n y x"]:
    """Reduce what has the explained tensor's shape to the plane over which windows move."""
    if call.kind == "image":
        return values.any(1)
    if call.kind == "text":
        return values.any(2)[:, :, None]
    return values.flatten(1)[:, :, None]


def _over_input(call: Call, plane: Tensor) -> Tensor:
    """Give what lies on the plane, (m, y, x), a shape that broadcasts to the explained tensor."""
    if call.kind == "image":
        return plane[:, None]
    return plane if call.kind == "text" else plane.reshape(-1, *call.explained.shape[1:])
