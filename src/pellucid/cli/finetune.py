"""`pellucid finetune`: fit a model to data, with everything recorded."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import output
from pellucid.cli.opening import open_model
from pellucid.cli.options import (
    INTERRUPTED,
    AsJson,
    Device,
    Labels,
    ModelSpec,
    NoWeights,
    Trust,
    Weights,
    WorkspaceFolder,
)
from pellucid.training.config import CHOICES, LEARNING_RATES, LEAST, TrainingConfig

if TYPE_CHECKING:
    from pellucid.data import Data
    from pellucid.workspace.run import Run

RATES = ", ".join(f"{rate:g} for {name}" for name, rate in LEARNING_RATES.items())


METAVARS = {int: "N", float: "X", str: "NAME"}


def setting(name: str, about: str, panel: str, metavar: str = "") -> Any:
    """Declare the option of one field of TrainingConfig: its bound, its choices, its help."""
    choices = f" {', '.join(CHOICES[name])}." if name in CHOICES else ""
    return typer.Option(
        metavar=metavar or METAVARS[type(getattr(TrainingConfig, name))],
        min=LEAST.get(name),
        help=about + choices,
        rich_help_panel=panel,
    )


TRAINING, STRATEGY, PICTURES, MACHINE = "Training", "Strategy", "Pictures", "Machine"


def finetune(
    model: ModelSpec,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="folder:DIR, table:FILE, hf:NAME or bundled:NAME. Trains on its part train, and "
            "validates on val; without parts, 80 % and 10 % of each class are drawn.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the run. By default a new one in the workspace.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out that was stopped.")
    ] = False,
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Other data to validate on, with its part val.", show_default=False
        ),
    ] = None,
    strategy: Annotated[str, setting("strategy", "What is trained:", STRATEGY)] = (
        TrainingConfig.strategy
    ),
    last_blocks: Annotated[
        int, setting("last_blocks", "With partial: so many blocks before the head.", STRATEGY)
    ] = TrainingConfig.last_blocks,
    pattern: Annotated[
        str,
        setting(
            "pattern", "With partial: parameters whose names match this regex.", STRATEGY, "REGEX"
        ),
    ] = TrainingConfig.pattern,
    lora_rank: Annotated[
        int, setting("lora_rank", "With lora: rank of the adapters.", STRATEGY)
    ] = (TrainingConfig.lora_rank),
    epochs: Annotated[int, setting("epochs", "Passes over the training data.", TRAINING)] = (
        TrainingConfig.epochs
    ),
    batch_size: Annotated[int, setting("batch_size", "Samples per step.", TRAINING)] = (
        TrainingConfig.batch_size
    ),
    optimizer: Annotated[str, setting("optimizer", "How steps are made:", TRAINING)] = (
        TrainingConfig.optimizer
    ),
    learning_rate: Annotated[
        float,
        setting("learning_rate", f"Peak learning rate; 0 is the strategy's: {RATES}.", TRAINING),
    ] = TrainingConfig.learning_rate,
    weight_decay: Annotated[
        float, setting("weight_decay", "Pull of the weights towards zero.", TRAINING)
    ] = TrainingConfig.weight_decay,
    schedule: Annotated[str, setting("schedule", "How the rate falls:", TRAINING)] = (
        TrainingConfig.schedule
    ),
    warmup: Annotated[float, setting("warmup", "Share of steps with a rising rate.", TRAINING)] = (
        TrainingConfig.warmup
    ),
    patience: Annotated[
        int,
        setting("patience", "Stop after so many epochs without gain; 0 never does.", TRAINING),
    ] = TrainingConfig.patience,
    class_weights: Annotated[
        str, setting("class_weights", "How classes count in the loss:", TRAINING)
    ] = TrainingConfig.class_weights,
    label_smoothing: Annotated[
        float, setting("label_smoothing", "Share of each label spread over all.", TRAINING)
    ] = TrainingConfig.label_smoothing,
    gradient_clip: Annotated[
        float, setting("gradient_clip", "Bound of the gradient's norm; 0 is none.", TRAINING)
    ] = TrainingConfig.gradient_clip,
    seed: Annotated[int, setting("seed", "Seed of all that is drawn.", TRAINING)] = (
        TrainingConfig.seed
    ),
    augment: Annotated[
        str,
        setting("augment", "Change pictures at random: any of flip,crop,colour.", PICTURES, "LIST"),
    ] = ",".join(TrainingConfig.augment),
    num_views: Annotated[
        int, setting("num_views", "Changed versions of each picture that are kept.", PICTURES)
    ] = TrainingConfig.num_views,
    precision: Annotated[str, setting("precision", "Of the numbers:", MACHINE)] = (
        TrainingConfig.precision
    ),
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Same bits each time.", rich_help_panel=MACHINE),
    ] = TrainingConfig.deterministic,
    num_workers: Annotated[
        int, setting("num_workers", "Processes that read the data.", MACHINE)
    ] = TrainingConfig.num_workers,
    cache_bytes: Annotated[
        int, setting("cache_bytes", "Memory for what frozen layers give; 0 is none.", MACHINE)
    ] = TrainingConfig.cache_bytes,
    checkpoint_seconds: Annotated[
        float, setting("checkpoint_seconds", "Time between checkpoints.", MACHINE)
    ] = TrainingConfig.checkpoint_seconds,
    weights: Weights = None,
    no_weights: NoWeights = False,
    labels: Labels = None,
    trust: Trust = False,
    device: Device = "auto",
    workspace: WorkspaceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Fit a model to data, record everything in a run, and keep the best weights.

    Example: pellucid finetune bundled:efficientnet-lite0 folder:DIR --strategy head --out RUN
    """
    given = locals()
    options = {entry.name: given[entry.name] for entry in fields(TrainingConfig)}
    TrainingConfig.build(options)
    opened = open_model(
        model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
    )
    from pellucid.training.finetune import finetune as train

    try:
        run = train(
            opened,
            data,
            validation=_open_validation(validation),
            out=out,
            resume=resume,
            workspace=workspace,
            **options,
        )
    except KeyboardInterrupt:
        _say_how_to_resume(out, workspace)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        output.answer_json(run.record | {"status": run.status, "path": str(run.path)})
    else:
        output.answer_figures(run.headline())
        output.answer(run.summary())
    output.note(f"the run is in {run.path}")
    command = ["pellucid", "evaluate", f"run:{out or run.path}", *(["--trust"] if trust else [])]
    output.note(f"next: {shlex.join(command)}")


def _open_validation(spec: str | None) -> Data | None:
    if spec is None:
        return None
    from pellucid.data.source import load_data, splits

    return load_data(spec, split="val" if "val" in splits(spec) else None)


def _say_how_to_resume(out: Path | None, workspace: Path | None) -> None:
    """Name the run that Ctrl-C stopped, if it had begun, and the command that goes on with it."""
    run = _own_run(out, workspace)
    if run is None:
        output.note("stopped by Ctrl-C before the training began", "warning")
        return
    command = [argument for argument in sys.argv[1:] if argument != "--resume"]
    where = [] if out else ["--out", str(run.path)]
    again = shlex.join(["pellucid", *command, *where, "--resume"])
    output.note("stopped by Ctrl-C; nothing is lost up to the last checkpoint", "warning")
    output.note(f"go on with: {again}")


def _own_run(out: Path | None, workspace: Path | None) -> Run | None:
    from pellucid.workspace.run import Run
    from pellucid.workspace.workspace import Workspace

    entries = Workspace(workspace).runs()
    paths = [out] if out else [entry.path for entry in entries if not entry.missing]
    begun = [Run(path) for path in paths if (path / "run.json").is_file()]
    return next((run for run in begun if run.record.get("pid") == os.getpid()), None)
