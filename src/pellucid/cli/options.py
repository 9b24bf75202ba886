"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BAD_INPUT, INTERRUPTED = 2, 130
MODEL_OPTIONS = "Model"
DATA_OPTIONS = "Data"

ModelSpec = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="timm:NAME, torchvision:NAME, hf:NAME, bundled:NAME, python:FILE:FUNCTION or run:DIR.",
        show_default=False,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Read the weights from this file.",
        rich_help_panel=MODEL_OPTIONS,
        show_default=False,
    ),
]
NoWeights = Annotated[
    bool,
    typer.Option(
        "--no-weights", help="Keep random weights; load none.", rich_help_panel=MODEL_OPTIONS
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Names of the classes in the order of the outputs: a,b,c or a file, one per line.",
        rich_help_panel=MODEL_OPTIONS,
        show_default=False,
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Allow running the code that comes with the model.",
        rich_help_panel=MODEL_OPTIONS,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, cpu, cuda, cuda:1 or mps.",
        rich_help_panel=MODEL_OPTIONS,
    ),
]
DataSpec = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="folder:DIR, table:FILE, hf:NAME or bundled:NAME. By default what the run was "
        "trained on.",
        show_default=False,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Part of the data: train, val, test or another of its own. By default test, else "
        "val, of data that has parts or that the run was trained on; else everything.",
        rich_help_panel=DATA_OPTIONS,
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Seed of all random draws.")]
NoSave = Annotated[
    bool, typer.Option("--no-save", help="Only print; keep no result in run or workspace.")
]
WorkspaceFolder = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Folder of runs, results and their catalogue. By default $PELLUCID_WORKSPACE, else "
        "./pellucid-workspace.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
