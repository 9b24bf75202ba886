"""Python and the page agree: on numbers in words, colours of maps and matrices, places in graphs.

The front end's tests compare with what Python wrote. When a rule changes, write it anew:
``PYTHONPATH=src python tests/views/test_agreement.py``.
"""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.views import Axis, Graph, Heatmap, Matrix
from pellucid.views.colours import (
    SIGNED_MAPS,
    UNSIGNED_MAPS,
    colour_table,
    heatmap_levels,
    is_confusion,
    matrix_shades,
    resize,
    written_tables,
)
from pellucid.views.layered import hierarchy_of, lay_out
from pellucid.views.wording import formatted, readable_tokens

WEB = Path(__file__).parents[2] / "src/pellucid/studio/web/src/views"
TABLES, EXAMPLES = WEB / "maps/tables.json", WEB / "fixtures/python.json"
SPECS = ("", ".1%", ".0%", ".3g", "+.3g", ".2f", ".0f", ".1f", "d", ",d", ",.1f", ".2e", "g", ".4g")
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1.5, 2.5, 0.125, 0.375, 1e-7, -3.2e-5, 1 / 3, 99.95, 999.5)
LARGE = (1234.5, 12345.678, 1e6, 1234567.0, 6.02e23, -98765.4321, 1e15)


def words() -> list[list[Any]]:
    """Numbers with a format spec, and what is written for them."""
    return [[number, spec, formatted(number, spec)] for number in NUMBERS + LARGE for spec in SPECS]


def maps() -> list[dict[str, Any]]:
    """Maps with the levels of their values once they were fitted to a picture."""
    rng = np.random.default_rng(0)
    found = []
    for shape, fitted, signed in (
        ((3, 4), (7, 9), True),
        ((7, 7), (16, 16), False),
        ((9, 6), (4, 5), True),
    ):
        values = rng.normal(size=shape).astype(np.float32)
        values = values if signed else np.abs(values)
        larger = resize(values, *fitted)
        levels = heatmap_levels(Heatmap(name="", values=larger, limit=1.5, signed=signed))
        found.append(
            {"values": values.ravel().tolist(), "shape": shape, "fitted": fitted, "limit": 1.5}
            | {
                "signed": signed,
                "larger": larger.ravel().tolist(),
                "levels": levels.ravel().tolist(),
            }
        )
    return found


def matrices() -> list[dict[str, Any]]:
    """Matrices of each sort with their shades."""
    rng = np.random.default_rng(1)
    cases = [
        (rng.integers(0, 9, (3, 3)).astype(float), ("a", "b", "c"), ("a", "b", "c"), False),
        (np.array([[0.0, 0.0], [3.0, 1.0]]), ("a", "b"), ("a", "b"), False),
        (rng.random((2, 3)), ("a", "b"), ("x", "y", "z"), False),
        (rng.normal(size=(2, 2)), ("a", "b"), ("a", "b"), True),
    ]
    return [_matrix(*case) for case in cases]


def _matrix(
    values: np.ndarray, rows: tuple[str, ...], columns: tuple[str, ...], signed: bool
) -> dict[str, Any]:
    axis = Axis(label="")
    view = Matrix(
        title="",
        values=values,
        rows=rows,
        columns=columns,
        x=axis,
        y=axis,
        value=axis,
        signed=signed,
    )
    return {
        "values": values.ravel().tolist(),
        "rows": rows,
        "columns": columns,
        "signed": signed,
        "confusion": is_confusion(view),
        "shades": matrix_shades(view).ravel().tolist(),
    }


def graphs() -> list[dict[str, Any]]:
    """Graphs in groups, and where their boxes and the ends of their lines are."""
    return [_graph(seed) for seed in range(8)]


def _graph(seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    view, opened = _drawn(draw), ()
    groups = [item for item, kind in enumerate(view.kinds) if kind in ("group", "repeat")]
    opened = tuple(item for item in groups if draw.random() < 0.7)
    drawing = lay_out(hierarchy_of(view), opened)
    return {
        "kinds": view.kinds,
        "parents": view.parents.tolist(),
        "sources": view.sources.tolist(),
        "targets": view.targets.tolist(),
        "edge_kinds": view.edge_kinds,
        "opened": opened,
        "size": [drawing.width, drawing.height],
        "spots": [[s.item, s.x, s.y, s.width, s.height, s.is_open] for s in drawing.spots],
        "routes": [
            [r.kind, r.has_head, *r.points[0], *r.points[-1], len(r.points)] for r in drawing.routes
        ],
    }


def _drawn(draw: random.Random) -> Graph:
    """Items in groups by chance, and edges forward between the operators among them."""
    parents, kinds = [-1], ["operator"]
    while len(parents) < 24:
        groups = [item for item, kind in enumerate(kinds) if kind == "group"]
        parents.append(draw.choice([-1, *groups[-2:]]))
        kinds.append(draw.choice(["group", "layer", "layer", "operator", "residual"]))
    for item, kind in enumerate(kinds):
        if kind == "group" and item not in parents:
            kinds[item] = "layer"
    order = sorted(range(len(parents)), key=lambda item: _path(item, parents))
    place = {item: at for at, item in enumerate(order)}
    parents = [place[parents[item]] if parents[item] >= 0 else -1 for item in order]
    kinds = [kinds[item] for item in order]
    plain = [item for item, kind in enumerate(kinds) if kind != "group"]
    pairs = sorted({tuple(sorted(draw.sample(plain, 2))) for _ in range(30)} | set(pairwise(plain)))
    return Graph(
        title="",
        labels=("",) * len(kinds),
        types=("",) * len(kinds),
        kinds=tuple(kinds),
        parents=np.array(parents),
        times=np.ones(len(kinds), dtype=int),
        sources=np.array([a for a, _ in pairs]),
        targets=np.array([b for _, b in pairs]),
        edge_kinds=tuple(draw.choice(["data", "data", "residual", "skip", "gate"]) for _ in pairs),
    )


def _path(item: int, parents: list[int]) -> tuple[int, ...]:
    return (*(_path(parents[item], parents) if parents[item] >= 0 else ()), item)


def examples() -> dict[str, Any]:
    """All that the page is compared with, as JSON has it."""
    tokens = (("un", "##believ", "##able", "!"), ("Ġa", "b", "Ġc"), ("▁a", "▁b", "c"))
    found = {
        "words": words(),
        "maps": maps(),
        "matrices": matrices(),
        "graphs": graphs(),
        "tokens": [[given, readable_tokens(given)] for given in tokens],
    }
    rounded: dict[str, Any] = json.loads(
        json.dumps(found), parse_float=lambda text: float(f"{float(text):.9g}")
    )
    return rounded


def test_the_page_is_compared_with_what_python_does_now() -> None:
    assert json.loads(EXAMPLES.read_text("utf-8")) == examples()


def test_the_page_has_the_colours_of_python() -> None:
    assert json.loads(TABLES.read_text("utf-8")) == written_tables()


def test_all_colour_maps_fade_where_a_map_says_nothing() -> None:
    for signed, names in ((True, SIGNED_MAPS), (False, UNSIGNED_MAPS)):
        for name in names:
            table = colour_table(signed, name)
            quiet, loud = (127, (0, 255)) if signed else (0, (255,))
            assert table[quiet, 3] <= 8
            assert all(table[place, 3] == 255 for place in loud)


if __name__ == "__main__":
    EXAMPLES.parent.mkdir(exist_ok=True)
    EXAMPLES.write_text(json.dumps(examples()) + "\n", "utf-8")
    TABLES.write_text(json.dumps(written_tables(), indent=1) + "\n", "utf-8")
