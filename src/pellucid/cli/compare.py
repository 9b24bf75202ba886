"""`pellucid compare`: what is different between two models on the same samples."""

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
    MODEL_OPTIONS,
    AsJson,
    Device,
    NoSave,
    Seed,
    Split,
    Trust,
    WorkspaceFolder,
)

METHOD_OPTIONS = "Method"


def compare(
    model_a: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_A",
            help="The model from before, or one of two: timm:NAME, torchvision:NAME, hf:NAME, "
            "bundled:NAME, python:FILE:FUNCTION or run:DIR.",
            show_default=False,
        ),
    ],
    model_b: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_B", help="The model from after, or the other.", show_default=False
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="folder:DIR, table:FILE, hf:NAME or bundled:NAME. By default what the run that is "
            "MODEL_B, else MODEL_A, was trained on.",
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
            help="Compare on that many samples only, of all classes.",
            rich_help_panel=DATA_OPTIONS,
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Method of explanation, may be repeated; `pellucid methods` lists them. By "
            "default grad_cam for pictures, else integrated_gradients.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    num_explained: Annotated[
        int,
        typer.Option(
            "--explain",
            min=0,
            metavar="N",
            help="Explain that many samples for both models: flips first, then the largest "
            "changes.",
            rich_help_panel=METHOD_OPTIONS,
        ),
    ] = 8,
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Layer of methods that look at one. By default the last with a map.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Samples at a time.")] = 32,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Save the result here (.zarr). By default with the run that is MODEL_B, or in "
            "the workspace.",
            show_default=False,
        ),
    ] = None,
    no_save: NoSave = False,
    weights_a: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read the weights of MODEL_A from this file.",
            rich_help_panel=MODEL_OPTIONS,
            show_default=False,
        ),
    ] = None,
    weights_b: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read the weights of MODEL_B from this file.",
            rich_help_panel=MODEL_OPTIONS,
            show_default=False,
        ),
    ] = None,
    trust: Trust = False,
    device: Device = "auto",
    workspace: WorkspaceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell where two models differ on the same samples: answers, mistakes, and reasons.

    Example: pellucid compare timm:resnet18 run:RUN --data folder:DIR --split test
    """
    runs = open_run(model_a), open_run(model_b)
    owner = runs[1] or runs[0]
    spec = data_of(data, owner)
    samples = open_data(spec, owner, split=split, limit=limit)
    opened = [
        open_model(
            model, weights=weights, no_weights=False, labels=None, trust=trust, device=device
        )
        for model, weights in ((model_a, weights_a), (model_b, weights_b))
    ]
    from pellucid.analysis.comparison import compare as measure

    result = measure(
        opened[0],
        opened[1],
        samples,
        methods=method,
        num_explained=num_explained,
        layer=layer,
        batch_size=batch_size,
        seed=seed,
        training_ids=seen_in_training(spec, runs[0]) | seen_in_training(spec, runs[1]),
    )
    path = None if no_save else keep(result, run=runs[1], out=out, workspace=workspace)
    if as_json:
        output.answer_json(result.to_json() | ({"path": str(path)} if path else {}))
    else:
        output.answer_figures(result.headline())
        output.answer(result.summary())
    if path:
        output.note(f"saved in {path}")
