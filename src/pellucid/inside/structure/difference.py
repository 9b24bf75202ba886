"""What is different between two models' structures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pellucid.inside.structure.aligning import merged
from pellucid.inside.structure.difference_views import (
    difference_headline,
    difference_json,
    difference_summary,
    difference_table,
    difference_views,
)
from pellucid.inside.structure.export import export
from pellucid.inside.structure.structure import Structure
from pellucid.result import Provenance, Result
from pellucid.views import View


@dataclass(frozen=True, kw_only=True)
class StructureDifference(Result):
    """Two models' graphs as one, with what became of each part from the first to the second.

    `data` is as that of a Structure, over all that is in either, with marks ("same", "changed",
    "added", "removed") of operators (`node_mark`) and modules (`group_mark`), and what changed in
    words (`node_change`, `group_change`). Figures are those of the second, or of the first for
    what was removed.
    """

    kind: ClassVar[str] = "structure_difference"

    def views(self) -> list[View]:
        """Both graphs as one, and what is different as a table."""
        return difference_views(self.data)

    def summary(self) -> str:
        """Say in a paragraph what is different."""
        return difference_summary(self.data)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return difference_headline(self.data)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """What is different, for a terminal: columns and rows."""
        return difference_table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give all that is different as JSON values, with the provenance."""
        return difference_json(self.data) | {"provenance": self.meta.to_json()}

    def export(self, path: str | Path, **options: Any) -> Path:
        """Write the graph to a file, in the format of its suffix; see `export`."""
        return export(self, path, **options)


def compare_structures(a: Structure, b: Structure) -> StructureDifference:
    """Tell what is different from structure `a` to structure `b`.

    Modules are aligned by name, then by how they are built, so that a module that was only
    renamed is found again; operators within them in their order.
    """
    started = time.perf_counter()
    sources = [each.meta.model.source if each.meta.model else "?" for each in (a, b)]
    data = merged(a.data, b.data)
    data.attrs |= {"first": sources[0], "second": sources[1]}
    meta = Provenance(
        kind=StructureDifference.kind,
        model=b.meta.model,
        parameters={"first": sources[0], "second": sources[1]},
        seconds=time.perf_counter() - started,
    )
    return StructureDifference(data=data, meta=meta)
