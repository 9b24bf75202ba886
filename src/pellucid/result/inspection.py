"""Several results on one model, in one folder: what a look inside it found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pellucid.errors import ResultError, SpecError, closest
from pellucid.files import write_json
from pellucid.result.protocol import Result
from pellucid.result.provenance import Provenance
from pellucid.result.store import open_result
from pellucid.views import Column, Table, View

RECORD = "inspection.json"


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found inside a model: a result for each part, by the part's name.

    `left_out` tells why a part is not there. A part is had by its name, `inspection["weights"]`.
    """

    kind: ClassVar[str] = "inspection"
    parts: Mapping[str, Result]
    meta: Provenance
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, part: str) -> Result:
        if part not in self.parts:
            why = self.left_out.get(part) or closest(part, self.parts)
            raise SpecError(f"there is no part {part!r} in this inspection. {why}")
        return self.parts[part]

    def results(self) -> list[Result]:
        """The parts' results, in order."""
        return list(self.parts.values())

    def views(self) -> list[View]:
        """The parts that were left out, and why."""
        if not self.left_out:
            return []
        columns = (
            Column(name="part", values=tuple(self.left_out)),
            Column(name="why it is not there", values=tuple(self.left_out.values())),
        )
        return [Table(title="Parts left out", columns=columns)]

    def summary(self) -> str:
        """Say what was looked at; each part has a summary of its own."""
        source = self.meta.model.source if self.meta.model else "The model"
        looked = f"{source}, from inside: {', '.join(self.parts) or 'nothing'}."
        return "\n".join([looked, *(f"No {part}: {why}" for part, why in self.left_out.items())])

    def to_json(self) -> dict[str, Any]:
        """Give each part, and the provenance, as JSON values."""
        parts = {name: _part_json(result) for name, result in self.parts.items()}
        return {
            "parts": parts,
            "left_out": dict(self.left_out),
            "provenance": self.meta.to_json(),
        }

    def save(self, folder: str | Path) -> Path:
        """Write each part as PART.zarr into a folder; `pellucid.open` reads the folder back."""
        target = Path(folder).expanduser()
        for name, result in self.parts.items():
            result.save(target / f"{name}.zarr")
        self.save_record(target)
        return target

    def save_record(self, folder: Path) -> None:
        """Write which parts a folder holds, whose results lie there already."""
        record = {
            "parts": list(self.parts),
            "left_out": dict(self.left_out),
            "provenance": self.meta.to_json(),
        }
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / RECORD, record)

    @classmethod
    def open(cls, folder: str | Path) -> Inspection:
        """Open a saved inspection. Raises ResultError where it is damaged."""
        place = Path(folder).expanduser()
        try:
            record = json.loads((place / RECORD).read_text("utf-8"))
            names = [str(name) for name in record["parts"]]
            left_out = {str(name): str(why) for name, why in record["left_out"].items()}
            meta = Provenance.from_json(record["provenance"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultError(
                f"{place / RECORD} cannot be read ({error}); make the inspection again."
            ) from error
        foreign = [name for name in names if Path(name).name != name]
        if foreign:
            raise ResultError(f"{place / RECORD} names parts outside its folder: {foreign}.")
        parts = {name: open_result(place / f"{name}.zarr") for name in names}
        return cls(parts=parts, meta=meta, left_out=left_out)

    def __str__(self) -> str:
        return "\n\n".join([self.summary(), *(result.summary() for result in self.results())])

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, Any]:
        from pellucid.views.notebook import widget_bundle

        return widget_bundle(self.summary(), self.views())

    def _repr_html_(self) -> str:
        from pellucid.views.matplotlib import static_html

        views = [view for result in self.results() for view in result.views()[:1]]
        return static_html(str(self), views)


def _part_json(result: Result) -> Any:
    to_json = getattr(result, "to_json", None)
    return to_json() if callable(to_json) else {"summary": result.summary()}
