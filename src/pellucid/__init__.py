"""Fine-tune any deep-learning model, and see what it learned, why it decides, where it fails.

Verbs are imported when first used, so `import pellucid` is quick and pulls in no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid.analysis.comparison import Comparison, compare
    from pellucid.analysis.evaluation import Evaluation, evaluate
    from pellucid.analysis.method_ranking import MethodRanking, benchmark_methods
    from pellucid.attribution.attribute import attribute
    from pellucid.attribution.explain import explain
    from pellucid.attribution.explanation import Explanation
    from pellucid.data.protocol import Data
    from pellucid.data.source import load_data, wrap_data
    from pellucid.errors import PellucidError
    from pellucid.inside.features import FeatureImage, visualize_feature
    from pellucid.inside.inspecting import inspect
    from pellucid.model.protocol import Model
    from pellucid.model.source import load, wrap
    from pellucid.reporting.report import report
    from pellucid.result.inspection import Inspection
    from pellucid.result.protocol import Result
    from pellucid.training.finetune import finetune
    from pellucid.workspace.opening import open  # noqa: A004
    from pellucid.workspace.run import Run
    from pellucid.workspace.workspace import Workspace

_HOMES = {
    "load": "pellucid.model.source",
    "wrap": "pellucid.model.source",
    "Model": "pellucid.model.protocol",
    "load_data": "pellucid.data.source",
    "wrap_data": "pellucid.data.source",
    "Data": "pellucid.data.protocol",
    "finetune": "pellucid.training.finetune",
    "Run": "pellucid.workspace.run",
    "evaluate": "pellucid.analysis.evaluation",
    "Evaluation": "pellucid.analysis.evaluation",
    "compare": "pellucid.analysis.comparison",
    "Comparison": "pellucid.analysis.comparison",
    "benchmark_methods": "pellucid.analysis.method_ranking",
    "MethodRanking": "pellucid.analysis.method_ranking",
    "attribute": "pellucid.attribution.attribute",
    "explain": "pellucid.attribution.explain",
    "Explanation": "pellucid.attribution.explanation",
    "inspect": "pellucid.inside.inspecting",
    "Inspection": "pellucid.result.inspection",
    "visualize_feature": "pellucid.inside.features",
    "FeatureImage": "pellucid.inside.features",
    "Result": "pellucid.result.protocol",
    "Workspace": "pellucid.workspace.workspace",
    "open": "pellucid.workspace.opening",
    "report": "pellucid.reporting.report",
    "PellucidError": "pellucid.errors",
}

__all__ = [
    "Comparison",
    "Data",
    "Evaluation",
    "Explanation",
    "FeatureImage",
    "Inspection",
    "MethodRanking",
    "Model",
    "PellucidError",
    "Result",
    "Run",
    "Workspace",
    "attribute",
    "benchmark_methods",
    "compare",
    "evaluate",
    "explain",
    "finetune",
    "inspect",
    "load",
    "load_data",
    "open",
    "report",
    "visualize_feature",
    "wrap",
    "wrap_data",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
