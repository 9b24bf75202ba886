"""`pellucid explain`: why a model answers as it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.opening import data_of, open_data, open_model, open_run
from pellucid.cli.options import (
    DATA_OPTIONS,
    AsJson,
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
from pellucid.cli.pictured import keep_pictured
from pellucid.errors import SpecError

if TYPE_CHECKING:
    from pellucid.workspace.run import Run

METHOD_OPTIONS = "Method"


def explain(
    model: ModelSpec,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="folder:DIR, table:FILE, hf:NAME, bundled:NAME, or a picture file. By default "
            "what the run was trained on.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Explain this text instead of DATA.",
            rich_help_panel=DATA_OPTIONS,
            show_default=False,
        ),
    ] = None,
    split: Split = None,
    limit: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Explain that many samples at most, of all classes.",
            rich_help_panel=DATA_OPTIONS,
        ),
    ] = 16,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Method, may be repeated; `pellucid methods` lists them. By default grad_cam for "
            "pictures, else integrated_gradients.",
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
    against: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Explain why TARGET rather than this class: predicted, or a label.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Layer of methods that look at one. By default the last with a map.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Neutral input of methods that compare: zero, black, mean, blur; pad, mask, unk "
            "for texts; or a number.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    no_faithfulness: Annotated[
        bool,
        typer.Option(
            "--no-faithfulness",
            help="Do not measure how far the maps can be trusted.",
            rich_help_panel=METHOD_OPTIONS,
        ),
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="METHOD.NAME=VALUE",
            help="Set a parameter of a method, may be repeated: occlusion.window=32.",
            rich_help_panel=METHOD_OPTIONS,
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Samples at a time.")] = 8,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for explanation.zarr and pictures/. By default the result is kept with "
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
    """Show which parts of each sample speak for a class.

    Example: pellucid explain run:RUN folder:DIR --split test --method grad_cam --out OUT
    """
    parameters = parse_settings(settings or [])
    run = open_run(model)
    samples = _open_samples(data, text, run, split, limit)
    opened = open_model(
        model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
    )
    from pellucid.attribution.explain import explain as attribute

    default = "grad_cam" if opened.input.kind == "image" else "integrated_gradients"
    result = attribute(
        opened,
        samples,
        methods=method or [default],
        target=target,
        against=against,
        limit=limit,
        batch_size=batch_size,
        layer=layer,
        baseline=_baseline(baseline),
        parameters=parameters,
        faithfulness=not no_faithfulness,
    )
    keep_pictured(result, run=run, out=out, no_save=no_save, workspace=workspace, as_json=as_json)


def _open_samples(
    data: str | None, text: str | None, run: Run | None, split: str | None, limit: int
) -> Any:
    """Data, one text, or the path of one picture."""
    from pellucid.data.pictures import PICTURE_SUFFIXES

    if text is not None:
        if data is not None or split is not None:
            raise SpecError("--text stands for the data; give neither DATA nor --split with it.")
        return text
    if data is not None and data.lower().endswith(PICTURE_SUFFIXES) and Path(data).is_file():
        return Path(data)
    return open_data(data_of(data, run), run, split=split, limit=limit)


def parse_settings(settings: list[str]) -> dict[str, dict[str, Any]]:
    """Read METHOD.NAME=VALUE; a value is JSON where it can be read so, else a text."""
    found: dict[str, dict[str, Any]] = {}
    for setting in settings:
        where, equals, value = setting.partition("=")
        method, dot, name = where.partition(".")
        if not (equals and dot and method and name):
            raise SpecError(f"--set {setting}: expected METHOD.NAME=VALUE, as occlusion.window=32.")
        found.setdefault(method, {})[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return tuple(value) if isinstance(value, list) else value


def _baseline(text: str | None) -> str | float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text
