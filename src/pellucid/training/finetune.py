"""Fine-tune a model on data, with everything recorded in a Run."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock

from pellucid.data import Data
from pellucid.data.source import load_data, splits
from pellucid.data.splits import partition
from pellucid.errors import DataError, TrainingError
from pellucid.files import recovered
from pellucid.model import Model
from pellucid.model.head import count_logits, find_head, replace_head
from pellucid.model.save import save_model
from pellucid.result.provenance import package_versions
from pellucid.training.augment import Augment
from pellucid.training.config import TrainingConfig
from pellucid.training.network import example_inputs
from pellucid.training.recorder import Recorder, hold
from pellucid.training.strategies import Phase, merge_adapters, plan
from pellucid.training.trainer import LAST, Trainer, balanced_weights
from pellucid.workspace.run import Run
from pellucid.workspace.workspace import Workspace

HELD_OUT = 0.1


def finetune(
    model: Model,
    data: Data | str,
    *,
    strategy: str = "head",
    validation: Data | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    workspace: str | Path | None = None,
    show: bool | None = None,
    **options: Any,
) -> Run:
    """Fine-tune a copy of `model` on `data`; the model itself is left as it is.

    `data` as a spec takes its train split, and its val split for validation; without one, a tenth
    of the training samples is held out, stratified by class. The weights kept are those of the
    epoch with the lowest validation loss. If the labels differ from the model's, the head is
    replaced by a new one. `options` are those of `TrainingConfig`. `out` is the run's folder, by
    default a new one in the workspace. `resume` goes on with the run in `out` from its last
    checkpoint, to the same final weights as if it had never been stopped.

    Returns the Run; `run.load_model()` opens the fine-tuned model. Raises SpecError for a bad
    option, DataError for data that cannot be trained on, and TrainingError where the loss is not
    finite, or where a run to resume was begun with other settings.
    """
    config = TrainingConfig.build({"strategy": strategy, **options})
    train, validation = _training_data(data, validation, config.seed)
    _require_trainable(model, train, config)
    _require_same_labels(train, validation)
    home = Workspace(workspace)
    path = (
        Path(out).expanduser().resolve() if out else home.new_run_path(_default_name(model, train))
    )
    trained = replace(model, module=copy.deepcopy(model.module), notes=())
    with _settings(config):
        _fit_head(trained, train, config.seed)
        phases = plan(trained, config)
        record = _describe(model, trained, train, validation, config, phases, home)
        recorder = _start(path, record, train, validation, resume=resume)
        if recorder.record["status"] == "finished":
            return recorder.run
        home.register_run(recorder.record, path)
        with recorder:
            _train(trained, train, validation, config, phases, recorder, show)
    home.register_run(recorder.record, path)
    return recorder.run


def _train(
    model: Model,
    train: Data,
    validation: Data | None,
    config: TrainingConfig,
    phases: list[Phase],
    recorder: Recorder,
    show: bool | None,
) -> None:
    weights = None
    if config.class_weights == "balanced":
        weights = balanced_weights(train.targets, len(model.labels))
    trainer = Trainer(model, train, validation, config, phases, recorder, weights, show)
    if recovered(recorder.run.path / LAST).is_dir():
        trainer.load()
    trainer.fit()
    if config.strategy == "lora":
        merge_adapters(model.module)
    save_model(model, recorder.run.path / "model")
    if train.report.problems:
        recorder.record["notes"].append(f"Training data: {train.report.summary()}.")


def _training_data(
    data: Data | str, validation: Data | None, seed: int
) -> tuple[Data, Data | None]:
    """Training and validation samples; without a validation split a tenth is held out."""
    if isinstance(data, str):
        own = splits(data)
        train = load_data(data, split="train")
        if validation is None and (not own or "val" in own):
            validation = load_data(data, split="val")
    else:
        train = data
    labelled = np.flatnonzero(train.targets >= 0)
    if len(labelled) < len(train):
        train.report.add(train.source, f"{len(train) - len(labelled)} samples without a label")
        train = train.subset(labelled)
    if validation is None and len(train) > 0:
        parts = partition(train, {"train": 1 - HELD_OUT, "val": HELD_OUT}, seed=seed)
        train, validation = parts["train"], parts["val"]
    return train, validation if validation is not None and len(validation) else None


def _require_trainable(model: Model, train: Data, config: TrainingConfig) -> None:
    present = np.unique(train.targets)
    if len(present) < 2:
        names = ", ".join(train.labels[i] for i in present) or "none"
        raise DataError(
            f"{train.source} has {len(present)} classes with samples ({names}); a classifier needs "
            "at least two. Expected one folder (or label) per class."
        )
    if train.kind != model.input.kind:
        raise DataError(
            f"{train.source} holds {train.kind} samples, but {model.source} takes "
            f"{model.input.kind} input."
        )
    if config.augment:
        Augment(config.augment)
        if train.kind != "image":
            raise DataError(f"augment changes pictures; {train.source} holds {train.kind} samples.")


def _require_same_labels(train: Data, validation: Data | None) -> None:
    if validation is not None and validation.labels != train.labels:
        raise DataError(
            f"the validation data {validation.source} has the classes "
            f"{', '.join(validation.labels)}, the training data {train.source} "
            f"{', '.join(train.labels)}. Expected the same, in the same order."
        )


def _fit_head(model: Model, train: Data, seed: int) -> None:
    """Find the head, and replace it where the data has other labels than the model.

    A model that does not say its labels keeps a head of the right size.
    """
    inputs = example_inputs(model, train)
    if not model.head:
        model.head = find_head(model, inputs)
    num_logits = count_logits(model, inputs)
    if not model.labels and num_logits == len(train.labels):
        model.labels = train.labels
    elif model.labels != train.labels:
        replace_head(model, train.labels, inputs, seed)


def _describe(
    original: Model,
    trained: Model,
    train: Data,
    validation: Data | None,
    config: TrainingConfig,
    phases: list[Phase],
    workspace: Workspace,
) -> dict[str, Any]:
    parameters = dict(trained.module.named_parameters())
    prefixes = tuple(f"{name}." if name else "" for phase in phases for name in phase.modules)
    return {
        "config": config.to_json(),
        "strategy": config.strategy,
        "model": asdict(original.identity),
        "head": trained.head,
        "labels": list(trained.labels),
        "data": {
            "train": asdict(train.identity),
            "validation": asdict(validation.identity) if validation is not None else None,
        },
        "phases": [{"name": p.name, "modules": p.modules, "epochs": p.epochs} for p in phases],
        "parameters": sum(p.numel() for p in parameters.values()),
        "trained_parameters": sum(
            p.numel() for name, p in parameters.items() if name.startswith(prefixes)
        ),
        "versions": package_versions(),
        "workspace": str(workspace.path),
    }


def _start(
    path: Path, record: dict[str, Any], train: Data, validation: Data | None, *, resume: bool
) -> Recorder:
    """Begin a new run, or go on with the one at `path` if it has the same settings."""
    if not (path / "run.json").is_file():
        held_out = list(validation.ids) if validation is not None else []
        samples = {"train": list(train.ids), "validation": held_out}
        return Recorder.create(path, record, samples)
    run = Run(path)
    if not resume:
        raise TrainingError(
            f"{path} holds a run already ({run.status}). Choose another folder, or go on with it "
            "by resume=True (--resume)."
        )
    lock = hold(path)
    try:
        return _go_on(run, record, lock)
    except BaseException:
        lock.release()
        raise


def _go_on(run: Run, record: dict[str, Any], lock: FileLock) -> Recorder:
    old = run.record
    for part in ("config", "model", "data", "labels"):
        if old[part] != record[part]:
            raise TrainingError(
                f"{run.path} was begun with another {part} "
                f"({_difference(old[part], record[part])}); resume with the same one, or start a "
                "new run."
            )
    if old["status"] == "finished":
        lock.release()
        return Recorder(run, old, lock)
    if not recovered(run.path / LAST).is_dir():
        return Recorder.resume(run, lock, last_step=0, last_epoch=0)
    from pellucid.training.checkpoint import load_checkpoint

    _, state, _ = load_checkpoint(run.path / LAST)
    return Recorder.resume(run, lock, last_step=state.step, last_epoch=state.epoch)


def _difference(old: Any, new: Any) -> str:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return f"{old!r} then, {new!r} now"
    changed = [key for key in new if old.get(key) != new[key]]
    return ", ".join(f"{key}: {old.get(key)!r} then, {new[key]!r} now" for key in changed)


def _default_name(model: Model, train: Data) -> str:
    name = model.source.rpartition(":")[2].rpartition("/")[2]
    data = train.source.rstrip("/").rpartition(":")[2].rpartition("/")[2]
    return f"{name}-{data}-{time.strftime('%Y%m%d-%H%M%S')}"


@contextmanager
def _settings(config: TrainingConfig) -> Iterator[None]:
    """Seeded and, if asked for, deterministic inside the block; the user's own state afterwards."""
    was = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        torch.use_deterministic_algorithms(config.deterministic or was, warn_only=warn_only)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was, warn_only=warn_only)
