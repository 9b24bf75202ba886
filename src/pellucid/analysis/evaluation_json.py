"""An evaluation as JSON values, for machines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

PER_CLASS = (
    "support",
    "num_predicted",
    "precision",
    "precision_low",
    "precision_high",
    "recall",
    "recall_low",
    "recall_high",
    "f1",
    "f1_low",
    "f1_high",
    "auc",
    "average_precision",
)
PER_BIN = (
    "bin_low",
    "bin_high",
    "bin_count",
    "bin_confidence",
    "bin_accuracy",
    "bin_accuracy_low",
    "bin_accuracy_high",
)


def evaluation_json(data: xr.Dataset) -> dict[str, Any]:
    """Give scalars by name, one record per class and per calibration bin, and the confusion matrix.

    What is not defined is None. `majority_label` is a class by name.
    """
    labels = [str(label) for label in data["label"].values]
    scalars = {
        str(name): _plain(array.values)
        for name, array in data.data_vars.items()
        if array.ndim == 0 and name != "majority_label"
    }
    return {
        "kind": "evaluation",
        "num_samples": data.sizes["sample"],
        "num_in_training": int(data["in_training"].sum()),
        **scalars,
        "majority_label": labels[int(data["majority_label"])],
        "classes": _records(data, PER_CLASS, [{"label": label} for label in labels]),
        "confusion": {"labels": labels, "counts": data["confusion"].values.tolist()},
        "calibration": _records(data, PER_BIN, [{} for _ in range(data.sizes["bin"])]),
    }


def _records(
    data: xr.Dataset, names: tuple[str, ...], records: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    columns = {name: data[name].values for name in names}
    return [
        record | {name: _plain(values[row]) for name, values in columns.items()}
        for row, record in enumerate(records)
    ]


def _plain(value: np.generic | np.ndarray[Any, Any]) -> int | float | None:
    number: int | float = value.item()
    return None if isinstance(number, float) and math.isnan(number) else number
