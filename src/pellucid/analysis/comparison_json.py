"""A comparison as JSON values, for machines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import MODELS, SIDES, by_change, differing, flipped
from pellucid.analysis.comparison_views import OUTCOMES

PER_MODEL = (
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "num_judged",
    "mean_confidence",
    "calibration_error",
    "calibration_error_by_chance",
)
SCALARS = (
    "accuracy_gain",
    "accuracy_gain_low",
    "accuracy_gain_high",
    "mcnemar_p",
    "same_answer",
    "same_answer_low",
    "same_answer_high",
    "mean_change",
    "mean_absolute_change",
)


def comparison_json(data: xr.Dataset) -> dict[str, Any]:
    """Give figures, who is right where, what flipped or got other answers, and map similarity.

    What is not defined is None.
    """
    counts = data["agreement_matrix"].values
    order = by_change(data)
    changed = order[(flipped(data) | differing(data))[order]]
    return {
        "kind": "comparison",
        "num_samples": data.sizes["sample"],
        "num_in_training": int(data["in_training"].sum()),
        "num_shared_classes": int(data["shared"].sum()),
        "models": {
            name: {"source": str(data["model_source"].values[row])}
            | {figure: _plain(data[figure].values[row]) for figure in PER_MODEL}
            for row, name in enumerate(MODELS)
        },
        **{name: _plain(data[name].values) for name in SCALARS},
        "agreement": {
            "both_right": int(counts[0, 0]),
            "only_a_right": int(counts[0, 1]),
            "only_b_right": int(counts[1, 0]),
            "neither_right": int(counts[1, 1]),
        },
        "changed": [_sample(data, int(row)) for row in changed],
        "explained": [_explained(data, place) for place in range(data.sizes.get("explained", 0))],
    }


def _sample(data: xr.Dataset, row: int) -> dict[str, Any]:
    labels, target = data["label"].values, int(data["target"].values[row])
    return {
        "sample": str(data["sample_id"].values[row]),
        "true_label": str(labels[target]) if target >= 0 else None,
        "outcome": OUTCOMES[int(data["outcome"].values[row])] or None,
        "change": _plain(data["change"].values[row]),
        "answers": {
            name: {
                "label": str(labels[data["predicted"].values[place, row]]),
                "probability": _plain(data["confidence"].values[place, row]),
            }
            for place, name in enumerate(MODELS)
        },
    }


def _explained(data: xr.Dataset, place: int) -> dict[str, Any]:
    return _sample(data, int(data["explained_sample"].values[place])) | {
        "explained_label": {
            name: str(data[f"target_label_{side}"].values[place])
            for name, side in zip(MODELS, SIDES, strict=True)
        },
        "methods": {
            str(method): {
                "rank_correlation": _plain(data["rank_correlation"].values[row, place]),
                "top_overlap": _plain(data["top_overlap"].values[row, place]),
            }
            for row, method in enumerate(data["method"].values)
        },
    }


def _plain(value: np.generic | np.ndarray[Any, Any]) -> int | float | None:
    number: int | float = value.item()
    return None if isinstance(number, float) and math.isnan(number) else number
