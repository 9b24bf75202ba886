"""The layout of graphs in groups."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from pellucid.views import Graph
from pellucid.views.layered import Drawing, hierarchy_of, lay_out
from pellucid.views.layered.isotonic import fit_apart


def graph_of(parents: list[int], edges: list[tuple[int, int]], kinds: dict[int, str] | None = None):
    count = len(parents)
    inner = set(parents)
    known = {i: "group" if i in inner else "layer" for i in range(count)} | (kinds or {})
    return Graph(
        title="g",
        labels=tuple(map(str, range(count))),
        types=("",) * count,
        kinds=tuple(known[i] for i in range(count)),
        parents=np.array(parents),
        times=np.array([parents.count(i) if known[i] == "repeat" else 1 for i in range(count)]),
        sources=np.array([a for a, _ in edges], dtype=int),
        targets=np.array([b for _, b in edges], dtype=int),
        edge_kinds=("data",) * len(edges),
    )


def spots(drawing: Drawing):
    return {spot.item: spot for spot in drawing.spots}


def test_a_chain_goes_straight_down():
    placed = spots(lay_out(hierarchy_of(graph_of([-1] * 4, [(0, 1), (1, 2), (2, 3)])), ()))
    assert len({spot.x for spot in placed.values()}) == 1
    assert all(placed[a].y + placed[a].height < placed[b].y for a, b in pairwise(range(4)))


def test_what_goes_past_does_not_bend_the_chain():
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    view = graph_of([-1] * 4, edges)
    view = Graph(**(vars(view) | {"edge_kinds": ("data", "data", "data", "residual")}))
    drawing = lay_out(hierarchy_of(view), ())
    middles = [spot.x + spot.width / 2 for spot in drawing.spots]
    assert max(middles) - min(middles) < 4
    (past,) = (route for route in drawing.routes if route.kind == "residual")
    beside = max(x for x, _ in past.points)
    assert beside > drawing.spots[1].x + drawing.spots[1].width


def test_only_what_is_open_is_laid_out():
    view = graph_of([-1, -1, 1, 1, -1], [(0, 2), (2, 3), (3, 4)])
    hierarchy = hierarchy_of(view)
    assert sorted(spots(lay_out(hierarchy, ()))) == [0, 1, 4]
    opened = lay_out(hierarchy, {1})
    placed = spots(opened)
    assert sorted(placed) == [0, 1, 2, 3, 4]
    frame, inner = placed[1], placed[2]
    assert frame.is_open
    assert frame.x < inner.x
    assert frame.y < inner.y
    assert inner.x + inner.width < frame.x + frame.width
    ends = [route.points[-1] for route in opened.routes]
    assert any(abs(y - frame.y) < 1e-9 for _, y in ends)
    assert sum(route.has_head for route in opened.routes) == 3


def test_of_several_alike_one_is_shown():
    """0, then a run of two groups with two operators each, then an end."""
    parents = [-1, -1, 1, 2, 2, 1, 5, 5, -1]
    edges = [(0, 3), (3, 4), (4, 6), (6, 7), (7, 8)]
    hierarchy = hierarchy_of(graph_of(parents, edges, {1: "repeat"}))
    drawing = lay_out(hierarchy, {1})
    assert sorted(spots(drawing)) == [0, 1, 3, 4, 8]
    assert hierarchy.counterpart(1, 7) == 4
    middles = [s.x + s.width / 2 for s in drawing.spots]
    assert max(middles) - min(middles) < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_boxes_do_not_overlap_and_lines_go_down(seed: int):
    chance = random.Random(seed)
    parents = [-1]
    for item in range(1, 120):
        chain = [item - 1]
        while parents[chain[-1]] >= 0:
            chain.append(parents[chain[-1]])
        holder = chance.choice([*chain, -1])
        parents.append(holder)
    leaves = [i for i in range(120) if i not in set(parents)]
    edges = sorted({tuple(sorted(chance.sample(leaves, 2))) for _ in range(150)})
    drawing = lay_out(hierarchy_of(graph_of(parents, edges)), set(parents) - {-1})
    placed = spots(drawing)
    assert sorted(placed) == list(range(120))
    for one in drawing.spots:
        for other in drawing.spots:
            if one.item < other.item and parents[one.item] == parents[other.item]:
                apart = (
                    one.x + one.width <= other.x + 1e-6
                    or other.x + other.width <= one.x + 1e-6
                    or one.y + one.height <= other.y + 1e-6
                    or other.y + other.height <= one.y + 1e-6
                )
                assert apart, (one, other)
    for route in drawing.routes:
        assert all(a[1] <= b[1] + 1e-6 for a, b in pairwise(route.points))


def test_a_long_graph_goes_on_in_further_columns():
    view = graph_of([-1] * 40, list(pairwise(range(40))))
    tall, paged = lay_out(hierarchy_of(view), ()), lay_out(hierarchy_of(view), (), height=600)
    assert paged.height < 0.4 * tall.height
    assert len({round(spot.x) for spot in paged.spots}) >= 4
    assert sum(route.square for route in paged.routes) >= 3


numbers = st.floats(-50, 50)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(numbers, st.floats(0, 20), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_places_are_the_nearest_that_are_apart(rows):
    """Isotonic regression of an independent solver, after the gaps are taken out."""
    wanted, gaps, weights = (np.array(column) for column in zip(*rows, strict=True))
    apart = gaps[:-1]
    offsets = np.concatenate([[0.0], np.cumsum(apart)])
    expected = IsotonicRegression().fit_transform(
        np.arange(len(wanted)), wanted - offsets, sample_weight=weights
    )
    found = fit_apart(wanted.tolist(), apart.tolist(), weights.tolist())
    np.testing.assert_allclose(found, expected + offsets, atol=1e-6)


def test_the_work_of_a_layout_grows_with_the_graph_and_no_faster():
    def num_calls(count: int) -> int:
        edges = list(pairwise(range(count))) + [(i, i + 4) for i in range(0, count - 4, 4)]
        hierarchy = hierarchy_of(graph_of([-1] * count, edges))
        calls = Counter[str]()
        sys.setprofile(lambda _frame, event, _argument: calls.update([event]))
        try:
            lay_out(hierarchy, ())
        finally:
            sys.setprofile(None)
        return calls.total()

    assert num_calls(1000) < 5.5 * num_calls(200)
