"""Occlusion: hide a part of the input, and see how far the score falls.

    drop(W) = f(x) − f(x with the window W replaced by the baseline)
    map_i   = mean of drop(W) over the windows W that cover i

For a linear model and windows that do not overlap, a window's drop is Σ_{i∈W} w_i (x_i − b_i).
Where a model looks at places near to one another, as convolutions do, only what depends on the
window is computed again; the values are those of whole passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, Filler, make_filler
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.registry import PLURALS, method
from pellucid.errors import MethodError
from pellucid.graph.incremental import Incremental

Size = int | tuple[int, int] | None
WINDOWS_PER_SIDE = 8
WORTH_A_TRACE = 2**23
WORTH_BOXES = 0.75
WINDOWS_PER_GROUP = 32
MOST_AT_ONCE = 32


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
    cost="one prediction for each position of the window; for large pictures less, often a third",
    passes=(
        "1 forward for each window, and 1; where only what depends on a window is computed again, "
        "that part of the multiplications is counted"
    ),
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
    `pellucid.attribution.baselines`; "inpaint" paints over it with the colours around. Raises MethodError for windows that leave gaps or do not fit.
    Zeiler and Fergus, 2014, section 4.2. One forward pass per window; for convolutional models and
    many windows only the part of it that depends on the window, as in Nakandala et al., 2019.
    """
    filler = make_filler(call, baseline)
    windows = _windows(call, window, stride)
    drops = _drops(call, filler, windows)
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


def _drops(call: Call, filler: Filler, windows: _Windows) -> Float[Tensor, "n i j"]:
    """Fall of the score for each sample and window; windows that change nothing cost nothing."""
    if filler.pool is None:  # what is painted over depends on the window
        everywhere = torch.ones(call.size, len(windows.down), len(windows.across)) > 0
        return _whole_passes(call, filler, windows, everywhere.to(call.explained.device))
    hidden = filler.pool
    changed = _plane(call, call.explained != hidden).float()
    down, across = windows.down.float(), windows.across.float()
    needed = torch.einsum("iy,nyx,jx->nij", down, changed, across) > 0
    incremental = _incremental(call, windows)
    if incremental is None:
        return _whole_passes(call, filler, windows, needed)
    drops = torch.zeros_like(needed, dtype=torch.float32)
    for row in needed.flatten(1).any(1).nonzero()[:, 0]:
        drops[row] = _partial_passes(call, incremental, hidden, row[None], needed[row])
    return drops


def _whole_passes(
    call: Call, filler: Filler, windows: _Windows, needed: Bool[Tensor, "n i j"]
) -> Float[Tensor, "n i j"]:
    own = call.own_scores.float()
    drops = torch.zeros_like(needed, dtype=torch.float32)
    places = needed.nonzero()
    for part in call.chunks(len(places)):
        rows, i, j = places[part].T
        covered = windows.down[i][:, :, None] & windows.across[j][:, None, :]
        drops[rows, i, j] = (
            own[rows] - call.scores(filler(_kept(call, covered), rows), rows).float()
        )
    return drops


def _kept(call: Call, covered: Bool[Tensor, "m y x"]) -> Bool[Tensor, " m *plane"]:
    """What windows leave, on the plane of a filler."""
    kept = ~covered
    if call.kind == "image":
        return kept
    return kept[..., 0] if call.kind == "text" else kept.reshape(-1, *call.explained.shape[1:])


def _partial_passes(
    call: Call,
    incremental: Incremental,
    hidden: Float[Tensor, " n *shape"],
    row: Int[Tensor, " 1"],
    needed: Bool[Tensor, "i j"],
) -> Float[Tensor, "i j"]:
    """Drops of one sample, window by window of alike reach."""
    inputs = {
        name: tensor[row] if tensor.ndim and len(tensor) == call.size else tensor
        for name, tensor in call.inputs.items()
    }
    picture = incremental.picture(inputs)
    own = call.score(_as_table(picture.logits), row).float()
    drops = torch.zeros_like(needed, dtype=torch.float32)
    for i, j in _pieces(call, incremental, needed.cpu()):
        logits = _as_table(picture.covered(hidden[row], i, j))
        scores = call.score(logits, row.expand(len(i))).float()
        drops[i.to(drops.device), j.to(drops.device)] = own - scores
    call.forwards[row.cpu()] += 1 + ceil(picture.work)
    return drops


def _incremental(call: Call, windows: _Windows) -> Incremental | None:
    """The model made ready for partial passes; None where whole ones are as quick or exacter.

    A trace takes seconds, and pays where many windows lie on a large picture. Types of few digits
    are left alone, since folding batch norms would round otherwise than the model does.
    """
    explained = call.explained
    num_windows = len(windows.down) * len(windows.across)
    if (
        call.kind != "image"
        or explained.dtype not in (torch.float32, torch.float64)
        or torch.is_autocast_enabled(explained.device.type)
        or explained.shape != call.inputs[call.name].shape
        or num_windows * explained[0].numel() < WORTH_A_TRACE
        or call.graph.how != "export"
    ):
        return None
    down, across = _ends(windows.down), _ends(windows.across)
    made = Incremental(call.graph.program, call.graph.inputs, call.name, down=down, across=across)
    return made if made.share <= WORTH_BOXES else None


def _pieces(
    call: Call, incremental: Incremental, needed: Bool[Tensor, "i j"]
) -> Iterator[tuple[Int[Tensor, " m"], Int[Tensor, " m"]]]:
    """Split the needed windows into pieces of alike reach that one pass can take."""
    number = max(1, isqrt(needed.numel() // WINDOWS_PER_GROUP))
    for rows, columns in incremental.groups(number):
        places = needed[rows][:, columns].nonzero()
        for chunk in call.chunks(len(places), part=incremental.bytes) if len(places) else ():
            for part in torch.split(chunk.cpu(), MOST_AT_ONCE):
                i, j = places[part].T
                yield rows[i], columns[j]


def _ends(covered: Bool[Tensor, "i side"]) -> tuple[Int[Tensor, " i"], Int[Tensor, " i"]]:
    """First place that each position of a window covers, and one past the last."""
    first = covered.int().argmax(1).cpu()
    return first, first + covered.sum(1).cpu()


def _as_table(output: Float[Tensor, " m *classes"]) -> Float[Tensor, " m *classes"]:
    return output[:, None] if output.ndim == 1 else output


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
