"""Look at how a model is built."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import torch

from pellucid.errors import ModelError
from pellucid.graph.graph import Graph
from pellucid.inside.structure.arrays import arrays
from pellucid.inside.structure.listening import read_modules
from pellucid.inside.structure.parts import Parts
from pellucid.inside.structure.reading import read
from pellucid.inside.structure.structure import Structure
from pellucid.inside.structure.timing import time_operators
from pellucid.model import Inputs, Model
from pellucid.model.head import example_inputs
from pellucid.result import Provenance


def inspect_structure(
    model: Model, inputs: Inputs | None = None, *, time: bool = True
) -> Structure:
    """Tell how a model is built: operators by module, wiring, shapes, sizes, FLOPs and time.

    `inputs` is a prepared batch to trace the model with; made from the model's input record where
    none is given. `time` runs it for about a second to measure each operator. A model that cannot
    be traced is shown as a tree of modules without edges, and the result says so. Raises
    ModelError where an example is needed and cannot be made.

    >>> structure = inspect_structure(pellucid.load("torchvision:resnet18"))  # doctest: +SKIP
    >>> structure.export("resnet18.svg")  # doctest: +SKIP
    """
    started = perf_counter()
    given = inputs if inputs is not None else _example(model)
    graph = Graph.of(model, given)
    parts, size = _parts(graph, given, timed=time)
    data = arrays(parts)
    shapes = {name or "input": list(tensor.shape[1:]) for name, tensor in given.items()}
    meta = Provenance(
        kind=Structure.kind,
        model=model.identity,
        parameters={
            "how": graph.how,
            "example": shapes,
            "timed": time,
            "timed_samples": size,
            "device": str(model.device),
            "threads": torch.get_num_threads(),
            "model_parameters": sum(p.numel() for p in model.module.parameters()),
        },
        seconds=perf_counter() - started,
        notes=_notes(graph, parts, model, is_made=inputs is None),
    )
    return Structure(data=data, meta=meta)


def _example(model: Model) -> Inputs:
    """A made-up sample as the model's input record wants it, for tracing.

    Raises ModelError for arrays of unknown shape.
    """
    made = example_inputs(model.input)
    if made is None:
        raise ModelError(
            f"{model.source} takes arrays whose shape is not known, so no example can be made "
            "to trace it with. Give `inputs`, a prepared batch of two samples."
        )
    return made


def _parts(graph: Graph, inputs: Inputs, *, timed: bool) -> tuple[Parts, int]:
    """Operators and modules, and how many samples were timed."""
    if graph.how == "hooks":
        return read_modules(graph.model, inputs, graph.why), 0
    with graph.model.evaluating():
        seconds, size = time_operators(graph, inputs) if timed else ({}, 0)
    return read(graph, seconds), size


def _notes(graph: Graph, parts: Parts, model: Model, *, is_made: bool) -> tuple[str, ...]:
    what: dict[str, str] = {
        "export": "",
        "dispatch": "The graph is that of one call on the given batch; another batch may take "
        f"another way. {graph.why}",
        "hooks": "The model has no graph of operators, so its modules are shown without what "
        f"flows between them. {graph.why}",
    }
    found: list[Any] = [what[graph.how], _unused(parts, model)]
    if is_made:
        found.append("It was traced with made-up input of the shape that the model takes.")
    return tuple(note for note in found if note)


def _unused(parts: Parts, model: Model) -> str:
    """Parameters that nothing in the graph uses."""
    if parts.how == "hooks":
        return ""
    total = sum(p.numel() for p in model.module.parameters())
    rest = total - sum(one.parameters for one in parts.operators)
    return f"{rest:,} parameters take no part in the output." if rest > 0 else ""
