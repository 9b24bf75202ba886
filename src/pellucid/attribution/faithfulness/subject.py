"""What is measured, and what a measure gives: the same for every method and for every control.

A measure is a function of a `Subject` with keyword-only parameters that returns one number per
map and sample. Controls are maps that know nothing of the model; they are measured as rows of
their own, in the same passes and in the same units.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, cast, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.registry import Parameter, parameters_of
from pellucid.errors import MethodError, closest

Better = Literal["higher", "lower", "neither"]
Explain = Callable[[Call], Attribution]
F = TypeVar("F", bound=Callable[..., "Measured"])


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Maps of the samples of a call: `maps` (rows, n, positions), each flattened from its plane.

    `explain` makes each row's map again for another call; None for controls. `masks`
    (n, positions) are true where the object lies, if that is known.
    """

    call: Call
    maps: Float[Tensor, "rows n positions"]
    explain: tuple[Explain | None, ...]
    seed: int = 0
    masks: Bool[Tensor, "n positions"] | None = None

    def generators(self) -> list[torch.Generator]:
        """One source of random numbers per sample, seeded by `seed` and the sample's content.

        So a sample draws the same numbers alone as in any batch, and other ones than its
        neighbours.
        """
        raw = self.call.inputs[self.call.name].detach().cpu().contiguous()
        seeds = [zlib.crc32(row.flatten().view(torch.uint8).numpy(), self.seed) for row in raw]
        return [torch.Generator().manual_seed(each) for each in seeds]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`values` (rows, n), NaN where a measure is not defined for a sample.

    `curves` (rows, n, points) are what the values sum up, over `points` from 0 to 1; None for
    measures without a curve.
    """

    values: Float[Tensor, "rows n"]
    curves: Float[Tensor, "rows n points"] | None = None


@dataclass(frozen=True, kw_only=True)
class MeasureCard:
    """What there is to know about a measure.

    `about` tells a reader who never writes code what it asks, and what a good value is. `ranks`
    says that a better value means a more faithful map, so that methods can be ranked by it.
    """

    name: str
    title: str
    paper: str
    about: str
    unit: str
    better: Better
    ranks: bool
    passes: str
    parameters: tuple[Parameter, ...]

    def check_parameters(self, given: dict[str, Any]) -> None:
        """Raise MethodError for an unknown parameter, or a value out of bounds."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in given.items():
            if name not in known:
                raise MethodError(
                    f"measure {self.name!r} has no parameter {name!r}. "
                    f"{closest(name, sorted(known))}"
                )
            expected = known[name].check(value)
            if expected:
                raise MethodError(
                    f"measure {self.name!r} got {name}={value!r}; expected {expected}."
                )


@runtime_checkable
class Measure(Protocol):
    """A function of a subject that carries its card."""

    card: MeasureCard

    def __call__(self, subject: Subject, **parameters: Any) -> Measured: ...


def measure_card(
    *,
    title: str,
    paper: str,
    about: str,
    unit: str,
    better: Better,
    passes: str,
    ranks: bool = False,
) -> Callable[[F], F]:
    """Attach the card of a measure to its function, as `.card`; the function stays as it is."""

    def attach(function: F) -> F:
        cast("Any", function).card = MeasureCard(
            name=function.__name__,
            title=title,
            paper=paper,
            about=about,
            unit=unit,
            better=better,
            ranks=ranks,
            passes=passes,
            parameters=parameters_of(function),
        )
        return function

    return attach


def positions(call: Call, attribution: Attribution) -> Float[Tensor, "n positions"]:
    """Reduce an attribution to its plane, flattened: a picture's channels are summed.

    Raises MethodError for a map that does not cover the input.
    """
    values = attribution.values.detach().float()
    if call.kind == "image" and values.ndim == 4:
        values = values.sum(1)
    expected = plane(call)
    if call.kind != "array" and values.shape[1:] != expected:
        raise MethodError(
            f"a map of {tuple(values.shape[1:])} cannot be measured on an input of "
            f"{tuple(expected)}; expected equal sizes. Leave out what keeps the map small."
        )
    return values.flatten(1)


def plane(call: Call) -> torch.Size:
    """Shape of what a map covers: (y, x), (tokens,), or the array's own."""
    shape = call.explained.shape
    return {"image": shape[2:], "text": shape[1:2], "array": shape[1:]}[call.kind]
