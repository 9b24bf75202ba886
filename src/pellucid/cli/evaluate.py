"""`pellucid evaluate`: how good a model is on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import output
from pellucid.cli.opening import (
    data_of,
    keep,
    open_data,
    open_model,
    open_run,
    seen_in_training,
)
from pellucid.cli.options import (
    DATA_OPTIONS,
    AsJson,
    DataSpec,
    Device,
    Labels,
    ModelSpec,
    NoSave,
    NoWeights,
    Split,
    Trust,
    Weights,
    WorkspaceFolder,
)


def evaluate(
    model: ModelSpec,
    data: DataSpec = None,
    split: Split = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Evaluate that many samples only, of all classes.",
            rich_help_panel=DATA_OPTIONS,
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Samples at a time.")] = 32,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Save the result here (.zarr). By default with the run, or in the workspace.",
            show_default=False,
        ),
    ] = None,
    no_save: NoSave = False,
    weights: Weights = None,
    no_weights: NoWeights = False,
    labels: Labels = None,
    trust: Trust = False,
    device: Device = "auto",
    workspace: WorkspaceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure how good a model is on labelled data, with intervals, per class, and calibration.

    Example: pellucid evaluate run:RUN folder:DIR --split test
    """
    run = open_run(model)
    spec = data_of(data, run)
    samples = open_data(spec, run, split=split, limit=limit)
    opened = open_model(
        model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
    )
    from pellucid.analysis.evaluation import evaluate as measure

    seen = seen_in_training(spec, run)
    result = measure(opened, samples, batch_size=batch_size, training_ids=seen)
    path = None if no_save else keep(result, run=run, out=out, workspace=workspace)
    if as_json:
        output.answer_json(result.to_json() | ({"path": str(path)} if path else {}))
    else:
        output.answer_figures(result.headline())
        output.answer(result.summary())
    if path:
        output.note(f"saved in {path}")
