"""The tables in the docs: a part of what they say holds, and they are written from records alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a script of the benchmarks by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.mark.parametrize(
    "name",
    [
        "LSTM",
        pytest.param("text CNN", marks=pytest.mark.thorough),
        pytest.param("transformers:Bert", marks=pytest.mark.thorough),
        pytest.param("torchvision:squeezenet1_1", marks=pytest.mark.slow),
    ],
)
def test_parts_add_up_on_a_part_of_the_architectures(
    script: Any, name: str, tmp_path: Path
) -> None:
    pytest.importorskip("transformers" if "Bert" in name else "torch")
    compatibility = script("compatibility")
    chosen = [one for one in compatibility.ARCHITECTURES if one.name == name]
    cards = [card for card in compatibility.methods() if card.name in compatibility.IN_DOUBLE]
    cells = compatibility.measure(chosen, cards, tmp_path / "record.jsonl")
    assert [cell.outcome for cell in cells] == ["ok"] * 4
    assert compatibility.faults(cells) == []
    again = compatibility.measure(chosen, cards, tmp_path / "record.jsonl")
    assert again == cells
    assert len((tmp_path / "record.jsonl").read_text().splitlines()) == 4


def test_cells_of_the_table_of_compatibility(script: Any) -> None:
    compatibility = script("compatibility")
    cells = [
        compatibility.Cell("net", "deeplift", "float32", "ok", completeness_error=2e-5),
        compatibility.Cell("net", "deeplift", "float64", "ok", completeness_error=3e-9),
        compatibility.Cell("net", "lrp", "float32", "ok"),
        compatibility.Cell("net", "attn_lrp", "float32", "undefined", "It has no attention."),
        compatibility.Cell("net", "deconvnet", "float32", "failed", "It fell over."),
    ]
    page = compatibility.page(cells, compatibility.methods(), ["net"])
    columns = "`attn_lrp` | `deconvnet` | `deep_shap` | `deeplift` | `guided_backprop` | `lrp`"
    assert f"| architecture | {columns} |" in page
    assert "| net | a | **fails** | · | 2e-05 / 3e-09 | · | ✓ |" in page
    assert "- **a** It has no attention." in page


def test_what_was_measured_is_written_between_the_marks(script: Any, tmp_path: Path) -> None:
    claims = script("claims")
    record = tmp_path / "record.jsonl"
    common = {"subject": "net", "promised": 2.0, "unit": " f", "command": "run"}
    claims.note(record, [claims.Claim(text="fast", measured=9.0, **common)])
    claims.note(record, [claims.Claim(text="fast", measured=1.5, **common)])
    claims.note(record, [claims.Claim(text="slow", measured=3.25, **common)])
    page = claims.written(
        f"before\n{claims.BEGIN}\nstale row\n{claims.END}\nafter", claims.recorded(record)
    )
    assert page.startswith("before\n")
    assert page.endswith("\nafter")
    assert "stale row" not in page
    assert "| fast | net | ≤ 2 f | 1.5 f |  | `run` |" in page
    assert "| slow | net | ≤ 2 f | **3.25 f, does not hold** |  | `run` |" in page
