"""Run: one recorded training in a folder of its own.

    RUN/
      run.json         what was trained on what, how, and how it ended
      metrics.jsonl    one line per step and per epoch, appended while training
      samples.json     ids of the training and validation samples
      checkpoints/     last and best: weights and optimizer state as safetensors
      model/           the fine-tuned model, opened by `pellucid.load("run:RUN")`
      results/         evaluations and explanations of this model

It can be read while another process is still writing it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import ResultError
from pellucid.views import Axis, Lines, Series, View

if TYPE_CHECKING:
    from pellucid.model import Model
    from pellucid.result import Result


@dataclass(frozen=True)
class Run:
    """A recorded training; everything is read from its folder when asked for."""

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Open a run's folder. Raises ResultError where there is no run."""
        folder = Path(path).expanduser().resolve()
        if not (folder / "run.json").is_file():
            raise ResultError(
                f"{path} is not a run: it has no run.json. Expected a folder that "
                "`pellucid finetune … --out RUN` wrote; `pellucid runs` lists them."
            )
        return cls(folder)

    @property
    def record(self) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads((self.path / "run.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ResultError(f"{self.path / 'run.json'} cannot be read: {error}") from error
        return record

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def name(self) -> str:
        return str(self.record["name"])

    @property
    def status(self) -> str:
        """running, finished, failed, or stopped (a process that ended without saying so)."""
        return status_of(self.record)

    @property
    def training_ids(self) -> frozenset[str]:
        """Ids of the samples whose labels the weights were fitted to."""
        samples = json.loads((self.path / "samples.json").read_text("utf-8"))
        return frozenset(samples["train"])

    def metrics(self, kind: str = "epoch") -> list[dict[str, Any]]:
        """Read the recorded lines of one kind ("step" or "epoch"), in order."""
        return [line for line in read_lines(self.path / "metrics.jsonl") if line["kind"] == kind]

    def load_model(self, **options: Any) -> Model:
        """Open the fine-tuned model; options as for `pellucid.load`."""
        from pellucid.model.source import load

        return load(f"run:{self.path}", **options)

    def results(self) -> list[Path]:
        """Saved results on this run's model: in its folder, and elsewhere by the catalogue."""
        from pellucid.workspace.workspace import Workspace

        own = sorted((self.path / "results").glob("*.zarr"))
        catalogued = Workspace(self.record["workspace"]).results(run_id=self.id)
        elsewhere = [entry.path for entry in catalogued if not entry.missing]
        return list(dict.fromkeys([*own, *elsewhere]))

    def add(self, result: Result) -> Path:
        """Save a result into this run's folder and enter it into the catalogue."""
        from pellucid.workspace.workspace import Workspace

        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = self.path / "results" / f"{result.meta.kind}-{stamp}.zarr"
        number = 2
        while path.exists():
            path = path.with_name(f"{result.meta.kind}-{stamp}-{number}.zarr")
            number += 1
        result.save(path)
        Workspace(self.record["workspace"]).register_result(result.meta, path, run_id=self.id)
        return path

    def views(self) -> list[View]:
        """Curves of loss, accuracy and learning rate."""
        epochs = self.metrics("epoch")
        if not epochs:
            return []
        return [_losses(epochs), _accuracies(epochs), _learning_rate(self.metrics("step"))]

    def summary(self) -> str:
        """Say in plain language what was trained, for how long, and how well it went."""
        record = self.record
        config, data = record["config"], record["data"]
        parts = [
            (
                f"{record['model']['source']} was fine-tuned on {data['train']['num_samples']:,} samples "
                f"of {data['train']['source']} with the strategy '{config['strategy']}': "
                f"{record['trained_parameters']:,} of {record['parameters']:,} parameters were trained."
            )
        ]
        epochs = self.metrics("epoch")
        if epochs:
            best = epochs[record["best"]["epoch"] - 1] if record.get("best") else epochs[-1]
            parts.append(f"{len(epochs)} epochs took {_duration(record['seconds'])}.")
            if best.get("validation_accuracy") is not None:
                parts.append(
                    f"The weights kept are those of epoch {best['epoch']}, which was right on "
                    f"{best['validation_accuracy']:.1%} of {data['validation']['num_samples']:,} "
                    "samples held out from training."
                )
        if self.status != "finished":
            parts.append(
                f"The run is {self.status}{': ' + record['why'] if record['why'] else ''}."
            )
        return " ".join([*parts, *record["notes"]])

    def headline(self) -> list[tuple[str, str, str]]:
        """Key figures: (label, value, detail)."""
        record, epochs = self.record, self.metrics("epoch")
        tiles = [("Strategy", str(record["config"]["strategy"]), f"{len(epochs)} epochs")]
        tiles.append(
            (
                "Trained parameters",
                f"{record['trained_parameters']:,}",
                f"of {record['parameters']:,}",
            )
        )
        tiles.append(("Training time", _duration(record["seconds"]), ""))
        return tiles

    def __str__(self) -> str:
        return f"{self.name} ({self.path})\n{self.summary()}"

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, Any]:
        from pellucid.views.notebook import widget_bundle

        return widget_bundle(self.summary(), self.views())

    def _repr_html_(self) -> str:
        from pellucid.views.matplotlib import static_html

        return static_html(self.summary(), self.views())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; a last line that is still being written is left out."""
    if not path.is_file():
        return []
    complete, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in complete.splitlines() if line]


def status_of(record: dict[str, Any]) -> str:
    """The status that a record tells, or "stopped" where its process has ended without a word."""
    status = str(record["status"])
    is_here = record.get("host") == platform.node()
    return "stopped" if status == "running" and is_here and not _lives(record) else status


def _lives(record: dict[str, Any]) -> bool:
    try:
        os.kill(int(record["pid"]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def _column(lines: list[dict[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = [line.get(name) for line in lines]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _pair(epochs: list[dict[str, Any]], measure: str) -> tuple[Series, ...]:
    x = _column(epochs, "epoch")
    names = {"training": f"train_{measure}", "validation": f"validation_{measure}"}
    curves = {name: _column(epochs, column) for name, column in names.items()}
    return tuple(Series(name=name, x=x, y=y) for name, y in curves.items() if np.isfinite(y).any())


def _losses(epochs: list[dict[str, Any]]) -> Lines:
    return Lines(
        title="Loss",
        caption=(
            "How wrong the model was, after each pass over the training data. Both curves should "
            "fall; a validation curve that rises while training falls means memorising."
        ),
        series=_pair(epochs, "loss"),
        x=Axis(label="epoch"),
        y=Axis(label="cross-entropy", unit="nat"),
    )


def _accuracies(epochs: list[dict[str, Any]]) -> Lines:
    return Lines(
        title="Accuracy",
        caption="The share of right answers, on the training data and on samples held out from it.",
        series=_pair(epochs, "accuracy"),
        x=Axis(label="epoch"),
        y=Axis(label="right answers", unit="share"),
    )


def _learning_rate(steps: list[dict[str, Any]]) -> Lines:
    kept = steps[:: max(1, len(steps) // 500)]
    return Lines(
        title="Learning rate",
        caption="How large a change each training step was allowed to make.",
        series=(
            Series(name="learning rate", x=_column(kept, "step"), y=_column(kept, "learning_rate")),
        ),
        x=Axis(label="step"),
        y=Axis(label="learning rate"),
    )
