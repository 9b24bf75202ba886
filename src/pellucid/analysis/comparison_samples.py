"""The samples behind a comparison's figures: the flips, and both explanations in step."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.comparison_arrays import (
    MODELS,
    MOST_FLIPS,
    ONLY_A,
    ONLY_B,
    SIDES,
    by_change,
    differing,
    flipped,
)
from pellucid.analysis.comparison_explained import of_side
from pellucid.analysis.comparison_words import model_name, num_pairs, points, sample_maps_words
from pellucid.analysis.intervals import Counts
from pellucid.attribution.explanation_views import explanation_views
from pellucid.views import Column, ImageGrid, Picture, Table, View
from pellucid.views.prose import counted, percent

COLOURS = "Blue: only B right; orange: only A right."
READING = "Under each picture: the answers of A and B; where both give one, how sure each was."


def flips_view(data: xr.Dataset) -> View:
    """The samples that flipped, or got different answers: pictures where there are any, else rows."""
    judged = bool(num_pairs(data))
    chosen = flipped(data) if judged else differing(data)
    if "thumbnails" in data:
        rows = np.flatnonzero(chosen[data["shown_sample"].values])
        pictures = _pictures(data, rows)
        return ImageGrid(
            title=_flips_title(judged),
            caption=_flips_caption(int(chosen.sum()), len(pictures), judged, READING),
            pictures=pictures,
        )
    rows = by_change(data)
    rows = rows[chosen[rows]][: 2 * MOST_FLIPS]
    columns = [
        Column(name="sample", values=_strings(data["sample_id"].values[rows])),
        *_answer_columns(data, rows),
        *_text_columns(data, rows),
    ]
    return Table(
        title=_flips_title(judged),
        caption=_flips_caption(int(chosen.sum()), len(rows), judged),
        columns=tuple(columns),
    )


def samples_views(data: xr.Dataset) -> list[View]:
    """The pictures that were kept, whoever was right; none without pictures."""
    if "thumbnails" not in data:
        return []
    shown = np.arange(data.sizes["shown"])
    return [
        ImageGrid(
            title="Samples behind the figures",
            caption=(
                f"{len(shown):,} of {data.sizes['sample']:,} samples: those that flipped first, "
                f"then the others, the largest change of probability first in each. {READING}"
            ),
            pictures=_pictures(data, shown),
        )
    ]


def explained_views(data: xr.Dataset) -> list[View]:
    """Both explanations of each sample, A and then B, with how alike their maps are."""
    if "explained" not in data.dims:
        return []
    first, second = (explanation_views(of_side(data, side)) for side in SIDES)
    per_sample = len(first) // max(data.sizes["explained"], 1)
    found: list[View] = []
    for place, pair in enumerate(zip(first, second, strict=True)):
        sample, row = divmod(place, per_sample)
        alike = sample_maps_words(data, sample, row if per_sample > 1 else None)
        for side, view in enumerate(pair):
            caption = f"{view.caption} {alike}" if side else view.caption
            title = f"{view.title} · {model_name(data, side)}"
            found.append(replace(view, title=title, caption=caption))
    return found


def maps_table(data: xr.Dataset) -> Table:
    """Each explained sample: what became of it, and how alike its maps are by each method."""
    samples = data["explained_sample"].values
    columns = [
        Column(name="sample", values=_strings(data["sample_id"].values[samples])),
        *_answer_columns(data, samples),
        *_class_columns(data),
    ]
    for row, title in enumerate(data["title_a"].values):
        correlation = data["rank_correlation"].values[row]
        overlap = 100 * data["top_overlap"].values[row]
        columns += [
            Column(name=f"{title!s}: rank correlation", values=_floats(correlation), format=".2f"),
            Column(name=f"{title!s}: in common", values=_floats(overlap), format=".0f", unit="%"),
        ]
    return Table(
        title="How alike the explanations are",
        caption=(
            "Rank correlation is 1 where both maps put all places in the same order, and 0 where "
            "one order says nothing of the other. In common is the share of the strongest tenth "
            "of one map that is among the strongest tenth of the other; 10 % would be by chance."
        ),
        columns=tuple(columns),
    )


def _flips_title(judged: bool) -> str:
    return "What flipped between right and wrong" if judged else "What got different answers"


def _flips_caption(total: int, shown: int, judged: bool, reading: str = "") -> str:
    if not total:
        kept = "No sample flipped" if judged else "No sample got different answers"
        return f"{kept} between A and B."
    verb = "flipped" if judged else "got different answers"
    cut = "" if shown == total else f"; {shown:,} are shown"
    order = (
        " First what only A got right, then what only B got right:" if judged and reading else ""
    )
    largest = "the largest change of probability first."
    said = f"{counted(total, 'sample')} {verb}{cut}.{order}" + (f" {largest}" if order else "")
    colours = COLOURS if judged and reading else ""
    return " ".join(filter(None, (said, reading or largest.capitalize(), colours)))


def _pictures(data: xr.Dataset, rows: Counts) -> tuple[Picture, ...]:
    pixels, samples = data["thumbnails"].values, data["shown_sample"].values
    return tuple(
        Picture(
            pixels=pixels[row],
            sample=str(data["sample_id"].values[samples[row]]),
            label=_label(data, int(samples[row])),
            tone=_tone(int(data["outcome"].values[samples[row]])),
        )
        for row in rows
    )


def _label(data: xr.Dataset, sample: int) -> str:
    """``cat → dog``, or ``cat (91, 62 %)`` for one answer."""
    answers = [str(data["label"].values[answer]) for answer in data["predicted"].values[:, sample]]
    if answers[0] != answers[1]:
        return " → ".join(answers)
    first, second = (percent(float(share), 0) for share in data["confidence"].values[:, sample])
    return f"{answers[0]} ({first.removesuffix(' %')}, {second})"


def _tone(outcome: int) -> Literal["neutral", "good", "bad"]:
    tones: dict[int, Literal["good", "bad"]] = {ONLY_B: "good", ONLY_A: "bad"}
    return tones.get(outcome, "neutral")


def _answer_columns(data: xr.Dataset, rows: Counts) -> list[Column]:
    labels, columns = data["label"].values, list[Column]()
    target = data["target"].values[rows]
    if (target >= 0).any():
        named = np.where(target >= 0, labels[target], "")
        columns.append(Column(name="true class", values=_strings(named)))
    for row, name in enumerate(MODELS):
        columns.append(
            Column(name=name, values=_strings(labels[data["predicted"].values[row, rows]]))
        )
        sure = data["confidence"].values[row, rows]
        columns.append(
            Column(name=f"{name} sure", values=tuple(percent(float(each)) for each in sure))
        )
    change = data["change"].values[rows]
    return [
        *columns,
        Column(name="change", values=tuple(points(float(each)) for each in change), unit="points"),
    ]


def _class_columns(data: xr.Dataset) -> list[Column]:
    """The class that is explained; one for each model where they differ."""
    first, second = (_strings(data[f"target_label_{side}"].values) for side in SIDES)
    if [name.casefold() for name in first] == [name.casefold() for name in second]:
        return [Column(name="explained class", values=first)]
    return [
        Column(name="explained for A", values=first),
        Column(name="explained for B", values=second),
    ]


def _text_columns(data: xr.Dataset, rows: Counts) -> list[Column]:
    if "snippets" not in data:
        return []
    place = {int(sample): row for row, sample in enumerate(data["shown_sample"].values)}
    snippets = data["snippets"].values
    texts = tuple(str(snippets[place[row]]) if row in place else "" for row in rows.tolist())
    return [Column(name="text", values=texts)]


def _strings(values: NDArray[np.str_]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
