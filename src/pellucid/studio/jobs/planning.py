"""From what is asked for to what a worker does: everything that a request names is resolved here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid import plugins
from pellucid.errors import SpecError, closest
from pellucid.studio.datasets import DataSets
from pellucid.studio.jobs.home import Home
from pellucid.studio.references import open_reference, run_path, title_of
from pellucid.studio.schemas import (
    BenchmarkMethods,
    Compare,
    DataReference,
    Evaluate,
    Explain,
    Finetune,
    Inspect,
    JobRequest,
    ModelReference,
    VisualizeFeature,
)
from pellucid.studio.state import Studio

METHODS = "pellucid.methods"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job's title, and the arguments of its function in `pellucid.studio.jobs.work`.

    `run_path` is the folder of the run that a fine-tuning writes.
    """

    title: str
    arguments: dict[str, Any]
    run_path: Path | None = None


def plan(studio: Studio, request: JobRequest, begun: Path | None = None) -> Plan:
    """Resolve what a request names. `begun` is the run that an earlier attempt has begun.

    Raises SpecError or NotThere for what cannot be done.
    """
    _check_methods(getattr(request, "methods", None) or ())
    match request:
        case Finetune():
            return _finetune(studio, request, begun)
        case Evaluate():
            return _on_data(studio, request, "Evaluate {model} on {data}")
        case Explain():
            return _explain(studio, request)
        case Inspect():
            return _inspect(studio, request)
        case VisualizeFeature():
            return _visualize(studio, request)
        case Compare():
            return _compare(studio, request)
        case BenchmarkMethods():
            methods = None if request.methods is None else tuple(request.methods)
            title = "Rank methods for {model} on {data}"
            return _on_data(studio, request, title, methods=methods)


def _finetune(studio: Studio, request: Finetune, begun: Path | None) -> Plan:
    from pellucid.training.config import TrainingConfig

    if "strategy" in request.options:
        raise SpecError("the strategy was given among the options; it has a field of its own.")
    options = {"strategy": request.strategy, **request.options}
    try:
        TrainingConfig.build(options)
    except TypeError as error:
        raise SpecError(f"an option of the training has the wrong type: {error}.") from error
    model, data = open_reference(studio, request.model), _data(studio, request.data)
    title, subject = title_of(studio, request.model), data.title
    if request.resume is not None:
        out = run_path(studio, request.resume)
    else:
        out = begun or studio.workspace.new_run_path(request.name or f"{title}-{subject}")
    arguments = {
        "home": Home(workspace=studio.workspace.path),
        "model": model,
        "data": data,
        "out": out,
        "resume": request.resume is not None or begun is not None,
        "options": options,
    }
    return Plan(title=f"Fine-tune {title} on {subject}", arguments=arguments, run_path=out)


def _explain(studio: Studio, request: Explain) -> Plan:
    return _on_data(
        studio,
        request,
        "Explain {model} on {data}",
        samples=tuple(request.samples),
        methods=tuple(request.methods),
        target=request.target,
        parameters=request.parameters,
        faithfulness=request.faithfulness,
    )


def _inspect(studio: Studio, request: Inspect) -> Plan:
    arguments = _on_model(studio, request.model)
    arguments |= {
        "data": None if request.data is None else _data(studio, request.data),
        "parts": request.parts,
        "layers": request.layers,
    }
    return Plan(title=f"Look inside {title_of(studio, request.model)}", arguments=arguments)


def _visualize(studio: Studio, request: VisualizeFeature) -> Plan:
    arguments = _on_model(studio, request.model)
    arguments |= {
        "layer": request.layer,
        "units": tuple(request.units),
        "steps": request.steps,
    }
    title = f"Picture what excites {request.layer} of {title_of(studio, request.model)}"
    return Plan(title=title, arguments=arguments)


def _compare(studio: Studio, request: Compare) -> Plan:
    other = open_reference(studio, request.other)
    name = title_of(studio, request.other)
    title = f"Compare {{model}} with {name} on {{data}}"
    return _on_data(studio, request, title, other=other, methods=tuple(request.methods))


def _on_data(
    studio: Studio,
    request: Evaluate | Explain | Compare | BenchmarkMethods,
    title: str,
    **more: Any,
) -> Plan:
    data = _data(studio, request.data)
    told = title.format(model=title_of(studio, request.model), data=data.title)
    return Plan(title=told, arguments=_on_model(studio, request.model) | {"data": data} | more)


def _on_model(studio: Studio, reference: ModelReference) -> dict[str, Any]:
    scheme, _, run = reference.reference.partition(":")
    home = Home(
        workspace=studio.workspace.path,
        run=run_path(studio, run) if scheme == "run" else None,
    )
    return {"home": home, "model": open_reference(studio, reference)}


def _data(studio: Studio, reference: DataReference) -> Any:
    sets = studio.part(DataSets)
    if reference.split is not None:
        known = sets.splits(reference.data)
        if reference.split not in known:
            raise SpecError(
                f"there is no split {reference.split!r} here. {closest(reference.split, known)}"
            )
    return sets.opening(reference)


def _check_methods(methods: Any) -> None:
    known = plugins.names(METHODS)
    for name in methods:
        if name not in known:
            raise SpecError(f"Unknown method {name!r}. {closest(name, known)}")
