"""From what was measured to ranks with intervals, and a verdict on every method.

For each sample and measure, all maps, those of the controls among them, are ranked. A map's rank on
a sample is the mean over the measures; its mean rank that over the samples. Intervals and
differences come from drawing the samples again (paired bootstrap), so a method counts as better
than another only if it is so on other samples of the kind as well. It is better than the controls
if it is so than each of them, worse if it is so than each of them, and else unclear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.intervals import CONFIDENCE, NUM_DRAWS
from pellucid.analysis.method_ranking_trial import Tried
from pellucid.attribution.faithfulness.controls import TITLES
from pellucid.attribution.faithfulness.measures import MEASURES
from pellucid.attribution.registry import Card

Floats = NDArray[np.float64]
FEWEST_SAMPLES = 5
SAME = 6  # decimals
STAYS = 0.5
BETTER, UNCLEAR, WORSE, FEW = "better", "unclear", "worse", "too few samples"


def rank_arrays(
    tried: Sequence[Tried],
    cards: Sequence[Card],
    sample_ids: Sequence[str],
    refused: Mapping[str, str],
    seed: int,
) -> xr.Dataset:
    """Arrays of a ranking over the methods `cards` that were defined for all batches."""
    names = [card.name for card in cards]
    controls = tried[0].found.controls
    measures = list(tried[0].found.values)
    measured = np.stack([_joined(tried, names, "values", each) for each in measures])
    ranks = _ranks(measured, measures)
    numbers = _intervals(ranks, len(names), seed)
    means, low, high = _means(measured, seed)
    order = np.argsort(numbers["mean_rank"], kind="stable")
    arrays = xr.Dataset(
        {
            "measured": (("measure", "entry", "sample"), measured.astype(np.float32)),
            "rank": (("entry", "sample"), ranks.astype(np.float32)),
            "mean": (("measure", "entry"), means),
            "mean_low": (("measure", "entry"), low),
            "mean_high": (("measure", "entry"), high),
            **{name: ("entry", values) for name, values in numbers.items()},
            **_texts(cards, controls),
            **_costs(tried, names, len(controls), len(sample_ids)),
            **_curves(tried, names),
            "measure_title": ("measure", _strings(MEASURES[m].card.title for m in measures)),
            "measure_about": ("measure", _strings(MEASURES[m].card.about for m in measures)),
            "measure_better": ("measure", _strings(MEASURES[m].card.better for m in measures)),
            "ranks": ("measure", np.array([MEASURES[m].card.ranks for m in measures])),
            "refused_reason": ("refused", _strings(refused.values())),
        },
        coords={
            "measure": ("measure", _strings(measures)),
            "entry": ("entry", _strings([*names, *controls])),
            "sample_id": ("sample", _strings(sample_ids)),
            "refused": ("refused", _strings(refused)),
        },
    )
    return arrays.isel(entry=order)


def _joined(tried: Sequence[Tried], names: Sequence[str], kind: str, measure: str) -> Floats:
    """Rows of the methods, then of the controls, over the samples of all batches."""
    parts = []
    for each in tried:
        table = getattr(each.found, kind)[measure]
        rows = [each.found.entries.index(name) for name in names]
        rows += range(len(each.found.entries), len(table))
        parts.append(table[rows])
    return np.concatenate(parts, 1).astype(np.float64)


def _ranks(measured: Floats, measures: Sequence[str]) -> Floats:
    """Rank of each entry on each sample, 1 the best, averaged over the measures that rank."""
    tables = []
    for values, name in zip(measured, measures, strict=True):
        card = MEASURES[name].card
        if not card.ranks:
            continue
        known = np.isfinite(values).all(0)
        sign = -1 if card.better == "higher" else 1
        table = np.full(values.shape, np.nan)
        if known.any():
            table[:, known] = _ranked(np.round(sign * values[:, known], SAME))
        tables.append(table)
    stacked = np.stack(tables)
    middle = (measured.shape[1] + 1) / 2
    known = np.isfinite(stacked)
    total = np.where(known, stacked, 0).sum(0)
    return np.asarray(np.where(known.any(0), total / np.maximum(known.sum(0), 1), middle))


def _ranked(values: Floats) -> Floats:
    """Ranks within each column, 1 the smallest; equal values share the mean of theirs."""
    above = (values[:, None] > values[None]).sum(1)
    equal = (values[:, None] == values[None]).sum(1)
    return np.asarray(above + (equal + 1) / 2, dtype=np.float64)


def _intervals(ranks: Floats, num_methods: int, seed: int) -> dict[str, NDArray[np.generic]]:
    """Mean ranks with intervals, and differences to the best control and the best method."""
    means, drawn = ranks.mean(1), _drawn(ranks, seed)
    low, high = _ends(drawn)
    size = max(len(ranks) - 1, 1)
    control = num_methods + int(means[num_methods:].argmin())
    best = int(means[:num_methods].argmin())
    gains = np.stack([_ends(each - drawn) for each in drawn[num_methods:]])
    behind = _ends(drawn - drawn[best])
    few = ranks.shape[1] < FEWEST_SAMPLES
    better, worse = (gains[:, 0] > 0).all(0), (gains[:, 1] < 0).all(0)
    verdict = np.where(better, BETTER, np.where(worse, WORSE, UNCLEAR))
    verdict = np.where(few, FEW, verdict)
    methods = np.arange(len(ranks)) < num_methods
    return {
        "mean_rank": means,
        "mean_rank_low": np.minimum(low, means),
        "mean_rank_high": np.maximum(high, means),
        "won": (len(ranks) - means) / size,
        "won_low": (len(ranks) - np.maximum(high, means)) / size,
        "won_high": (len(ranks) - np.minimum(low, means)) / size,
        "verdict": np.where(methods, verdict, "control").astype(np.str_),
        "with_best": methods & (behind[0] <= 0),
        "is_control": ~methods,
        "best_control": np.arange(len(ranks)) == control,
    }


def _means(measured: Floats, seed: int) -> tuple[Floats, Floats, Floats]:
    """Mean of each measure and entry over the samples where it is defined, with its interval."""
    means = np.full(measured.shape[:2], np.nan)
    low, high = means.copy(), means.copy()
    for place in np.ndindex(*means.shape):
        values = measured[place][np.isfinite(measured[place])]
        if len(values):
            means[place] = values.mean()
            low[place], high[place] = _ends(_drawn(values[None], seed))[:, 0]
    return means, np.fmin(low, means), np.fmax(high, means)


def _drawn(values: Floats, seed: int) -> Floats:
    """Means of samples drawn again with replacement: (rows, draws)."""
    size = values.shape[1]
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), NUM_DRAWS)
    drawn: Floats = values @ weights.T / size
    return drawn


def _ends(drawn: Floats) -> Floats:
    tail = (1 - CONFIDENCE) / 2
    return np.quantile(drawn, (tail, 1 - tail), axis=-1)


def _texts(
    cards: Sequence[Card], controls: Sequence[str]
) -> dict[str, tuple[str, NDArray[np.str_]]]:
    titles = [*(card.title for card in cards), *(TITLES[name] for name in controls)]
    families = [*(card.family for card in cards), *("control" for _ in controls)]
    return {"title": ("entry", _strings(titles)), "family": ("entry", _strings(families))}


def _costs(
    tried: Sequence[Tried], names: Sequence[str], num_controls: int, num_samples: int
) -> dict[str, tuple[str, Floats]]:
    """Seconds and passes for one sample, on average; NaN for controls."""
    nothing = np.full(num_controls, np.nan)
    return {
        key: (
            "entry",
            np.append(
                [sum(getattr(t.costs[name], key) for t in tried) / num_samples for name in names],
                nothing,
            ),
        )
        for key in ("seconds", "forwards", "backwards")
    }


def _curves(
    tried: Sequence[Tried], names: Sequence[str]
) -> dict[str, tuple[tuple[str, ...], Floats]]:
    """Mean curves over the samples, by measure."""
    found: dict[str, tuple[tuple[str, ...], Floats]] = {}
    for name in ("deletion", "insertion"):
        if name in tried[0].found.curves:
            curves = _joined(tried, names, "curves", name)
            known = np.isfinite(curves).all((0, 2))
            if known.any():
                dims = ("entry", f"{name}_point")
                found[f"{name}_curve"] = (dims, curves[:, known].mean(1))
    return found


def _strings(values: object) -> NDArray[np.str_]:
    return np.array(list(values), dtype=np.str_)  # type: ignore[call-overload]
