"""`pellucid methods`: the list at two widths, one card, and what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

Command = Callable[..., Result]


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_fits_and_names_everything(
    width: int, pellucid: Command, as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = pellucid("methods").stdout.splitlines()
    assert max(map(len, lines)) <= width
    listed = [line.split()[0] for line in lines if line.startswith("   ") and line[3] != " "]
    assert sorted(listed) == sorted(each["name"] for each in as_json("methods")["methods"])
    assert "perturbation" in lines
    occlusion = next(line for line in lines if line.startswith("   occlusion"))
    assert "all" in occlusion
    assert "1 forward for each window" in occlusion


def test_only_some(as_json: Callable[..., Any]) -> None:
    texts = {each["name"] for each in as_json("methods", "--kind", "text")["methods"]}
    assert "occlusion" in texts
    assert "grad_cam" not in texts
    cams = as_json("methods", "--family", "cam")["methods"]
    assert {each["family"] for each in cams} == {"cam"}


def test_one_method_with_its_parameters(pellucid: Command, as_json: Callable[..., Any]) -> None:
    shown = pellucid("methods", "integrated_gradients").stdout
    assert shown.startswith("Integrated gradients (integrated_gradients)\n")
    assert "Sundararajan" in shown
    assert "int, from 1 to" in shown
    card = as_json("methods", "integrated_gradients")
    steps = next(each for each in card["parameters"] if each["name"] == "steps")
    assert steps["low"] == 1
    assert steps["type"] == "int"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grad_cm"], "Unknown method 'grad_cm'. Closest: 'grad_cam'"),
        (["--kind", "picture"], "--kind picture: expected image, text, array."),
        (["--family", "cams"], "--family cams is not known. Closest: 'cam'"),
        (["occlusion", "--kind", "text"], "give neither --kind nor --family"),
    ],
)
def test_what_is_unknown(arguments: list[str], message: str, pellucid: Command) -> None:
    result = pellucid("methods", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_nothing_that_fits_is_said_so(pellucid: Command) -> None:
    result = pellucid("methods", "--kind", "array", "--family", "cam")
    assert result.exit_code == 0
    assert "No method is both" in result.stdout
