"""Write a structure to a file: for papers, for other tools, for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import SpecError, closest
from pellucid.files import replacing
from pellucid.inside.structure.formats import dot, mermaid, model_explorer
from pellucid.inside.structure.opening import opened_to
from pellucid.views import Graph

if TYPE_CHECKING:
    from pellucid.inside.structure.difference import StructureDifference
    from pellucid.inside.structure.structure import Structure

TEXTS: dict[str, Callable[[Graph, Collection[int]], str]] = {".mmd": mermaid, ".dot": dot}
DRAWN = (".svg", ".pdf", ".png")
EXPLORER = ".model_explorer.json"
SUFFIXES = (*DRAWN, *TEXTS, EXPLORER, ".json")


def export(
    structure: Structure | StructureDifference,
    path: str | Path,
    *,
    depth: int | None = None,
    open: str | Sequence[str] = (),  # noqa: A002
) -> Path:
    """Write a structure's graph to a file and return where; the suffix says as what.

    ``.svg``, ``.pdf`` and ``.png`` are drawings, ``.mmd`` is Mermaid, ``.dot`` Graphviz, ``.json``
    all of it, and ``.model_explorer.json`` what Google's Model Explorer opens. `depth` opens
    groups down to so many levels, and `open` those named (with what is around them); otherwise as
    much is open as is legible on a page. JSON always has everything. Raises SpecError for
    another suffix, or a group that is not there.

    >>> structure.export("paper/model.pdf", depth=2)  # doctest: +SKIP
    """
    target = Path(path).expanduser()
    suffix = _suffix(target)
    graph = next(view for view in structure.views() if isinstance(view, Graph))
    names = [open] if isinstance(open, str) else list(open)
    opened = opened_to(graph, depth, names)
    with replacing(target) as temporary:
        if suffix in DRAWN:
            from pellucid.views.matplotlib.graph import write_graph

            write_graph(graph, opened, temporary, suffix[1:])
        else:
            temporary.write_text(_text(structure, graph, opened, suffix), encoding="utf-8")
    return target


def _suffix(path: Path) -> str:
    found = next((s for s in (EXPLORER, *SUFFIXES) if path.name.lower().endswith(s)), None)
    if found is None:
        ending = path.suffix or path.name
        raise SpecError(
            f"a structure cannot be written as {ending!r}; expected one of {', '.join(SUFFIXES)}. "
            f"{closest(ending, SUFFIXES)}"
        )
    return found


def _text(structure: Any, graph: Graph, opened: Sequence[int], suffix: str) -> str:
    if suffix == EXPLORER:
        model = structure.meta.model
        name = model.source if model else structure.meta.kind
        return json.dumps(model_explorer(graph, name), indent=1)
    if suffix == ".json":
        return json.dumps(structure.to_json(), indent=1)
    return TEXTS[suffix](graph, frozenset(opened))
