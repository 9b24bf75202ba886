"""`pellucid load`: prints what a model is, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

Command = Callable[..., Result]


def test_prints_the_model(pellucid: Command, model: str) -> None:
    result = pellucid("load", model, "--trust")
    assert result.exit_code == 0
    assert "Sequential, 869 parameters (869 trainable)" in result.stdout
    assert "5: a, b, c, d, e" in result.stdout
    assert result.stderr == ""


def test_prints_json(as_json: Callable[..., Any], model: str) -> None:
    described = as_json("load", model, "--trust")
    assert described["parameters"] == 869
    assert described["labels"] == {"count": 5, "first": ["a", "b", "c", "d", "e"]}


def test_labels_by_name_or_from_a_file(as_json: Callable[..., Any], model: str, home: Path) -> None:
    (home / "names.txt").write_text("v\nw\nx\ny\nz\n")
    for labels in ("v,w, x,y,z", "names.txt"):
        described = as_json("load", model, "--trust", "--labels", labels)
        assert described["labels"]["first"] == ["v", "w", "x", "y", "z"]


def test_wrong_number_of_labels_is_refused(pellucid: Command, model: str) -> None:
    result = pellucid("load", model, "--trust", "--labels", "cat,dog")
    assert result.exit_code == 2
    assert "2 labels were given" in result.stderr


def test_weights_and_no_weights_exclude_each_other(pellucid: Command, model: str) -> None:
    result = pellucid("load", model, "--trust", "--weights", "w.pth", "--no-weights")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_code_needs_trust(pellucid: Command, model: str) -> None:
    result = pellucid("load", model)
    assert result.exit_code == 2
    assert "--trust" in result.stderr
