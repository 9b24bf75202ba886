import re
from pathlib import Path
from typing import Any

import pytest

from pellucid.reporting.pdf import Words, _pages
from pellucid.reporting.report import report


def test_a_pdf_has_pages_a_title_and_no_pictures_of_text(
    project: list[Any], tmp_path: Path
) -> None:
    path = report(project[:2], tmp_path / "r.pdf", title="Can we trust it?", note="A note.")
    written = path.read_bytes()
    assert written.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", written)) == 6
    assert b"Can we trust it?" in written
    assert b"/FontType 3" not in written


def test_a_heading_goes_with_what_follows_it() -> None:
    body = [Words(f"Paragraph {n} " + "word " * 120) for n in range(5)]
    full = sum(piece.height for piece in body)
    heading = Words("A heading", size=14, bold=True)
    pages = list(_pages(iter([*body * 2, heading, *body])))
    assert full < 11
    assert all(not (isinstance(page[-1], Words) and page[-1].bold) for page in pages)
    assert sum(len(page) for page in pages) == 16


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_nothing_to_say_takes_no_line(text: str) -> None:
    assert Words(text).lines() == []
