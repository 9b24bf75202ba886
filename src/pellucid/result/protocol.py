"""The protocol of every analysis' outcome: labelled arrays, provenance, views, plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import xarray as xr

from pellucid.result.provenance import Provenance
from pellucid.views import Column, Table, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Result:
    """Labelled arrays with provenance; subclasses say how to show them.

    `data` has named dimensions (sample, channel, y, x, token, label, step, …) and units in
    `attrs`. Can be built by hand from arrays. A saved result of a kind that is not installed
    opens as a plain Result.
    """

    kind: ClassVar[str] = "result"
    data: xr.Dataset
    meta: Provenance

    def views(self) -> list[View]:
        """What there is to see, most important first."""
        rows = list(self.data.variables.items())
        columns = (
            Column(name="variable", values=tuple(str(name) for name, _ in rows)),
            Column(name="dimensions", values=tuple(" × ".join(map(str, v.dims)) for _, v in rows)),
            Column(name="shape", values=tuple(" × ".join(map(str, v.shape)) for _, v in rows)),
        )
        return [Table(title="Contents", columns=columns)]

    def summary(self) -> str:
        """Say in plain language what was found."""
        sizes = ", ".join(f"{size} × {name}" for name, size in self.data.sizes.items())
        return f"A result of kind {self.meta.kind!r} with {sizes or 'no arrays'}."

    def plot(self, view: int | str | None = None) -> Figure:
        """Draw all views, or one by position or title, as a matplotlib figure."""
        from pellucid.views.matplotlib import draw_views, select

        return draw_views(select(self.views(), view))

    def save(self, path: str | Path) -> Path:
        """Write to a Zarr directory, whole or not at all; `pellucid.open` reads it back."""
        from pellucid.result.store import save

        return save(self, path)

    def __str__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, Any]:
        from pellucid.views.notebook import widget_bundle

        return widget_bundle(self.summary(), self.views())

    def _repr_html_(self) -> str:
        from pellucid.views.matplotlib import static_html

        return static_html(self.summary(), self.views())
