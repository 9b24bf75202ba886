"""`pellucid methods`: what methods of explanation there are, and what one of them does."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import output
from pellucid.cli.options import AsJson
from pellucid.errors import SpecError, closest

if TYPE_CHECKING:
    from pellucid.attribution.registry import Card, Parameter

KINDS = ("image", "text", "array")
NARROW, WIDE = 60, 110  # letters
MARGIN = "   "
KINDS_WIDTH, NEEDS_WIDTH = len("image, array"), len("input gradient, baseline")
MODULES = re.compile(r"(?:[A-Za-z_]+\.)+(?=[A-Za-z])")


def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show all about this method: what it tells, its parameters and their bounds.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Only methods for this input: image, text or array.",
            show_default=False,
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only methods of this family, such as cam or gradient.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the methods of explanation, or show one.

    Example: pellucid methods --kind text
    """
    from pellucid.attribution.registry import find_method
    from pellucid.attribution.registry import methods as installed

    if name is not None:
        if kind is not None or family is not None:
            raise SpecError("NAME shows one method; give neither --kind nor --family with it.")
        card = find_method(name).card
        if as_json:
            output.answer_json(_json(card))
        else:
            output.answer(_described(card))
        return
    cards = _chosen(installed(), kind, family)
    if as_json:
        output.answer_json({"methods": [_json(card) for card in cards]})
        return
    output.answer(_listed(cards, shutil.get_terminal_size((120, 24)).columns))
    output.note("'pellucid methods NAME' tells all about one")


def _chosen(cards: list[Card], kind: str | None, family: str | None) -> list[Card]:
    """Cards for a kind of input and of a family. Raises SpecError for unknown ones."""
    families = sorted({card.family for card in cards})
    if kind is not None and kind not in KINDS:
        raise SpecError(f"--kind {kind}: expected {', '.join(KINDS)}.")
    if family is not None and family not in families:
        raise SpecError(f"--family {family} is not known. {closest(family, families)}")
    return [
        card
        for card in cards
        if (kind is None or kind in card.kinds) and (family is None or card.family == family)
    ]


def _listed(cards: list[Card], width: int) -> str:
    """The methods under their families; what they need has a column of its own on wide screens."""
    if not cards:
        return "No method is both of that family and for that input."
    longest = max(len(card.name) for card in cards)
    lines = [f"{len(cards)} methods. Passes are for one sample, beside the prediction itself."]
    for family in sorted({card.family for card in cards}):
        lines += ["", family]
        for card in cards:
            if card.family == family:
                lines += _row(card, longest, width)
    return "\n".join(lines)


def _row(card: Card, longest: int, width: int) -> list[str]:
    """One method, in lines of at most `width`: its name, its inputs, its passes, its needs."""
    needs = ", ".join(card.needs)
    start = f"{MARGIN}{card.name:{longest}}  {_kinds(card):{KINDS_WIDTH}}  "
    text = card.passes
    if width >= WIDE:
        start += f"{needs:{NEEDS_WIDTH}}  "
    elif needs:
        text += f"; needs {needs}"
    return textwrap.wrap(
        text,
        max(width, NARROW),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _described(card: Card) -> str:
    """One method as a page of text."""
    lines = [f"{card.title} ({card.name})"]
    facts = {
        "about": card.about,
        "family": card.family,
        "for": _kinds(card),
        "needs": ", ".join(card.needs) or "predictions only",
        "cost": card.cost,
        "passes": card.passes,
        "map": _map(card),
        "paper": card.paper,
    }
    lines += [f"  {name:8}  {text}" for name, text in facts.items()]
    lines.append("parameters" if card.parameters else "no parameters")
    longest = max((len(each.name) for each in card.parameters), default=0)
    lines += [f"  {each.name:{longest}}  {_parameter(each)}" for each in card.parameters]
    return "\n".join(lines)


def _parameter(parameter: Parameter) -> str:
    """Type, bounds and default of a parameter."""
    kind = MODULES.sub("", parameter.type)
    bounds = f", {parameter.bounds}" if parameter.bounds else ""
    default = "none" if parameter.default is None else str(parameter.default)
    return f"{kind}{bounds}; default {default}"


def _kinds(card: Card) -> str:
    """The inputs that a method is defined for."""
    return "all" if set(card.kinds) == set(KINDS) else ", ".join(card.kinds)


def _map(card: Card) -> str:
    sign = "tells for from against" if card.signed else "shows what matters, without a sign"
    return sign + ("; varies from pixel to pixel" if card.per_pixel else "")


def _json(card: Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "family": card.family,
        "paper": card.paper,
        "about": card.about,
        "kinds": list(card.kinds),
        "needs": list(card.needs),
        "signed": card.signed,
        "per_pixel": card.per_pixel,
        "cost": card.cost,
        "passes": card.passes,
        "parameters": [_parameter_json(each) for each in card.parameters],
    }


def _parameter_json(parameter: Parameter) -> dict[str, Any]:
    bounds = parameter.bounds
    return {
        "name": parameter.name,
        "type": parameter.type,
        "default": parameter.default,
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
    }
