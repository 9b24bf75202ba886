"""RISE: show the input through masks at random, and compare the scores where a place was shown.

    map_i = E[f(x ⊙ M + b ⊙ (1 − M)) | i shown] − E[f(x ⊙ M + b ⊙ (1 − M)) | i hidden]

with expectations as means over the drawn masks, weighted by M_i and by 1 − M_i. The paper's map is
the first of them; what is subtracted makes places for the score positive and those against it
negative, and changes the order of places by no more than chance. For masks that show each place
independently, and a linear model, the map tends to w_i (x_i − b_i).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from pellucid.attribution.baselines import WORDS_TO_HIDE, Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.registry import Bounds, method
from pellucid.attribution.segments import always_kept, plane_of

SMALLEST_SHARE = 1e-6


@method(
    title="RISE",
    family="perturbation",
    paper="Petsiuk, Das and Saenko, 2018, eq. 2–6",
    about=(
        "RISE shows the input through many masks at random and compares the scores: with red parts "
        "shown the score was higher on average than with them hidden, with blue parts lower. It is "
        "smooth and treats the model as a black box; faint colours may be chance."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="as long as hundreds to thousands of predictions",
    passes="samples × 1 forward, and 1",
)
def rise(
    call: Call,
    *,
    baseline: Baseline = None,
    samples: Annotated[int, Bounds(2, 1_000_000)] = 1000,
    cells: Annotated[int, Bounds(1, 1024)] = 7,
    probability: Annotated[float, Bounds(0.01, 0.99)] = 0.5,
    seed: Annotated[int, Bounds(0, 2**31 - 1)] = 0,
) -> Attribution:
    """How much higher is the score where a place is shown? Signed, one value for each pixel.

    `samples` masks are drawn, once for all samples of the batch. For pictures each is a grid of
    `cells` × `cells`, each cell shown with `probability`, enlarged bilinearly and shifted by less
    than a cell. Tokens, which give (n, tokens), and the values of arrays are shown or hidden one by
    one; tokens that the tokenizer added always are. `baseline` is what is seen where a mask hides
    (`pellucid.attribution.baselines`). Petsiuk, Das and Saenko, 2018, eq. 2–6.
    """
    hidden = make_baseline(call, baseline, words=WORDS_TO_HIDE)
    masks = _draw(call, samples, cells, probability, seed)
    precise = torch.promote_types(call.explained.dtype, torch.float32)
    own, always = call.own_scores.to(precise), always_kept(call)
    sums = _Sums(call.size, masks.plane.numel(), call.explained.device)
    for part in call.chunks(samples * call.size):
        drawn, rows = part // call.size, part % call.size
        needed, place = torch.unique(drawn, return_inverse=True)
        shown = masks.make(needed).to(precise)
        blend = torch.where(always[rows], 1, shown[place])
        weight = _over(call, blend).to(call.explained)
        points = torch.lerp(hidden[rows], call.explained[rows], weight)
        sums.add(shown, place, rows, call.scores(points, rows).to(precise) - own[rows])
    values, errors = (
        _over(call, found.view(call.size, *masks.plane).masked_fill(always, 0).to(precise))
        for found in sums.compare(samples)
    )
    if call.kind == "text":
        values, errors = values[..., 0], errors[..., 0]
    return Attribution(values=values, resolution=masks.resolution, standard_error=errors)


def _over(call: Call, plane: Float[Tensor, " m *plane"]) -> Float[Tensor, " m *shape"]:
    """Give what lies on a plane a shape that broadcasts to the explained tensor."""
    axis = {"image": 1, "text": 2}.get(call.kind)
    return plane if axis is None else plane.unsqueeze(axis)


@dataclass(frozen=True, eq=False)
class _Masks:
    """Small grids, of which masks are made as they are needed; without a cell, one to one."""

    grids: Bool[Tensor, " samples *grid"]
    shifts: Int[Tensor, "samples 2"]
    cell: tuple[int, int] | None
    plane: torch.Size
    resolution: str

    def make(self, needed: Int[Tensor, " m"]) -> Float[Tensor, " m *plane"]:
        grids = self.grids[needed].float()
        if self.cell is None:
            return grids.view(-1, *self.plane)
        sizes = [(side + 1) * step for side, step in zip(grids.shape[1:], self.cell, strict=True)]
        large = interpolate(grids[:, None], sizes, mode="bilinear", align_corners=False)[:, 0]
        down, across = (
            torch.arange(side, device=needed.device) + shift[:, None]
            for side, shift in zip(self.plane, self.shifts[needed].T, strict=True)
        )
        each = torch.arange(len(needed), device=needed.device)
        return large[each[:, None, None], down[:, :, None], across[:, None, :]]


def _draw(call: Call, samples: int, cells: int, probability: float, seed: int) -> _Masks:
    """Draw masks for one sample; for texts, of which the first tokens have the same at any length."""
    device, generator = call.explained.device, torch.Generator().manual_seed(seed)
    plane = plane_of(call)
    if call.kind != "image":
        grids = (torch.rand(plane.numel(), samples, generator=generator) < probability).T
        shifts = torch.zeros(samples, 2, dtype=torch.int64)
        return _Masks(grids.to(device), shifts.to(device), None, plane, EVERY[call.kind])
    grid = min(cells, plane[0]), min(cells, plane[1])
    cell = -(-plane[0] // grid[0]), -(-plane[1] // grid[1])
    grids = torch.rand(samples, *grid, generator=generator) < probability
    shifts = torch.stack([torch.randint(step, (samples,), generator=generator) for step in cell], 1)
    resolution = f"cells of {cell[0]} × {cell[1]} pixels, blurred"
    return _Masks(grids.to(device), shifts.to(device), cell, plane, resolution)


@final
class _Sums:
    """Sums over masks M and scores f, of f^a, M f^a and M² f^a for a = 0, 1, 2."""

    def __init__(self, size: int, places: int, device: torch.device) -> None:
        self._scores = torch.zeros(3, size, 1, dtype=torch.float64, device=device)
        self._once = torch.zeros(3, size, places, dtype=torch.float64, device=device)
        self._twice = torch.zeros_like(self._once)

    def add(
        self,
        shown: Float[Tensor, " u *plane"],
        place: Int[Tensor, " m"],
        rows: Int[Tensor, " m"],
        scores: Float[Tensor, " m"],
    ) -> None:
        """Add the scores of samples `rows` under the masks shown[place]."""
        powers = scores.new_zeros(3, self._scores.shape[1], len(shown))
        for power in range(3):
            powers[power, rows, place] = scores**power
        masks = shown.flatten(1)
        self._scores += powers.sum(2, keepdim=True)
        self._once += powers @ masks
        self._twice += powers @ masks**2

    def compare(self, samples: int) -> tuple[Float[Tensor, "n places"], Float[Tensor, "n places"]]:
        """Give the difference of the weighted means of f, and its standard error by linearization.

        Zero where a place was always shown, or never.
        """
        total, (weight, first, second) = self._scores, self._once
        shown, hidden = weight / samples, 1 - weight / samples
        undecided = (shown > SMALLEST_SHARE) & (hidden > SMALLEST_SHARE)
        shown, hidden = shown.where(undecided, 0.5), hidden.where(undecided, 0.5)
        high = first / (samples * shown)
        low = (total[1] - first) / (samples * hidden)
        slope, offset = 1 / shown + 1 / hidden, high / shown + low / hidden
        squares = (
            slope**2 * self._twice[2]
            - 2 * slope * offset * self._twice[1]
            + offset**2 * self._twice[0]
            - 2 / hidden * (slope * second - (slope * low + offset) * first + offset * low * weight)
            + (total[2] - 2 * low * total[1] + samples * low**2) / hidden**2
        )
        errors = squares.clamp(min=0).sqrt() / samples
        return (high - low).where(undecided, 0), errors.where(undecided, 0)
