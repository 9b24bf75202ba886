"""`pellucid visualize-feature`: pictures that excite units and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.opening import open_data, open_model, open_run
from pellucid.cli.options import (
    DATA_OPTIONS,
    AsJson,
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
from pellucid.cli.pictured import keep_pictured
from pellucid.errors import SpecError

PICTURE_OPTIONS = "Pictures"


def visualize_feature(
    model: ModelSpec,
    objectives: Annotated[
        list[str],
        typer.Argument(
            metavar="OBJECTIVE",
            help="class:LABEL, class:LABEL-LABEL (a difference), LAYER:UNIT (a channel), "
            "LAYER:UNIT@ROW,COLUMN (a neuron) or LAYER (all of it); may be repeated.",
            show_default=False,
        ),
    ],
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Steps of gradient ascent.",
            rich_help_panel=PICTURE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    images: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Pictures for each objective, kept different.",
            rich_help_panel=PICTURE_OPTIONS,
        ),
    ] = 1,
    size: Annotated[
        int | None,
        typer.Option(
            min=8,
            metavar="PIXELS",
            help="Side of the pictures. By default that of the model's input.",
            rich_help_panel=PICTURE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    parameterization: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What is changed: fourier, pixels or maco.",
            rich_help_panel=PICTURE_OPTIONS,
        ),
    ] = "fourier",
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Begin from this photograph, as in a deep dream, instead of noise.",
            rich_help_panel=PICTURE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Compare with what these samples excite: folder:DIR, hf:NAME or bundled:NAME.",
            rich_help_panel=DATA_OPTIONS,
            show_default=False,
        ),
    ] = None,
    split: Split = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Look at that many samples at most.",
            rich_help_panel=DATA_OPTIONS,
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for feature_image.zarr and pictures/. By default the result is kept with "
            "the run, or in the workspace, and no pictures are written.",
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
    """Make pictures that excite classes and units of a model most.

    Example: pellucid visualize-feature bundled:efficientnet-lite0 class:tabby --out DIR
    """
    if data is None and (split is not None or limit is not None):
        raise SpecError("--split and --limit choose among samples, and no --data was given.")
    run = open_run(model)
    opened = open_model(
        model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
    )
    samples = None if data is None else open_data(data, run, split=split, limit=limit)
    from pellucid.inside.features import visualize_feature as visualize
    from pellucid.inside.features.visualize import STEPS

    result = visualize(
        opened,
        objectives,
        steps=steps or STEPS,
        images=images,
        size=size,
        parameterization=parameterization,
        start=start,
        data=samples,
        seed=seed,
    )
    keep_pictured(result, run=run, out=out, no_save=no_save, workspace=workspace, as_json=as_json)
