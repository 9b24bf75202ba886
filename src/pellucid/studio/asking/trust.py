"""How far a map can be trusted, in one word: measured beside controls that know nothing."""

from __future__ import annotations

import math
from typing import Any

from pellucid.attribution.faithfulness.controls import TITLES
from pellucid.attribution.faithfulness.measures import MEASURES, Faithfulness

MARGIN = 0.01  # of the measure's unit: what is closer is no difference


def judged(found: Faithfulness) -> list[dict[str, Any]]:
    """One entry for each map and measure, as `Faithfulness` of the API holds them."""
    return [_entry(found, name, row) for row in range(len(found.entries)) for name in found.values]


def _entry(found: Faithfulness, name: str, row: int) -> dict[str, Any]:
    card = MEASURES[name].card
    column = found.values[name][:, 0]
    value = float(column[row])
    controls = dict(zip(found.controls, map(float, column[len(found.entries) :]), strict=True))
    gains = [_gain(value, other, card.better) for other in controls.values()]
    verdict = _verdict(gains) if card.ranks else "unknown"
    return {
        "method": found.entries[row],
        "measure": name,
        "title": card.title,
        "value": _finite(value),
        "controls": {TITLES[control]: _finite(each) for control, each in controls.items()},
        "better": "" if card.better == "neither" else card.better,
        "verdict": verdict,
        "meaning": f"{card.about} {_MEANINGS[verdict]}".strip(),
    }


def _gain(value: float, control: float, better: str) -> float:
    return control - value if better == "lower" else value - control


def _verdict(gains: list[float]) -> str:
    """Good if better than all controls, bad if worse than all, else doubtful."""
    if not gains or not all(map(math.isfinite, gains)):
        return "unknown"
    if min(gains) > MARGIN:
        return "good"
    return "bad" if max(gains) < -MARGIN else "doubtful"


_MEANINGS = {
    "good": "This map does better than maps that know nothing of the model.",
    "doubtful": "This map cannot be told from maps that know nothing of the model.",
    "bad": "This map does worse than maps that know nothing of the model: do not rely on it.",
    "unknown": "",
}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
