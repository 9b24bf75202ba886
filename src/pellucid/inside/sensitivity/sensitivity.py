"""How strong must noise, blur, a turn or a gap be before the model changes its mind?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from pellucid.analysis.intervals import CONFIDENCE, NUM_DRAWS
from pellucid.analysis.predictions import refuse_other_kind
from pellucid.data import Batches, Data, in_order
from pellucid.data.splits import spread
from pellucid.errors import DataError, SpecError
from pellucid.inside.sensitivity.arrays import MOST_EXAMPLES, example_places, sensitivity_arrays
from pellucid.inside.sensitivity.changes import Change, Subject, chosen_changes
from pellucid.inside.sensitivity.features import Arrays
from pellucid.inside.sensitivity.pictures import Pictures
from pellucid.inside.sensitivity.responses import Response, respond
from pellucid.inside.sensitivity.texts import Texts
from pellucid.inside.sensitivity.views import sensitivity_views
from pellucid.inside.sensitivity.words import headline, sensitivity_json, summary, table
from pellucid.model import ImageInput, Model, TextInput
from pellucid.progress import progress
from pellucid.result import Provenance, Result
from pellucid.views import View
from pellucid.views.prose import counted

PLURALS = {"image": "pictures", "text": "texts", "array": "arrays"}


@dataclass(frozen=True, kw_only=True)
class Sensitivity(Result):
    """A model's answers against the strength of changes of its input.

    `data` holds `strength` (change, step) in the `unit` of the change; for each sample the
    `probability` and `logit` of its original prediction and whether it is `unchanged` (change,
    step, sample); means over samples with 95 % bands (`…_low`, `…_high`: bootstrap over samples for
    probability and logit, Wilson for `share_unchanged`); `half_strength`, where half of the
    predictions have changed, and `kept`, the mean probability over the range tried; some changed
    inputs (`example`).
    """

    kind: ClassVar[str] = "sensitivity"

    def views(self) -> list[View]:
        """What hurts most, response curves with bands, samples one by one, changed inputs."""
        return sensitivity_views(self.data)

    def summary(self) -> str:
        """Say what the model is most sensitive to, and when half of its predictions change."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each change."""
        return table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give the averaged curves of every change as JSON values."""
        return sensitivity_json(self.data) | {
            "summary": self.summary(),
            "provenance": self.meta.to_json(),
        }


def inspect_sensitivity(
    model: Model,
    data: Data,
    *,
    changes: str | Sequence[str] | None = None,
    limit: int | None = 32,
    num_steps: int = 8,
    batch_size: int = 16,
    seed: int = 0,
    show: bool | None = None,
) -> Sensitivity:
    """Change inputs by growing strengths, and follow what the model answers.

    `changes` are, for pictures, "noise", "brightness", "blur", "rotation", "crop" and "occlusion";
    for texts "deletion" and "masking" of tokens; for arrays "noise" and "dropout" of features; all
    that are defined if None. Pictures are changed as the model sees them, resized and cropped, but
    not yet normalized. `num_steps` strengths are tried beside 0; draws depend on `seed` and the
    sample's id, and stay the same from one strength to the next. `limit` samples are drawn with
    `seed`, in the proportions of the classes; labels are not needed. `batch_size` changed inputs go
    through the model at once.

    The model is left as it was. Ctrl-C keeps the samples that are done. Raises SpecError for an
    unknown change, ModelError for a model without finite logits, DataError where nothing can be read.
    """
    started = time.perf_counter()
    _check(num_steps, batch_size)
    refuse_other_kind(model, data)
    sampled = data if limit is None else spread(data, limit, seed)
    with model.evaluating(), torch.inference_mode():
        subject = _subject(model, sampled, num_steps)
        wanted = chosen_changes(subject.changes, changes, PLURALS[model.input.kind])
        responses, stopped = _all_responses(
            model, subject, wanted, sampled, seed=seed, batch_size=batch_size, show=show
        )
    ids = [sampled.ids[response.position] for response in responses]
    meta = Provenance(
        kind=Sensitivity.kind,
        model=model.identity,
        data=sampled.identity,
        parameters={
            "changes": [change.name for change in wanted],
            "limit": limit,
            "num_steps": num_steps,
            "confidence": CONFIDENCE,
            "num_draws": NUM_DRAWS,
        },
        target="the prediction for the unchanged input",
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(len(responses), len(sampled), stopped=stopped),
    )
    arrays = sensitivity_arrays(responses, wanted, sample_ids=ids, labels=model.labels, seed=seed)
    return Sensitivity(data=arrays, meta=meta)


def _check(num_steps: int, batch_size: int) -> None:
    if num_steps < 2 or batch_size < 1:
        raise SpecError(
            f"num_steps={num_steps} and batch_size={batch_size} were given; expected at least 2 "
            "strengths and 1 input at once."
        )


def _subject(model: Model, data: Data, num_steps: int) -> Subject:
    if isinstance(model.input, ImageInput):
        return Pictures(model.input, num_steps)
    if isinstance(model.input, TextInput):
        return Texts(model, num_steps)
    return Arrays(model, data, num_steps)


def _all_responses(
    model: Model,
    subject: Subject,
    changes: Sequence[Change],
    data: Data,
    *,
    seed: int,
    batch_size: int,
    show: bool | None,
) -> tuple[list[Response], bool]:
    """Answers to every sample; also says whether Ctrl-C ended it before the last."""
    found: list[Response] = []
    places = example_places(changes)
    try:
        with progress("Changing inputs", len(data), show=show) as advance:
            for batch in Batches(data, subject.prepare, in_order(len(data), 1)):
                (state,) = subject.states(batch.inputs)
                position = int(batch.positions[0])
                found.append(
                    respond(
                        model,
                        subject,
                        changes,
                        state,
                        sample=data.ids[position],
                        position=position,
                        seed=seed,
                        batch_size=batch_size,
                        examples=places if len(found) < MOST_EXAMPLES else (),
                    )
                )
                advance()
    except KeyboardInterrupt:
        if not found:
            raise
        return found, True
    if not found:
        raise DataError(
            f"{data.source}: none of its {len(data)} samples can be read. "
            f"{data.report.summary().capitalize()}."
        )
    return found, False


def _notes(num_done: int, num_chosen: int, *, stopped: bool) -> tuple[str, ...]:
    if stopped:
        return (f"Stopped by Ctrl-C after {num_done} of {counted(num_chosen, 'sample')}.",)
    lost = num_chosen - num_done
    return (f"{lost} of {num_chosen} samples could not be read and were left out.",) if lost else ()
