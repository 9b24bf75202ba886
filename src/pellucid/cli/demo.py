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
    from pellucid.model import Model
    from pellucid.result import Result
    from pellucid.workspace.run import Run

MODEL, DIGITS, PHOTOS = "bundled:efficientnet-lite0", "bundled:digits", "bundled:photos"
TITLE = "Pellucid demo: handwritten digits and photographs"
EPOCHS = 10
NUM_DIGITS = 8
# Fixed numbers of passes, so that the whole stays within minutes on two cores.
OF_DIGITS = {"integrated_gradients": {"steps": 32, "max_steps": 32}}
OF_PHOTOS = OF_DIGITS | {"occlusion": {"window": 56, "stride": 28}}


def demo(
    out: Annotated[Path, typer.Option(help="Folder of all that is made.")] = Path("pellucid-demo"),
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
    from pellucid.report.report import report

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
