"""A structure as JSON values, for machines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.structure.arrays import ROOT, group_sums

NODE = {
    "name": "node_name",
    "operator": "operator",
    "kind": "node_kind",
    "group": "node_group",
    "shape": "shape",
    "dtype": "dtype",
    "parameters": "parameters",
    "flops": "flops",
    "bytes": "bytes",
    "seconds": "seconds",
}
EDGE = {"source": "edge_source", "target": "edge_target", "kind": "edge_kind"}
GROUP = {
    "name": "group_name",
    "type": "group_type",
    "parent": "group_parent",
    "call": "group_call",
    "parameters": "group_parameters",
    "alike": "group_twin",
}


def structure_json(data: xr.Dataset) -> dict[str, Any]:
    """Give totals, and one record per module, operator and edge; what is unknown is None.

    Modules are calls of modules: `parent` and `group` are positions in that list, `alike` the
    first of neighbours that are built alike. `source` and `target` are positions of operators.
    """
    sums = {name: group_sums(data, name) for name in ("flops", "bytes", "seconds")}
    modules = records(data, GROUP, data.sizes["group"])
    for place, module in enumerate(modules):
        module |= {name: plain(values[place]) for name, values in sums.items()}
    return {
        "kind": "structure",
        "how": data.attrs.get("how", ""),
        "parameters": int(data["group_parameters"].values[ROOT]),
        **{name: plain(values[ROOT]) for name, values in sums.items()},
        "modules": modules,
        "operators": records(data, NODE, data.sizes["node"]),
        "edges": records(data, EDGE, data.sizes["edge"]),
    }


def records(data: xr.Dataset, names: dict[str, str], count: int) -> list[dict[str, Any]]:
    """One record per position, from arrays under their names in JSON."""
    columns = {name: data[variable].values.tolist() for name, variable in names.items()}
    return [
        {name: plain(values[place]) for name, values in columns.items()} for place in range(count)
    ]


def plain(value: Any) -> Any:
    """A JSON value; whole numbers without a point."""
    if isinstance(value, float | np.floating):
        number = float(value)
        return None if math.isnan(number) else int(number) if number.is_integer() else number
    return value
