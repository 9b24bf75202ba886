"""The same samples explained for two models, kept side by side in one set of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import output_of
from pellucid.analysis.comparison_classes import UNKNOWN
from pellucid.analysis.comparison_maps import similarity_arrays
from pellucid.analysis.comparison_predictions import Pair, PairedPredictions
from pellucid.analysis.intervals import Counts
from pellucid.attribution.explain import explain
from pellucid.attribution.explanation import Explanation

SIDES = ("a", "b")
COMMON = frozenset({"method", "channel"})


def explain_both(
    models: Pair, predicted: PairedPredictions, arrays: xr.Dataset, rows: Counts, **options: Any
) -> tuple[Explanation, Explanation] | None:
    """Explain the samples at `rows` of the predictions for both models; None for no samples.

    Explained is the class that is compared, or each model's own answer where there is none;
    `options` go to `explain`.
    """
    if not len(rows):
        return None
    part = predicted.data.subset(predicted.positions[rows])
    outputs = predicted.classes.outputs_a, predicted.classes.outputs_b
    compared = arrays["compared_class"].values[rows]
    first, second = (
        explain(
            model,
            part,
            target=output_of(of, np.where(compared == UNKNOWN, own, compared)).tolist(),
            faithfulness=False,
            **options,
        )
        for model, of, own in zip(models, outputs, arrays["predicted"].values[:, rows], strict=True)
    )
    return first, second


def explained_arrays(
    pair: tuple[Explanation, Explanation], sample_ids: list[str]
) -> dict[str, Any]:
    """Both explanations, and how alike their maps are, as variables of a comparison.

    `sample_ids` are those of all samples that are compared.
    """
    ids = [each.data["sample_id"].values for each in pair]
    common = [str(sample) for sample in ids[0] if sample in set(ids[1])]
    first, second = (
        each.data.isel(sample=[own.tolist().index(sample) for sample in common])
        for each, own in zip(pair, ids, strict=True)
    )
    place = {sample: row for row, sample in enumerate(sample_ids)}
    rows = np.array([place[sample] for sample in common], dtype=np.int64)
    sides = [with_side(each, side) for each, side in zip((first, second), SIDES, strict=True)]
    return {
        "explained_sample": ("explained", rows),
        **similarity_arrays(first, second),
        **{str(name): values for side in sides for name, values in side.data_vars.items()},
    }


def with_side(explanation: xr.Dataset, side: str) -> xr.Dataset:
    """The arrays of an explanation under names that end in `_a` or `_b`."""
    plain = explanation.drop_vars("sample_id")
    plain = plain.reset_coords([name for name in ("word",) if name in plain.coords])
    dims = {dim: _dimension(str(dim), side) for dim in plain.dims if dim not in COMMON}
    return plain.rename_vars({name: f"{name}_{side}" for name in plain.data_vars}).rename_dims(dims)


def of_side(data: xr.Dataset, side: str) -> xr.Dataset:
    """The explanation of one model, as its own arrays, out of those of a comparison."""
    ending = f"_{side}"
    names = {
        str(name): str(name).removesuffix(ending)
        for name, values in data.data_vars.items()
        if str(name).endswith(ending) and {"explained", "method"} & set(values.dims)
    }
    found = data[list(names)].rename_vars(names)
    dims = {dim: str(dim).removesuffix(ending) for dim in found.dims if dim not in COMMON}
    dims |= {"explained": "sample"}
    ids = data["sample_id"].values[data["explained_sample"].values]
    return found.rename_dims(dims).assign_coords(sample_id=("sample", ids))


def _dimension(dim: str, side: str) -> str:
    return "explained" if dim == "sample" else f"{dim}_{side}"
