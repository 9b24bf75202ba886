"""What the edges of a structure tell: residual connections, gates, joins, and attention."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pellucid.inside.structure.naming import ADD, BETWEEN, JOIN, MULTIPLY, PRODUCT
from pellucid.inside.structure.parts import Operator

Edge = tuple[int, int]
FURTHEST = 12  # operators between a softmax and its products


def edges_of(operators: Sequence[Operator]) -> list[Edge]:
    """Pairs of positions (from, to), in the order of the operators that take them."""
    return [(source, place) for place, one in enumerate(operators) for source in one.inputs]


def ranks_of(operators: Sequence[Operator]) -> list[int]:
    """Length of the longest way from an input to each operator."""
    ranks: list[int] = []
    for one in operators:
        ranks.append(1 + max((ranks[source] for source in one.inputs), default=-1))
    return ranks


def edge_kinds(
    operators: Sequence[Operator], recurrent: Collection[int] = frozenset()
) -> list[str]:
    """What each edge is: "residual" if it crosses more than one rank into a sum.

    Likewise "skip" into a concatenation and "gate" into a product; all others are "data". What
    does not depend on an input goes past nothing, and is data, as is all that flows to operators of a `recurrent` layer.
    """
    ranks, fed = ranks_of(operators), _fed(operators)
    return [
        _kind(operators[place], ranks[place] - ranks[source])
        if fed[source] and place not in recurrent
        else "data"
        for source, place in edges_of(operators)
    ]


def _fed(operators: Sequence[Operator]) -> list[bool]:
    """Whether the value of each operator depends on an input."""
    fed: list[bool] = []
    for one in operators:
        fed.append(one.kind == "input" or any(fed[source] for source in one.inputs))
    return fed


def _kind(taker: Operator, span: int) -> str:
    if span <= 1 or len(taker.inputs) < 2:
        return "data"
    for names, kind in ((ADD, "residual"), (JOIN, "skip"), (MULTIPLY, "gate")):
        if taker.operator.casefold() in names:
            return kind
    return "data"


def roles(operators: Sequence[Operator], recurrent: Collection[int] = frozenset()) -> list[str]:
    """What each operator is: input, output, attention, residual, join, gate, or operator."""
    found = [one.kind if one.kind != "operator" else "operator" for one in operators]
    names = {"residual": "residual", "skip": "join", "gate": "gate"}
    for (_, place), kind in zip(edges_of(operators), edge_kinds(operators, recurrent), strict=True):
        if kind in names:
            found[place] = names[kind]
    for place in attention_of(operators):
        found[place] = "attention"
    return found


def attention_of(operators: Sequence[Operator]) -> set[int]:
    """Operators of attention: a product of two values, softmax, and a product with a third."""
    users: list[list[int]] = [[] for _ in operators]
    for source, place in edges_of(operators):
        users[source].append(place)
    found: set[int] = set()
    for place, one in enumerate(operators):
        if one.operator.casefold() == "softmax":
            above = _way(place, operators, [list(each.inputs) for each in operators])
            below = _way(place, operators, users)
            if above and below:
                found |= {place, above[-1], below[-1]}
        elif "attention" in one.operator.casefold() and one.kind == "operator":
            found.add(place)
    return found


def _way(start: int, operators: Sequence[Operator], nexts: list[list[int]]) -> list[int]:
    """From a softmax to the nearest product without parameters; empty if there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for place in nexts[way[-1]]:
            name = operators[place].operator.casefold()
            if name in PRODUCT and not operators[place].parameters:
                return [*way, place]
            if name in BETWEEN and place not in seen and len(way) < FURTHEST:
                seen.add(place)
                ways.append([*way, place])
    return []
