"""`pellucid demo`: the main job, from a pretrained model to a report, without any download."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import output
from pellucid.cli.options import INTERRUPTED, AsJson
from pellucid.errors import TrainingError

if TYPE_CHECKING:
    from pellucid.data import Data
    from pellucid.model import Model
    from pellucid.result import Result
    from pellucid.workspace.run import Run

MODEL, DIGITS, PHOTOS = "bundled:efficientnet-lite0", "bundled:digits", "bundled:photos"
TITLE = "Pellucid demo: handwritten digits and photographs"
EPOCHS, RATE = 10, 5e-3
NUM_DIGITS = 8
EXPLAINED = ("chelsea", "coffee", "rocket")
# Coarse windows and a bound on the steps, so that the whole stays within minutes on two cores.
OF_DIGITS = {"occlusion": {"window": 56, "stride": 28}}
OF_PHOTOS = {"integrated_gradients": {"max_steps": 128}} | OF_DIGITS


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of all that is made.")] = Path(
        "pellucid-demo"
    ),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again, instead of using what is finished.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do the main job on data that come with the packages, and write its report.

    Fine-tunes EfficientNet-Lite0 on handwritten digits, evaluates it, and explains some of its
    answers, and those of the pretrained model on photographs. Takes a few minutes; what is
    finished is used again.
    """
    started = time.monotonic()
    try:
        report = _make_report(out, fresh=fresh)
    except KeyboardInterrupt:
        output.note("stopped by Ctrl-C; the same command goes on from here", "warning")
        raise typer.Exit(INTERRUPTED) from None
    seconds = time.monotonic() - started
    if as_json:
        output.answer_json({"report": str(report), "seconds": round(seconds, 1)})
    else:
        output.answer(str(report))
    output.note(f"made in {seconds:.0f} s; open the report in a browser")


def _make_report(folder: Path, *, fresh: bool) -> Path:
    from pellucid.data.source import load_data
    from pellucid.model.source import load
    from pellucid.reporting.report import report

    if fresh:
        _remove(folder)
    pretrained = load(MODEL)
    run = _finetune(pretrained, folder)
    model, test = run.load_model(), load_data(DIGITS, split="test")
    _evaluate(run, model, test)
    _explain_digits(run, model, test)
    photos = _explain_photos(folder, pretrained)
    _say("5/5", "writing the report")
    return report([run.path, photos], folder / "report.html", title=TITLE)


def _finetune(model: Model, folder: Path) -> Run:
    from pellucid.training.finetune import finetune

    _say("1/5", f"fine-tuning the head of {MODEL} on {DIGITS}")
    try:
        return finetune(
            model,
            DIGITS,
            epochs=EPOCHS,
            learning_rate=RATE,
            out=folder / "run",
            resume=True,
            workspace=folder,
        )
    except TrainingError as error:
        raise TrainingError(f"{error} Or begin again with --fresh.") from error


def _evaluate(run: Run, model: Model, test: Data) -> None:
    from pellucid.analysis.evaluation import evaluate

    _say("2/5", f"evaluating it on {len(test)} digits that it has never seen")
    path = run.path / "results" / "evaluation.zarr"
    _once(path, model, run, lambda: evaluate(model, test, training_ids=run.training_ids))


def _explain_digits(run: Run, model: Model, test: Data) -> None:
    from pellucid.attribution.explain import explain

    _say("3/5", f"explaining its answers to {NUM_DIGITS} of them")
    path = run.path / "results" / "explanation.zarr"
    methods = ["grad_cam", *OF_DIGITS]
    _once(
        path,
        model,
        run,
        lambda: explain(model, test, methods=methods, limit=NUM_DIGITS, parameters=OF_DIGITS),
    )


def _explain_photos(folder: Path, model: Model) -> Path:
    from pellucid.attribution.explain import explain
    from pellucid.data.source import load_data

    _say("4/5", "explaining what the pretrained model sees in photographs")
    everything = load_data(PHOTOS)
    photos = everything.subset([everything.ids.index(name) for name in EXPLAINED])
    methods = ["grad_cam", *OF_PHOTOS]
    return _once(
        folder / "photographs.zarr",
        model,
        None,
        lambda: explain(model, photos, methods=methods, parameters=OF_PHOTOS),
    )


def _once(path: Path, model: Model, run: Run | None, make: Callable[[], Result]) -> Path:
    """Save what `make` returns at `path`, unless it was made with the same weights before."""
    from pellucid.result.store import open_result
    from pellucid.workspace.workspace import Workspace

    if path.exists() and open_result(path).meta.model == model.identity:
        return path
    result = make()
    result.save(path)
    if run:
        Workspace(run.record["workspace"]).register_result(result.meta, path, run.id)
    return path


def _remove(folder: Path) -> None:
    """Remove what an earlier demo made, and nothing else."""
    for name in ("run", "photographs.zarr"):
        if (folder / name).exists():
            shutil.rmtree(folder / name)


def _say(step: str, what: str) -> None:
    output.note(what, step)
