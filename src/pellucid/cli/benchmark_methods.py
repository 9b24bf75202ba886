"""`pellucid benchmark-methods`: which methods of explanation to trust on one's model and data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import output
from pellucid.cli.explain import parse_settings
from pellucid.cli.opening import data_of, keep, open_data, open_model, open_run
from pellucid.cli.options import (
    DATA_OPTIONS,
    INTERRUPTED,
    AsJson,
    DataSpec,
    Device,
    Labels,
    ModelSpec,
    NoSave,
    NoWeights,
    Seed,
    Split,
    Trust,
    Weights,
    WorkspaceFolder,
)

METHOD_OPTIONS = "Method"


def benchmark_methods(
    model: ModelSpec,
    data: DataSpec = None,
    split: Split = None,
    limit: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Measure on that many samples at most, of all classes.",
            rich_help_panel=DATA_OPTIONS,
        ),
    ] = 32,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Method, may be repeated; see 'pellucid methods'. By default all that are "
            "defined for the model's input.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Measure, may be repeated: deletion, insertion, sensitivity_n, infidelity, "
            "max_sensitivity, sparseness, randomisation. By default all but infidelity and "
            "max_sensitivity.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Class that is explained: predicted, true, or a label.",
            rich_help_panel=METHOD_OPTIONS,
        ),
    ] = "predicted",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME.PARAMETER=VALUE",
            help="Set a parameter of a method or measure, may be repeated: occlusion.window=32, "
            "deletion.steps=32.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Samples at a time.")] = 8,
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
    """Rank methods of explanation on a model and data, and say which to trust.

    Each method's maps are measured beside controls that know nothing of the model. Ctrl-C keeps
    what is done.

    Example: pellucid benchmark-methods run:RUN folder:DIR --method grad_cam --method occlusion
    """
    parameters = parse_settings(settings or [])
    run = open_run(model)
    samples = open_data(data_of(data, run), run, split=split)
    opened = open_model(
        model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
    )
    from pellucid.analysis.method_ranking import RANKED_BY, STOPPED
    from pellucid.analysis.method_ranking import benchmark_methods as rank

    result = rank(
        opened,
        samples,
        methods=method,
        measures=measure or RANKED_BY,
        target=target,
        limit=limit,
        batch_size=batch_size,
        parameters=parameters,
        seed=seed,
    )
    path = None if no_save else keep(result, run=run, out=out, workspace=workspace)
    if as_json:
        output.answer_json(result.to_json() | ({"path": str(path)} if path else {}))
    else:
        columns, rows = result.table()
        output.answer_table(columns, rows, right="rank seconds passes")
        output.answer("\n" + result.summary())
    if path:
        output.note(f"saved in {path}")
    if result.meta.parameters[STOPPED]:
        output.note("stopped by Ctrl-C", "warning")
        raise typer.Exit(INTERRUPTED)
