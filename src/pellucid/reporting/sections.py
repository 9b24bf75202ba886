"""From what a report is asked for to its sections, one per run or result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pellucid.errors import SpecError
from pellucid.views import View

TITLES = {
    "run": "Training",
    "evaluation": "Evaluation",
    "explanation": "Explanations",
    "structure_difference": "What is different in structure",
    "weights_difference": "What is different in weights",
}


@runtime_checkable
class Reportable(Protocol):
    """What a report can show: anything with views and a summary; `meta` is optional."""

    def views(self) -> list[View]: ...

    def summary(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A run or result of which a report shows some views, by position, with a comment.

    `views=None` shows all. Of a run, its own views are meant; its results come as others do.
    """

    source: str | Path | Reportable
    views: tuple[int, ...] | None = None
    comment: str = ""


One = str | Path | Reportable | Excerpt
Source = One | Sequence[One]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a report: key figures as (label, value, detail), and the record behind it all."""

    title: str
    kind: str
    summary: str
    views: tuple[View, ...]
    figures: tuple[tuple[str, str, str], ...] = ()
    comment: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""


def gather(source: Source) -> list[Section]:
    """Open what is named, add the results that belong to a run, and make a section of each.

    Raises SpecError for nothing at all, and for what has no views; ResultError for a path that
    holds neither a run nor a result.
    """
    given = (
        list(source) if isinstance(source, Sequence) and not isinstance(source, str) else [source]
    )
    sections = [section for one in given for section in _sections(one)]
    if not sections:
        raise SpecError("a report needs at least one run or result; none was given.")
    return _told_apart(sections)


def _sections(one: Any) -> list[Section]:
    if not isinstance(one, Excerpt):
        return [_section(part) for part in _opened(one)]
    section = _section(next(iter(_opened(one.source))))
    return [replace(section, views=_chosen(section, one.views), comment=one.comment)]


def _chosen(section: Section, positions: tuple[int, ...] | None) -> tuple[View, ...]:
    if positions is None:
        return section.views
    for position in positions:
        if not 0 <= position < len(section.views):
            raise SpecError(
                f"there is no view {position} in {section.title!r}; it has {len(section.views)}, "
                "counted from 0."
            )
    return tuple(section.views[position] for position in positions)


def _opened(source: Any) -> Iterable[Reportable]:
    from pellucid.workspace.opening import open  # noqa: A004

    found = open(source) if isinstance(source, str | Path) else source
    if not isinstance(found, Reportable):
        raise SpecError(
            f"a report shows runs and results; {type(found).__name__} was given. Expected the "
            "folder of a run or a saved result, or an object with views() and summary()."
        )
    yield found
    results = getattr(found, "results", None)
    for path in results() if callable(results) else ():
        yield from _opened(path)


def _section(source: Reportable) -> Section:
    record = _record(source)
    kind = str(record.get("kind") or getattr(source, "kind", "") or "result")
    name = str(getattr(source, "name", ""))
    own = getattr(source, "title", None) or TITLES.get(kind)
    title = own or kind.replace("_", " ").capitalize()
    headline = getattr(source, "headline", None)
    return Section(
        title=f"{title}: {name}" if name else title,
        kind=kind,
        summary=source.summary(),
        views=tuple(source.views()),
        figures=tuple(headline()) if callable(headline) else (),
        record=record,
        subject=name or _model(record),
    )


def _record(source: Reportable) -> Mapping[str, Any]:
    """The provenance as JSON values: a result's `meta`, or a run's `record`."""
    meta = getattr(source, "meta", None)
    if meta is not None:
        written: Mapping[str, Any] = meta.to_json() if hasattr(meta, "to_json") else dict(meta)
        return written
    record = getattr(source, "record", None)
    return {"kind": "run"} | dict(record) if isinstance(record, Mapping) else {}


def _model(record: Mapping[str, Any]) -> str:
    model = record.get("model")
    return str(model.get("source", "")) if isinstance(model, Mapping) else str(model or "")


def _data(record: Mapping[str, Any]) -> str:
    data = record.get("data")
    return str(data.get("source", "")) if isinstance(data, Mapping) else ""


def _told_apart(sections: list[Section]) -> list[Section]:
    """Add the data, then a number, to sections of one title: the contents do not repeat it."""
    repeated = Counter(section.title for section in sections)
    sections = [
        replace(section, title=f"{section.title}: {data}")
        if repeated[section.title] > 1 and (data := _data(section.record))
        else section
        for section in sections
    ]
    titles = [section.title for section in sections]
    return [
        replace(section, title=f"{section.title} ({titles[: place + 1].count(section.title)})")
        if titles.count(section.title) > 1
        else section
        for place, section in enumerate(sections)
    ]
