"""What a model is made of: its operators by module, their wiring, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pellucid.inside.structure.as_json import structure_json
from pellucid.inside.structure.export import export
from pellucid.inside.structure.views import structure_views
from pellucid.inside.structure.words import headline, summary, terminal_table
from pellucid.result import Result
from pellucid.views import View


@dataclass(frozen=True, kw_only=True)
class Structure(Result):
    """The graph of a model, in its modules.

    `data` holds operators in the order of calls (dimension node: operator, kind, shape, dtype,
    parameters, flops, bytes, seconds, group), what flows between them (edge: source, target, kind)
    and calls of modules (group: name, type, parent, parameters, twin). FLOPs and bytes are for
    one sample; what is unknown is NaN. `group_twin` is the first of neighbours that are built
    alike.
    """

    kind: ClassVar[str] = "structure"

    def views(self) -> list[View]:
        """The graph, where time and parameters go, and the modules as a table."""
        return structure_views(self.data, self.meta)

    def summary(self) -> str:
        """Say in a paragraph how the model is built, and what it costs."""
        return summary(self.data, self.meta)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data, self.meta)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Modules with their figures, for a terminal: columns and rows."""
        return terminal_table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give operators, edges and modules as JSON values, with the provenance."""
        return structure_json(self.data) | {"provenance": self.meta.to_json()}

    def export(self, path: str | Path, **options: Any) -> Path:
        """Write the graph to a file, in the format of its suffix; see `export`."""
        return export(self, path, **options)
