"""`pellucid inspect`: what is inside a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import output
from pellucid.cli.explain import parse_settings
from pellucid.cli.opening import data_of, enter, keep, open_data, open_model, open_run
from pellucid.cli.options import (
    DATA_OPTIONS,
    INTERRUPTED,
    AsJson,
    Device,
    Labels,
    ModelSpec,
    NoWeights,
    Seed,
    Split,
    Trust,
    Weights,
    WorkspaceFolder,
)
from pellucid.errors import SpecError

if TYPE_CHECKING:
    from pellucid.data import Data
    from pellucid.model import Model
    from pellucid.result import Result
    from pellucid.result.inspection import Inspection
    from pellucid.workspace.run import Run

INSIDE_OPTIONS = "Inspection"


def inspect(
    model: ModelSpec,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="folder:DIR, table:FILE, hf:NAME or bundled:NAME: samples to see activations, "
            "gradients and sensitivity on. By default what the run was trained on.",
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
            help="Look at that many samples at most, of all classes.",
            rich_help_panel=DATA_OPTIONS,
        ),
    ] = 64,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Part, may be repeated: structure, weights, activations, gradients, sensitivity, "
            "features, units. By default all that are defined for the model.",
            rich_help_panel=INSIDE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Layer, may be repeated: a name, a shorthand as layer4[-1], a glob as "
            "'blocks.*.norm1', or a kind as Conv2d.",
            rich_help_panel=INSIDE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Compare structure and weights with this model, the one from before.",
            rich_help_panel=INSIDE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    export: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Also write the structure to a file, may be repeated: .svg, .pdf, .mmd, .dot, "
            ".json or .model_explorer.json.",
            rich_help_panel=INSIDE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PART.NAME=VALUE",
            help="Set an option of a part, may be repeated: activations.top=4.",
            rich_help_panel=INSIDE_OPTIONS,
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for the results and report.html; the same command goes on from what is "
            "done there. By default the results are kept with the run, or in the workspace.",
            show_default=False,
        ),
    ] = None,
    weights: Weights = None,
    no_weights: NoWeights = False,
    labels: Labels = None,
    trust: Trust = False,
    device: Device = "auto",
    workspace: WorkspaceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Look inside a model: structure, weights, activations, gradients, sensitivity, features.

    MODEL may be an ONNX file, of which the structure is shown.

    Example: pellucid inspect bundled:efficientnet-lite0 --data bundled:photos --out DIR
    """
    from pellucid.inside.inspecting import inspect as look

    run = None
    if model.lower().endswith(".onnx"):
        found = _of_onnx(Path(model), data or against or part)
    else:
        run = open_run(model)
        opened = open_model(
            model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
        )
        try:
            found = look(
                opened,
                _samples(data, run, split),
                parts=part,
                layers=layer,
                limit=limit,
                seed=seed,
                settings=parse_settings(settings or []),
                out=out,
            )
        except KeyboardInterrupt:
            again = f"; the same command goes on from what is in {out}" if out else ""
            output.note(f"stopped by Ctrl-C{again}", "warning")
            raise typer.Exit(INTERRUPTED) from None
        if against:
            other = open_model(
                against, weights=None, no_weights=False, labels=None, trust=trust, device=device
            )
            found = _compared(found, other, opened)
    _export(found, export or [])
    paths = _kept(found, run, out, workspace)
    _answer(found, paths, as_json=as_json)


def _samples(data: str | None, run: Run | None, split: str | None) -> Data | None:
    if data is None and run is None:
        if split is not None:
            raise SpecError("--split names a part of the data, and no --data was given.")
        return None
    return open_data(data_of(data, run), run, split=split)


def _of_onnx(path: Path, excluded: object) -> Inspection:
    """The structure of a file that cannot be run here."""
    from pellucid.inside.structure import structure_of_onnx
    from pellucid.result.inspection import Inspection

    if excluded:
        raise SpecError(
            f"{path}: of an ONNX file only the structure is shown; leave out --data, --against "
            "and --part."
        )
    structure = structure_of_onnx(path)
    return Inspection(parts={"structure": structure}, meta=structure.meta)


def _compared(found: Inspection, before: Model, after: Model) -> Inspection:
    """Add what is different from `before`, in structure and weights."""
    from pellucid.inside.structure import compare_structures, inspect_structure
    from pellucid.inside.weights import compare_weights

    structures = [inspect_structure(model, time=False) for model in (before, after)]
    differences: dict[str, Result] = {
        "structure_difference": compare_structures(*structures),
        "weights_difference": compare_weights(before, after),
    }
    return replace(found, parts={**found.parts, **differences})


def _export(found: Inspection, files: list[Path]) -> None:
    if not files:
        return
    from pellucid.inside.structure import Structure

    structure = found["structure"]
    assert isinstance(structure, Structure)
    for file in files:
        structure.export(file)
        output.note(f"the structure is in {file}")


def _kept(
    found: Inspection, run: Run | None, out: Path | None, workspace: Path | None
) -> dict[str, str]:
    """Where each part lies; with `out`, a report beside them."""
    from pellucid.inside.inspecting import PARTS
    from pellucid.reporting.report import report

    paths = {}
    for name, result in found.parts.items():
        place = out / f"{name}.zarr" if out else None
        if place and place.exists() and name in PARTS:
            paths[name] = enter(result, place, run=run, workspace=workspace)
        else:
            paths[name] = keep(result, run=run, out=place, workspace=workspace)
    if out:
        paths["report"] = report(found, out / "report.html")
    return {name: str(path) for name, path in paths.items()}


def _answer(found: Inspection, paths: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        output.answer_json(found.to_json() | {"paths": paths})
        return
    for name, result in found.parts.items():
        output.answer(f"{name}\n")
        _answer_part(result)
    for name, why in found.left_out.items():
        output.note(f"no {name}: {why}")
    for name, path in paths.items():
        output.note(f"{name} in {path}")


def _answer_part(result: Result) -> None:
    table = getattr(result, "table", None)
    if callable(table):
        columns, rows = table()
        output.answer_table(columns, rows)
    output.answer(f"\n{result.summary()}\n")
