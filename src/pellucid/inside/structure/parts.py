"""What a structure is made from: operators in the order of calls, and the modules around them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

UNKNOWN = math.nan


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One call of an operator, an input of the model, or its output.

    `path` names the modules around it, outermost first. `inputs` are positions of the operators
    whose values it takes. `shape` is written with n for the batch; `flops` and `bytes` are for one
    sample, `seconds` for the batch that was timed; NaN is unknown. `parameters` counts those that
    it is the first to use.
    """

    name: str
    operator: str
    path: tuple[str, ...] = ()
    inputs: tuple[int, ...] = ()
    kind: Literal["operator", "input", "output"] = "operator"
    shape: str = ""
    dtype: str = ""
    parameters: int = 0
    flops: float = 0.0
    bytes: float = 0.0
    seconds: float = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module's class, and the number of parameters in it and in what it contains."""

    type: str
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All operators, in an order in which they can run, and the modules by their path.

    `how` says what is known: "export" and "dispatch" as in `pellucid.graph`, "hooks" where there
    are modules without edges, "onnx" for a file. `why` gives the reason where it is less than all.
    """

    operators: tuple[Operator, ...]
    modules: Mapping[tuple[str, ...], Module]
    how: str
    why: str = ""
    separator: str = "."
    notes: tuple[str, ...] = field(default=())
