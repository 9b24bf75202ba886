"""One HTML file that shows runs and results, and opens anywhere without a network."""

from __future__ import annotations

from pathlib import Path

from pellucid.files import replacing
from pellucid.reporting.page import write_page
from pellucid.reporting.sections import Section, Source, gather


def report(
    source: Source,
    out: str | Path = "report.html",
    *,
    title: str | None = None,
    note: str = "",
) -> Path:
    """Write a report on a run, a result, or several of them, and return where it lies.

    `source` is the folder of a run (its saved results are shown too), a saved result, any object
    with `views()` and `summary()`, or a sequence of those. `note` is put above the summary.
    Raises ResultError for a path without a run or result, SpecError for anything else without
    views.

    >>> pellucid.report("runs/pets", "pets.html", title="Can we trust it?")  # doctest: +SKIP
    """
    sections = gather(source)
    target = Path(out).expanduser()
    if target.is_dir():
        target = target / "report.html"
    page = write_page(sections, title=title or _title(sections), note=note)
    with replacing(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target


def _title(sections: list[Section]) -> str:
    """Name the one thing that the report is about, if it is one."""
    subjects = dict.fromkeys(section.subject for section in sections if section.subject)
    return f"Report on {next(iter(subjects))}" if subjects else "Report"
