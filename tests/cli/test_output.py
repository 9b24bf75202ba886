"""The printed answer: plain in pipes, set for reading on terminals, valid JSON for machines."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.cli import output
from pellucid.errors import SpecError

ROWS = [("pets-head", "head", "91.2%"), ("b", "full", "–")]
MODEL = "timm:vit\n  architecture  ViT, 86 parameters\n  note          made for tests"


class Screen(io.StringIO):
    """What passes for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Print on a terminal of 60 columns; give the lines without their colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def show(print_it: Callable[..., None], *arguments: Any) -> list[str]:
        with contextlib.redirect_stdout(Screen()) as screen:
            print_it(*arguments)
        text = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
        return [line.rstrip() for line in text.splitlines()]

    return show


def test_text_in_a_pipe_is_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.answer(MODEL)
    assert capsys.readouterr().out == MODEL + "\n"


def test_long_values_wrap_below_themselves_on_a_terminal(
    shown: Callable[..., list[str]],
) -> None:
    lines = shown(output.answer, f"timm:vit\n  labels  {'word ' * 20}\n  device  cpu")
    assert lines[0] == "timm:vit"
    assert lines[1].startswith("  labels  word word")
    assert lines[2].startswith("          word")
    assert lines[-1] == "  device  cpu"
    assert max(map(len, lines)) <= 60


def test_brackets_in_names_are_not_markup(shown: Callable[..., list[str]]) -> None:
    assert shown(output.answer, "a [bold]name[/bold]") == ["a [bold]name[/bold]"]
    assert "[red]x" in shown(output.answer_table, ("name",), [("[red]x",)])
    assert shown(output.answer_figures, [("[b]", "[i]", "[u]")])[0] == "[b]  [i]  [u]"


def test_table_in_a_pipe_has_columns_and_no_trailing_space(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.answer_table(("name", "strategy", "accuracy"), ROWS, right="accuracy")
    assert capsys.readouterr().out == (
        "name       strategy  accuracy\npets-head  head         91.2%\nb          full             –\n"
    )


def test_table_on_a_terminal_shows_every_cell(shown: Callable[..., list[str]]) -> None:
    printed = "\n".join(shown(output.answer_table, ("name", "strategy", "accuracy"), ROWS))
    assert all(cell in printed for row in ROWS for cell in row)


def test_figures_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    output.answer_figures([("Accuracy", "91 %", "of all"), ("F1", "7 %", "")])
    assert capsys.readouterr().out == "Accuracy  91 %  of all\nF1         7 %\n\n"


def test_json_has_no_numbers_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    output.answer_json({"a": [math.nan, math.inf, 1.5], "path": Path("x"), "ü": (None, True)})
    printed = capsys.readouterr().out
    assert "ü" in printed
    assert json.loads(printed) == {"a": [None, None, 1.5], "path": "x", "ü": [None, True]}


def test_errors_are_one_line_however_they_were_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.error(SpecError("expected\n  cat/1.jpg\n[or] dog"), as_json=False)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: expected cat/1.jpg [or] dog\n"


def test_long_notes_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    output.note("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1
