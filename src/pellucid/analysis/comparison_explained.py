"""The same samples explained for two models, kept side by side in one set of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.comparison_arrays import output_of
from pellucid.analysis.comparison_classes import UNKNOWN
from pellucid.analysis.comparison_maps import similarity_arrays
from pellucid.analysis.comparison_predictions import Pair, PairedPredictions
from pellucid.analysis.intervals import Counts
from pellucid.attribution.explain import explain
from pellucid.attribution.explanation import Explanation

Plain = NDArray[np.generic]
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
    return {
        "method": first["method"].values,
        "explained_sample": ("explained", rows),
        **similarity_arrays(first, second),
        **with_side(first, "a"),
        **with_side(second, "b"),
    }


def with_side(explanation: xr.Dataset, side: str) -> dict[str, tuple[tuple[str, ...], Plain]]:
    """The arrays of an explanation under names that end in `_a` or `_b`, as variables."""
    return {
        f"{name}_{side}": (
            tuple(_dimension(str(dim), side) for dim in values.dims),
            values.values,
        )
        for name, values in explanation.variables.items()
        if name not in ("method", "sample_id")
    }


def of_side(data: xr.Dataset, side: str) -> xr.Dataset:
    """The explanation of one model, as its own arrays, out of those of a comparison."""
    own = {
        str(name).removesuffix(f"_{side}"): (
            tuple(_own_dimension(str(dim), side) for dim in values.dims),
            values.values,
        )
        for name, values in data.data_vars.items()
        if str(name).endswith(f"_{side}") and {"explained", "method"} & set(values.dims)
    }
    ids = data["sample_id"].values[data["explained_sample"].values]
    return xr.Dataset(own, coords={"method": data["method"], "sample_id": ("sample", ids)})


def _dimension(dim: str, side: str) -> str:
    """Other than its variables, a side's dimensions end in `_of_a`: ``token_a (token_of_a)``."""
    if dim in COMMON:
        return dim
    return "explained" if dim == "sample" else f"{dim}_of_{side}"


def _own_dimension(dim: str, side: str) -> str:
    return "sample" if dim == "explained" else dim.removesuffix(f"_of_{side}")
