"""One file that shows runs and results and opens anywhere: an HTML page, or a PDF."""

from __future__ import annotations

from pathlib import Path

from pellucid.files import replacing
from pellucid.reporting.page import write_page
from pellucid.reporting.pdf import write_pdf
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
    with `views()` and `summary()`, an `Excerpt` of one, or a sequence of those. `note` is put above
    the summary. A name that ends in ``.pdf`` makes a PDF for print, any other one an HTML page,
    which needs no network. Raises ResultError for a path without a run or result, SpecError for
    anything else without views.

    >>> pellucid.report("runs/pets", "pets.html", title="Can we trust it?")  # doctest: +SKIP
    """
    sections = gather(source)
    target = Path(out).expanduser()
    if target.is_dir():
        target = target / "report.html"
    heading = title or _title(sections)
    with replacing(target) as temporary:
        if target.suffix.lower() == ".pdf":
            write_pdf(sections, temporary, title=heading, note=note)
        else:
            with temporary.open("w", encoding="utf-8") as file:
                file.writelines(write_page(sections, title=heading, note=note))
    return target


def _title(sections: list[Section]) -> str:
    """Name the one thing that the report is about, if it is one."""
    subjects = dict.fromkeys(section.subject for section in sections if section.subject)
    return f"Report on {next(iter(subjects))}" if subjects else "Report"
