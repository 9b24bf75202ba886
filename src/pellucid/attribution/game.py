"""A game of segments: what a coalition of them scores when all others are hidden.

    v(S) = mean over baselines b of f(x on the segments of S, b elsewhere)

Methods differ in the coalitions that they try, and in how they share v(all) − v(none).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, Filler, make_filler
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.segments import Segmentation, Segments, make_segments

SMALLEST_CHANGE = 1e-6
Kept = Callable[[Int[Tensor, " m"]], Bool[Tensor, "m players"]]
Shares = tuple[Float[Tensor, "r players"], Float[Tensor, "r players"] | None]
Solve = Callable[["Game", int, Int[Tensor, " r"]], Shares]


@final
class Game:
    """The value of coalitions of a call's segments; values are float64, on the CPU."""

    def __init__(self, call: Call, segments: Segments, fill: Filler) -> None:
        self.call, self.segments, self.fill = call, segments, fill

    def values(self, rows: Int[Tensor, " m"], kept: Kept) -> Float[Tensor, " m"]:
        """Score coalition i of sample rows[i]; `kept(part)` marks its segments for some i.

        Coalitions are made as they are needed, so that few are in memory at a time.
        """
        each = self.fill.num_baselines
        totals = torch.zeros(len(rows), dtype=torch.float64)
        if not len(rows):
            return totals
        for part in self.call.chunks(len(rows) * each):
            pair, which = part // each, part % each
            sample = rows[pair]
            points = self.fill(self.segments.places(kept(pair), sample), sample, which)
            totals.index_add_(0, pair.cpu(), self.call.scores(points, sample).cpu().double())
        return totals / each

    def table(self, rows: Int[Tensor, " r"], count: int, kept: Kept) -> Float[Tensor, "r count"]:
        """Score the same `count` coalitions for each of some samples."""
        repeated = rows.repeat_interleave(count)
        return self.values(repeated, lambda pair: kept(pair % count)).view(len(rows), count)

    @cached_property
    def full(self) -> Float[Tensor, " n"]:
        """Scores of the samples as they are."""
        return self.call.own_scores.cpu().double()

    @cached_property
    def empty(self) -> Float[Tensor, " n"]:
        """Scores with every segment hidden."""
        device = self.call.explained.device
        nothing = torch.zeros(1, self.most, dtype=torch.bool, device=device)
        rows = torch.arange(self.call.size, device=device)
        return self.values(rows, lambda pair: nothing.expand(len(pair), -1))

    @property
    def most(self) -> int:
        """The largest number of segments of a sample; 1 where there are none."""
        return max(1, int(self.segments.counts.max()))

    @property
    def change(self) -> Float[Tensor, " n"]:
        """What there is to share: v(all) − v(none)."""
        return self.full - self.empty

    def solve(self, solve: Solve) -> Shares:
        """Find a value for each segment of each sample, and its standard error.

        `solve` does it for samples that have equally many segments, at least one.
        """
        values = torch.zeros(self.call.size, self.most, dtype=torch.float64)
        errors: Tensor | None = None
        for players, rows in self.segments.groups():
            if not players:
                continue
            found, error = solve(self, players, rows)
            values[rows.cpu(), :players] = found
            if error is not None:
                errors = torch.zeros_like(values) if errors is None else errors
                errors[rows.cpu(), :players] = error
        return values, errors

    def painted(self, shares: Shares) -> Attribution:
        """Make a map where each place has the value of its segment."""
        return self._map(*shares)

    def shared(self, shares: Shares) -> Attribution:
        """Make a map where each segment's value is shared evenly among what the segment holds.

        So the map adds up to what the segments' values add up to.
        """
        values, errors = shares
        channels = self.call.explained.shape[1] if self.call.kind == "image" else 1
        held = (self.segments.areas().cpu() * channels).clamp(min=1)
        rest = (values.sum(1) - self.change).abs()
        return self._map(
            values / held,
            None if errors is None else errors / held,
            completeness_error=rest / self.change.abs().clamp(min=SMALLEST_CHANGE),
        )

    def _map(
        self, values: Tensor, errors: Tensor | None, completeness_error: Tensor | None = None
    ) -> Attribution:
        explained = self.call.explained
        precise = torch.promote_types(explained.dtype, torch.float32)

        def paint(given: Tensor) -> Tensor:
            painted = self.segments.paint(given.to(explained.device, precise))
            if self.call.kind != "image":
                return painted
            return painted[:, None].expand_as(explained)

        error = completeness_error
        return Attribution(
            values=paint(values),
            resolution=self.segments.resolution,
            completeness_error=None if error is None else error.to(explained.device, precise),
            standard_error=None if errors is None else paint(errors),
        )


def make_game(
    call: Call,
    baseline: Baseline,
    segments: Segmentation,
    num_segments: int,
    *,
    several: bool = True,
    default: str = "grid",
) -> Game:
    """Cut a call's samples into segments, and choose what fills the hidden ones."""
    cut = make_segments(call, segments, num_segments, default=default)
    return Game(call, cut, make_filler(call, baseline, several=several))
