"""Methods of attribution, each with a card that tells all about it.

A method is a function of a `Call` with keyword-only parameters:

    @method(title="Saliency", family="gradient", ..., passes="1 forward, 1 backward")
    def saliency(call: Call, *, power: Annotated[int, Bounds(1, 4)] = 1) -> Attribution: ...

It is found by name once it is an entry point of the group ``pellucid.methods``. The command line,
captions and the check of parameters derive from the card and the signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, cast, get_type_hints, runtime_checkable

from pellucid import plugins
from pellucid.attribution.call import Attribution, Call
from pellucid.data import InputKind
from pellucid.errors import MethodError, closest

GROUP = "pellucid.methods"
PLURALS: dict[InputKind, str] = {"image": "pictures", "text": "texts", "array": "arrays"}
Need = Literal["gradient", "input gradient", "layer", "baseline"]
F = TypeVar("F", bound=Callable[..., Attribution])


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value of a number, both allowed; for use in `Annotated`."""

    low: int | float
    high: int | float

    def __str__(self) -> str:
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One keyword of a method: its type in words, its default, and the bounds of a number."""

    name: str
    type: str
    default: Any
    bounds: Bounds | None = None

    def check(self, value: Any) -> str:
        """Say what was expected instead of `value`; "" if it fits."""
        if self.type == "bool":
            return "" if isinstance(value, bool) else "true or false"
        if self.bounds is None:
            return ""
        number = isinstance(value, int if self.type == "int" else (int, float))
        if number and not isinstance(value, bool) and self.bounds.low <= value <= self.bounds.high:
            return ""
        return f"a {'whole ' if self.type == 'int' else ''}number {self.bounds}"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What there is to know about a method.

    `about` tells a reader who never writes code what the map shows and where its limits are.
    `signed` maps tell for from against; `per_pixel` ones vary from one pixel to the next, and are
    shown averaged. `needs` tell what it takes: gradients at all, the gradient at the input itself
    (which methods share), a layer, a baseline. `kinds` are the inputs the method is defined for. `cost` is in plain words,
    `passes` counts forward and backward passes for one sample.
    """

    name: str
    title: str
    family: str
    paper: str
    about: str
    needs: tuple[Need, ...]
    kinds: tuple[InputKind, ...]
    signed: bool
    per_pixel: bool
    cost: str
    passes: str
    parameters: tuple[Parameter, ...]

    def accepts(self, parameter: str) -> bool:
        """Tell whether the method has a parameter of that name."""
        return any(known.name == parameter for known in self.parameters)

    def check_kind(self, kind: InputKind) -> None:
        """Raise MethodError for an input that the method is not defined for."""
        if kind in self.kinds:
            return
        others = [repr(card.name) for card in methods() if kind in card.kinds]
        raise MethodError(
            f"{self.name!r} is not defined for {PLURALS[kind]}, only for "
            f"{' and '.join(PLURALS[known] for known in self.kinds)}. "
            f"For {PLURALS[kind]} there are: {', '.join(others) or 'none'}."
        )

    def check_parameters(self, given: Mapping[str, Any]) -> None:
        """Raise MethodError for an unknown parameter, or a value out of bounds."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in given.items():
            if name not in known:
                raise MethodError(
                    f"{self.name!r} has no parameter {name!r}. {closest(name, sorted(known))}"
                )
            expected = known[name].check(value)
            if expected:
                raise MethodError(f"{self.name!r} got {name}={value!r}; expected {expected}.")


@runtime_checkable
class Method(Protocol):
    """What is registered: a function of a call that carries its card."""

    card: Card

    def __call__(self, call: Call, **parameters: Any) -> Attribution: ...


def method(
    *,
    title: str,
    family: str,
    paper: str,
    about: str,
    kinds: tuple[InputKind, ...],
    cost: str,
    passes: str,
    needs: tuple[Need, ...] = (),
    signed: bool = True,
    per_pixel: bool = False,
) -> Callable[[F], F]:
    """Attach the card of a method to its function, as `.card`; the function stays as it is.

    The card's name is the function's, its parameters are the keyword-only ones.
    """

    def attach(function: F) -> F:
        cast("Any", function).card = Card(
            name=function.__name__,
            title=title,
            family=family,
            paper=paper,
            about=about,
            needs=needs,
            kinds=kinds,
            signed=signed,
            per_pixel=per_pixel,
            cost=cost,
            passes=passes,
            parameters=parameters_of(function),
        )
        return function

    return attach


def find_method(name: str) -> Method:
    """Find a method by name. Raises SpecError for an unknown one, with the nearest names."""
    found = plugins.find(GROUP, name, what="method")
    if not isinstance(getattr(found, "card", None), Card):
        raise MethodError(
            f"what is registered as method {name!r} has no card. "
            "Decorate the function with pellucid.attribution.registry.method."
        )
    return cast("Method", found)


def methods() -> list[Card]:
    """Cards of all methods that are installed, by name."""
    return [find_method(name).card for name in plugins.names(GROUP)]


def parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Describe the keyword-only parameters of a function by its annotations and defaults."""
    hints = get_type_hints(function, include_extras=True)
    return tuple(
        _parameter(name, hints[name], parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )


def _parameter(name: str, hint: Any, default: Any) -> Parameter:
    metadata = getattr(hint, "__metadata__", ())
    return Parameter(
        name=name,
        type=inspect.formatannotation(hint.__origin__ if metadata else hint),
        default=default,
        bounds=next((item for item in metadata if isinstance(item, Bounds)), None),
    )
