"""Gradient ascent on all pictures at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ModelError
from pellucid.inside.features.aims import Aim, by_channel
from pellucid.inside.features.randomness import normal
from pellucid.inside.features.settings import Settings
from pellucid.inside.features.transforms import draw, view
from pellucid.inside.features.watching import Run
from pellucid.progress import Advance

SMOOTHING = 0.9  # of the score, by which the best picture is told
TINY = 1e-12


class Parameterization(Protocol):
    """Pictures as functions of leaves that are sought."""

    values: Tensor
    size: tuple[int, int]
    learning_rate: float

    def pictures(self) -> Float[Tensor, "n c h w"]: ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is sought: `images` pictures for each aim, the pictures of one aim beside each other.

    `diverse` names the layer by which the pictures of each aim are kept different. `streams` draw
    the views, one stream per picture; `size` is (height, width) of a view.
    """

    run: Run
    aims: Sequence[Aim]
    diverse: Sequence[str]
    images: int
    mean: Tensor
    std: Tensor
    size: tuple[int, int]
    streams: Sequence[torch.Generator]
    settings: Settings


@dataclass(kw_only=True)
class Trail:
    """What came of it: the best pictures (n, c, h, w), a row of scores (n,) per step, where the
    model looked (n, h, w), and whether it was stopped by Ctrl-C.
    """

    pictures: Tensor
    looked: Tensor
    scores: list[Tensor] = field(default_factory=list)
    stopped: bool = False
    smooth: Tensor | None = None
    best: Tensor | None = None

    def note(self, pictures: Tensor, scores: Tensor, gradient: Tensor) -> None:
        """Take a step down in the log; keep the pictures whose smoothed score is the best so far."""
        if not bool(scores.isfinite().all()):
            raise ModelError(
                f"the score became {scores[~scores.isfinite()][0].item()} after "
                f"{len(self.scores)} steps; the model overflows on some picture. Use a smaller "
                "learning_rate in Settings, or a model in float32."
            )
        self.scores.append(scores.cpu())
        self.looked += gradient.abs().mean(1)
        if self.smooth is None or self.best is None:
            self.smooth, self.best = scores.clone(), scores.clone()
            self.pictures.copy_(pictures)
            return
        self.smooth = SMOOTHING * self.smooth + (1 - SMOOTHING) * scores
        better = self.smooth >= self.best
        self.best = torch.where(better, self.smooth, self.best)
        self.pictures[better] = pictures[better]


def optimize(sought: Parameterization, task: Task, steps: int, advance: Advance) -> Trail:
    """Climb for `steps` steps. Ctrl-C ends it early, with what was reached by then."""
    first = sought.pictures().detach()
    trail = Trail(pictures=first.clone(), looked=torch.zeros_like(first[:, 0]))
    rate = task.settings.learning_rate or sought.learning_rate
    adam = torch.optim.Adam([sought.values], lr=rate, eps=TINY)
    try:
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - step / steps))
            adam.zero_grad()
            pictures = sought.pictures()
            pictures.retain_grad()
            scores, loss = _look(pictures, task)
            loss.backward()  # type: ignore[no-untyped-call]
            assert pictures.grad is not None
            trail.note(pictures.detach(), scores, pictures.grad)
            _wake(sought.values, task.streams)
            adam.step()
            advance(1, f"mean score {scores.mean().item():.3g}")
    except KeyboardInterrupt:
        trail.stopped = True
    return trail


def show(
    pictures: Float[Tensor, "n c h w"], task: Task, matrices: Float[Tensor, "n two three"]
) -> dict[str, Tensor]:
    """Show the model one view of each picture, normalized; give what the watched layers give."""
    seen = view(pictures, matrices, task.size)
    pixels = (seen - task.mean) / task.std
    return task.run(pixels.contiguous(memory_format=torch.channels_last))


def scores_of(outputs: dict[str, Tensor], task: Task) -> Float[Tensor, " n"]:
    """Score of each picture for its own aim."""
    found = [
        aim.score(outputs[aim.layer][_rows(row, task)], task.size)
        for row, aim in enumerate(task.aims)
    ]
    return torch.cat(found).float()


def likeness(output: Float[Tensor, " k *rest"], picture: tuple[int, int]) -> Float[Tensor, " k"]:
    """Mean cosine between the Gram matrix of each picture's channels and those of the others."""
    cells = by_channel(output, picture).flatten(2) if output.ndim > 2 else output[..., None]
    gram = torch.einsum("ncp,ndp->ncd", cells, cells).flatten(1)
    unit = gram / (gram.norm(dim=1, keepdim=True) + TINY)
    alike = unit @ unit.T
    others: Tensor = (alike.sum(1) - alike.diagonal()) / max(1, len(alike) - 1)
    return others


def roughness(pictures: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Total variation per pixel: mean size of the differences of neighbours."""
    down, right = pictures.diff(dim=2).abs(), pictures.diff(dim=3).abs()
    return down.mean((1, 2, 3)) + right.mean((1, 2, 3))


def _look(pictures: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Score each picture in one view; and the loss, whose gradient is the way down.

    Penalties count in units of the score's own size, since scores are in any unit.
    """
    settings = task.settings
    seen = (pictures.shape[2], pictures.shape[3])
    matrices = draw(settings.transforms, task.streams, seen, task.size)
    outputs = show(pictures, task, matrices)
    scores = scores_of(outputs, task)
    penalty = torch.zeros_like(scores)
    if task.images > 1 and settings.diversity:
        alike = [
            likeness(outputs[layer][_rows(row, task)], task.size)
            for row, layer in enumerate(task.diverse)
        ]
        penalty = penalty + settings.diversity * torch.cat(alike)
    if settings.total_variation:
        penalty = penalty + settings.total_variation * roughness(pictures)
    loss = (penalty * scores.detach().abs() - scores).sum()
    return scores.detach(), loss


def _rows(row: int, task: Task) -> slice:
    return slice(row * task.images, (row + 1) * task.images)


def _wake(values: Tensor, streams: Sequence[torch.Generator]) -> None:
    """Where no gradient comes back at all (units that are silent), try other pictures."""
    gradient = values.grad
    assert gradient is not None
    silent = ~gradient.flatten(1).any(1)
    if bool(silent.any()):
        drawn = normal(
            [s for s, mute in zip(streams, silent.tolist(), strict=True) if mute], *values.shape[1:]
        )
        with torch.no_grad():
            values[silent] = values[silent] + values[silent].std() * drawn.to(values)
