"""The training loop: phases, steps, validation, checkpoints; exact to resume at any step.

Every random number depends on the seed and the step alone, and the learning rate is a function of
the step, so a resumed training takes the same steps as an uninterrupted one.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.data import Data, in_order
from pellucid.model import Model
from pellucid.progress import Advance, progress
from pellucid.training.checkpoint import (
    TrainingState,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from pellucid.training.config import TrainingConfig
from pellucid.training.feeds import Feed, Step
from pellucid.training.network import (
    PhaseNetwork,
    build,
    freeze_all_but,
    parameter_groups,
    trained_state,
)
from pellucid.training.nonfinite import explain_non_finite
from pellucid.training.optimization import learning_rate, make_accelerator, make_optimizer
from pellucid.training.recorder import Recorder
from pellucid.training.seeds import derive, shuffled
from pellucid.training.strategies import Phase

LAST, BEST = "checkpoints/last", "checkpoints/best"


@dataclass
class Trainer:
    """Trains a model's phases on data, recording everything; `fit` starts or goes on."""

    model: Model
    train: Data
    validation: Data | None
    config: TrainingConfig
    phases: list[Phase]
    recorder: Recorder
    class_weights: Tensor | None = None
    show: bool | None = None

    def __post_init__(self) -> None:
        self.folder: Path = self.recorder.run.path
        self.state = TrainingState()
        self.accelerator = make_accelerator(self.config.precision, self.model.device)
        self._saved = time.monotonic()
        self._pending: dict[str, Any] | None = None

    def load(self) -> None:
        """Take weights, optimizer and place from the last checkpoint."""
        weights, self.state, self._pending = load_checkpoint(self.folder / LAST)
        restore(self.model.module.state_dict(), weights)

    def fit(self) -> None:
        """Train all phases, or those that remain, and leave the best weights in the model."""
        for number in range(self.state.phase, len(self.phases)):
            if number > self.state.phase:
                self.state = replace(
                    self.state, phase=number, phase_epoch=0, step_in_epoch=0, epochs_without_gain=0
                )
            if self._is_over(self.phases[number]):
                self._pending = None
            else:
                self._fit_phase(self.phases[number])
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
        if self.validation is not None and self.state.best_epoch:
            weights, _, _ = load_checkpoint(self.folder / BEST)
            restore(self.model.module.state_dict(), weights)
        self.model.module.eval().requires_grad_(requires_grad=True)

    def _fit_phase(self, phase: Phase) -> None:
        parameters = freeze_all_but(self.model, phase.modules)
        cache = self.folder / "cache"
        started = time.monotonic()
        network = build(
            self.model, phase, self.config, self.train, self.validation, cache, self.show
        )
        self.state.seconds += time.monotonic() - started
        self._note(network.note)
        optimizer = make_optimizer(self.config, parameter_groups(phase, parameters))
        if self._pending is not None:
            optimizer.load_state_dict(self._pending)
            self._pending = None
        wrapped, optimizer = self.accelerator.prepare(network.training, optimizer)
        order = self._order(network.train)
        total = phase.epochs * len(order)
        with progress(f"training {phase.name}", total, show=self.show) as step:
            step(self.state.phase_epoch * len(order) + self.state.step_in_epoch)
            while not self._is_over(phase):
                self._epoch(network, wrapped, optimizer, total, step)
                self._finish_epoch(phase, network, optimizer)

    def _order(self, feed: Feed) -> list[list[int]]:
        """Batches of this epoch: shuffled positions of the samples that can be read."""
        positions = feed.positions
        batches = shuffled(
            len(positions), self.config.batch_size, self.config.seed, self.state.epoch
        )
        return [positions[batch].tolist() for batch in batches]

    def _epoch(
        self,
        network: PhaseNetwork,
        wrapped: nn.Module,
        optimizer: torch.optim.Optimizer,
        total: int,
        advance: Advance,
    ) -> None:
        order = self._order(network.train)
        started = time.monotonic()
        if self.state.step_in_epoch == 0:
            self.state.totals = {"loss": 0.0, "correct": 0.0, "count": 0.0}
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        remaining = [batch[rank::world] for batch in order[self.state.step_in_epoch :]]
        for batch in network.train.batches(remaining, self.state.epoch):
            place = self.state.phase_epoch * len(order) + self.state.step_in_epoch
            rate = learning_rate(self.config, place, total)
            loss = self._step(wrapped, optimizer, batch, rate)
            self.state.step += 1
            self.state.step_in_epoch += 1
            self.state.seconds += time.monotonic() - started
            started = time.monotonic()
            advance(1, note=f"loss {loss:.3f}")
            if time.monotonic() - self._saved > self.config.checkpoint_seconds:
                self._checkpoint(optimizer)

    def _step(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        batch: Step,
        rate: float,
    ) -> float:
        """Take one optimizer step; returns the loss. Raises NonFiniteLoss before any damage."""
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        device = self.accelerator.device
        tensors = tuple(tensor.to(device) for tensor in batch.tensors)
        targets = batch.targets.to(device)
        torch.manual_seed(derive(self.config.seed, 1, self.state.step))
        with self.accelerator.autocast():
            logits = network(*tensors)
            loss = self._loss(logits.float(), targets)
        optimizer.zero_grad()
        self._require_finite("the loss", loss, network, tensors, batch, rate)
        self.accelerator.backward(loss)
        trained = [p for group in optimizer.param_groups for p in group["params"]]
        limit = self.config.gradient_clip or float("inf")
        norm = self.accelerator.clip_grad_norm_(trained, limit)
        if not self.accelerator.scaler:
            self._require_finite("the gradient", norm, network, tensors, batch, rate)
        optimizer.step()
        value = loss.item()
        self.state.totals["loss"] += value * len(targets)
        self.state.totals["correct"] += float((logits.argmax(-1) == targets).sum())
        self.state.totals["count"] += len(targets)
        self.recorder.log(
            "step",
            step=self.state.step + 1,
            epoch=self.state.epoch + 1,
            loss=value,
            learning_rate=rate,
            gradient_norm=float(norm),
        )
        return value

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        weights = None if self.class_weights is None else self.class_weights.to(logits.device)
        return F.cross_entropy(
            logits, targets, weight=weights, label_smoothing=self.config.label_smoothing
        )

    def _require_finite(
        self,
        what: str,
        value: Tensor,
        network: nn.Module,
        tensors: Sequence[Tensor],
        batch: Step,
        rate: float,
    ) -> None:
        if torch.isfinite(value):
            return
        raise explain_non_finite(
            network,
            tensors,
            what=what,
            step=self.state.step + 1,
            samples=[self.train.ids[i] for i in batch.positions.tolist()],
            rate=rate,
            precision=self.accelerator.mixed_precision,
        )

    def _finish_epoch(
        self, phase: Phase, network: PhaseNetwork, optimizer: torch.optim.Optimizer
    ) -> None:
        state, totals = self.state, self.state.totals
        state.epoch += 1
        state.phase_epoch += 1
        state.step_in_epoch = 0
        started = time.monotonic()
        loss, accuracy = self._validate(network)
        state.seconds += time.monotonic() - started
        self.recorder.log(
            "epoch",
            epoch=state.epoch,
            step=state.step,
            phase=phase.name,
            train_loss=totals["loss"] / totals["count"],
            train_accuracy=totals["correct"] / totals["count"],
            validation_loss=loss,
            validation_accuracy=accuracy,
            seconds=state.seconds,
        )
        state.epochs_without_gain += 1
        if loss is not None and (state.best_loss is None or loss < state.best_loss):
            state.best_loss, state.best_epoch, state.epochs_without_gain = loss, state.epoch, 0
            state.best_accuracy = accuracy
            save_checkpoint(self.folder / BEST, self._weights(), state)
        self._checkpoint(optimizer)
        best = {
            "epoch": state.best_epoch,
            "validation_loss": state.best_loss,
            "validation_accuracy": state.best_accuracy,
        }
        self.recorder.update(
            seconds=state.seconds, epochs=state.epoch, best=best if state.best_epoch else None
        )

    def _is_over(self, phase: Phase) -> bool:
        patience = self.config.patience
        gives_up = bool(patience) and self.state.epochs_without_gain >= patience
        return self.state.phase_epoch >= phase.epochs or gives_up

    @torch.no_grad()
    def _validate(self, network: PhaseNetwork) -> tuple[float | None, float | None]:
        """Mean cross-entropy and accuracy on the held-out samples; None without any."""
        if network.validation is None:
            return None, None
        feed = network.validation
        batches = in_order(len(feed.positions), self.config.batch_size)
        order = [feed.positions[batch].tolist() for batch in batches]
        loss = correct = count = 0.0
        modes = [(module, module.training) for module in network.resting.modules()]
        try:
            if network.resting is network.training:
                network.resting.eval()
            for batch in feed.batches(order, 0):
                tensors = tuple(tensor.to(self.accelerator.device) for tensor in batch.tensors)
                with self.accelerator.autocast():
                    logits = network.resting(*tensors).float().cpu()
                loss += float(F.cross_entropy(logits, batch.targets, reduction="sum"))
                correct += float((logits.argmax(-1) == batch.targets).sum())
                count += len(batch.targets)
        finally:
            for module, mode in modes:
                module.training = mode
        return loss / count, correct / count

    def _weights(self) -> dict[str, Tensor]:
        """What has been trained so far, in this phase and those before it."""
        names = [name for p in self.phases[: self.state.phase + 1] for name in p.modules]
        return trained_state(self.model, tuple(names))

    def _checkpoint(self, optimizer: torch.optim.Optimizer) -> None:
        self.recorder.flush()
        if self.accelerator.is_main_process:
            inner = getattr(optimizer, "optimizer", optimizer)
            save_checkpoint(self.folder / LAST, self._weights(), self.state, inner.state_dict())
        self._saved = time.monotonic()

    def _note(self, note: str) -> None:
        notes = self.recorder.record["notes"]
        if note and note not in notes:
            self.recorder.update(notes=[*notes, note])


def balanced_weights(targets: np.ndarray[Any, np.dtype[np.int64]], num_classes: int) -> Tensor:
    """Weights (classes,) that give every class the same say: n / (classes · count)."""
    counts = np.bincount(targets[targets >= 0], minlength=num_classes)
    weights = counts.sum() / (num_classes * np.maximum(counts, 1))
    return torch.from_numpy(weights).float()
