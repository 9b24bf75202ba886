"""Randomisation test: does a map change when what the model has learned is wiped out?

The weights of a copy are drawn anew, and the map of the same class is made again. A map that
stays as it was shows the picture or the architecture, and nothing that was learned:

    value = rank correlation of |map| and |map with other weights|

Weights are drawn from a normal distribution with each tensor's own mean and deviation, so that
activations keep their scale. The user's model is never touched.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.attribution.call import Call
from pellucid.attribution.faithfulness.again import copied, rebuilt
from pellucid.attribution.faithfulness.subject import (
    Measured,
    Subject,
    measure_card,
    plane,
    positions,
)
from pellucid.attribution.registry import Bounds
from pellucid.errors import LayerError, MethodError

Similarity = Literal["rank", "ssim"]
SIMILARITIES: tuple[Similarity, ...] = ("rank", "ssim")
STAYS = 0.5
WINDOW, STEADY_MEAN, STEADY_SPREAD = 7, 0.01**2, 0.03**2


@measure_card(
    title="Randomisation",
    paper="Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim, 2018, section 3",
    about=(
        "Wipes out what a copy of the model has learned and explains again. Near 0, the map hangs "
        "on what was learned. Near 1, it stays the same without it, and shows the input rather "
        "than the model: above 0.5, do not take it for the model's reasons."
    ),
    unit="rank correlation",
    better="lower",
    passes="stages × the passes of the method",
)
def randomisation(
    subject: Subject, *, stages: Annotated[int, Bounds(1, 64)] = 1, similarity: Similarity = "rank"
) -> Measured:
    """How much of a map is left when the weights are drawn anew?

    With 1 stage, all weights at once. With more, from the last layers to the first in so many
    steps; the curve holds the similarity after each, and the value is that of the last.
    `similarity` is "rank" (Spearman's correlation of absolute values) or, for pictures, "ssim"
    (structural similarity of absolute maps, each scaled to 0–1). NaN for controls, and for methods
    that are not defined with the new weights.
    Adebayo et al., 2018, section 3. Raises MethodError for a model that cannot be copied.
    """
    call = subject.call
    if similarity not in SIMILARITIES or (similarity == "ssim" and call.kind != "image"):
        raise MethodError(
            f"similarity {similarity!r} was given; expected 'rank', or for pictures 'ssim'."
        )
    found = []
    for module in _cascade(call.model.module, stages, subject.seed):
        other = rebuilt(call, module)
        found.append(_alike(subject, other, similarity))
    if torch.equal(other.own_logits, call.own_logits):
        raise MethodError(
            f"{type(call.model.module).__name__} answers the same with other weights: a copy of it "
            "still uses the original's. Leave the measure 'randomisation' out."
        )
    before = torch.where(found[0].isnan(), torch.nan, 1.0)
    return Measured(values=found[-1], curves=torch.stack([before, *found], dim=-1))


def _alike(subject: Subject, other: Call, similarity: Similarity) -> Float[Tensor, "rows n"]:
    """Similarity of each map to the one that the other call gives; NaN for controls."""
    values = torch.full(subject.maps.shape[:2], torch.nan, device=subject.maps.device)
    for row, explain in enumerate(subject.explain):
        if explain is None:
            continue
        try:
            again = positions(other, explain(other)).abs()
        except (MethodError, LayerError):
            continue
        before = subject.maps[row].abs()
        if similarity == "rank":
            values[row] = _rank_correlation(before, again)
        else:
            size = plane(subject.call)
            values[row] = _structural(before.view(-1, *size), again.view(-1, *size))
    return values


def _cascade(module: nn.Module, stages: int, seed: int) -> Iterator[nn.Module]:
    """Copies of a module with ever more weights drawn anew, the last defined layers first."""
    wiped = copied(module)
    names = [name for name, _ in wiped.named_parameters()]
    weights = dict(wiped.named_parameters())
    generator = torch.Generator().manual_seed(seed)
    bounds = torch.linspace(0, len(names), stages + 1).round().long().tolist()
    backwards = names[::-1]
    for first, last in itertools.pairwise(bounds):
        for name in backwards[first:last]:
            _draw(weights[name], generator)
        yield wiped


@torch.no_grad()
def _draw(weight: Tensor, generator: torch.Generator) -> None:
    mean, deviation = weight.float().mean(), weight.float().std(correction=0)
    noise = torch.randn(weight.shape, generator=generator).to(weight.device)
    weight.copy_(mean + deviation * noise)


def _rank_correlation(
    first: Float[Tensor, "n positions"], second: Float[Tensor, "n positions"]
) -> Float[Tensor, " n"]:
    """Spearman's; 0 where one of the maps is the same everywhere."""
    ranks = [_mean_ranks(each) for each in (first, second)]
    x, y = (each - each.mean(-1, keepdim=True) for each in ranks)
    widths = x.norm(dim=-1) * y.norm(dim=-1)
    found: Tensor = (x * y).sum(-1) / widths.where(widths > 0, 1)
    return found.float()


def _mean_ranks(values: Float[Tensor, "n positions"]) -> Float[Tensor, "n positions"]:
    """Ranks from 0, in float64; equal values share the mean of theirs."""
    ordered, _ = values.contiguous().sort(-1)
    below = torch.searchsorted(ordered, values.contiguous(), right=False)
    through = torch.searchsorted(ordered, values.contiguous(), right=True)
    return (below + through - 1).double() / 2


def _structural(
    first: Float[Tensor, "n y x"], second: Float[Tensor, "n y x"]
) -> Float[Tensor, " n"]:
    """Mean structural similarity over even windows of 7 × 7 (Wang et al., 2004, eq. 13)."""
    side = min(WINDOW, *first.shape[1:])
    x, y = (_unit_range(each)[:, None].double() for each in (first, second))

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, side, stride=1)

    means = mean(x), mean(y)
    spreads = mean(x * x) - means[0] ** 2, mean(y * y) - means[1] ** 2
    together = mean(x * y) - means[0] * means[1]
    above = (2 * means[0] * means[1] + STEADY_MEAN) * (2 * together + STEADY_SPREAD)
    below = (means[0] ** 2 + means[1] ** 2 + STEADY_MEAN) * (sum(spreads) + STEADY_SPREAD)
    alike: Tensor = above / below
    return alike.mean((1, 2, 3)).float()


def _unit_range(maps: Float[Tensor, "n y x"]) -> Float[Tensor, "n y x"]:
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    width = high - low
    return (maps - low) / width.where(width > 0, 1)
