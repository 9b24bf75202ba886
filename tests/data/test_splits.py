"""Parts are disjoint, complete, stratified, and depend on ids and seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pellucid.data import Data
from pellucid.data.splits import DRAWN, allot, by_split, canonical, partition, spread
from pellucid.errors import SpecError

Make = Callable[..., Data]
CLASS_SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=6)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def made(make_data: Make, sizes: list[int], order: int = 0) -> Data:
    """Classes of the given sizes, shuffled by `order`."""
    targets = [label for label, size in enumerate(sizes) for _ in range(size)]
    ids = [f"sample-{index}" for index in range(len(targets))]
    places = np.random.default_rng(order).permutation(len(ids))
    labels = tuple(str(label) for label in range(len(sizes)))
    return make_data([ids[i] for i in places], [targets[i] for i in places], labels)


@quick
@given(sizes=CLASS_SIZES, seed=st.integers(0, 3))
def test_parts_are_disjoint_and_cover(make_data: Make, sizes: list[int], seed: int) -> None:
    data = made(make_data, sizes)
    parts = partition(data, DRAWN, seed)
    assert list(parts) == ["train", "val", "test"]
    assert Counter(name for part in parts.values() for name in part.ids) == Counter(data.ids)


@quick
@given(sizes=CLASS_SIZES)
def test_every_class_is_cut_by_the_fractions(make_data: Make, sizes: list[int]) -> None:
    parts = partition(made(make_data, sizes), DRAWN)
    for name, fraction in DRAWN.items():
        counts = np.bincount(parts[name].targets, minlength=len(sizes))
        # rounding moves less than one sample, keeping one for each part at most two more
        assert np.all(np.abs(counts - fraction * np.array(sizes)) < 3)
        assert np.all(counts[np.array(sizes) >= 3] >= 1)


@quick
@given(sizes=CLASS_SIZES, order=st.integers(1, 5), limit=st.integers(1, 40))
def test_what_is_drawn_does_not_depend_on_the_order(
    make_data: Make, sizes: list[int], order: int, limit: int
) -> None:
    data, shuffled = made(make_data, sizes), made(make_data, sizes, order)
    for name, part in partition(data, DRAWN).items():
        assert set(part.ids) == set(partition(shuffled, DRAWN)[name].ids)
    assert set(spread(data, limit).ids) == set(spread(shuffled, limit).ids)


@quick
@given(sizes=CLASS_SIZES, limit=st.integers(1, 60), seed=st.integers(0, 3))
def test_a_limit_is_spread_in_proportion(
    make_data: Make, sizes: list[int], limit: int, seed: int
) -> None:
    data = made(make_data, sizes)
    some = spread(data, limit, seed)
    assert len(some) == min(limit, len(data))
    assert len(set(some.ids)) == len(some)
    counts = np.bincount(some.targets, minlength=len(sizes))
    assert np.all(counts <= sizes)
    if limit >= len(sizes):
        assert counts.min() >= 1
    positions = [data.ids.index(name) for name in some.ids]
    assert positions == sorted(positions)


def test_parts_read_their_own_samples(make_data: Make) -> None:
    data = made(make_data, [20, 20])
    for name, part in partition(data, {"train": 0.75, "val": 0.25}).items():
        assert part.split == name
        assert [sample.input for sample in part] == list(part.ids)


def test_the_seed_changes_what_is_drawn(make_data: Make) -> None:
    data = made(make_data, [50, 50])
    assert spread(data, 10, seed=0).ids != spread(data, 10, seed=1).ids
    assert partition(data, DRAWN, 0)["val"].ids != partition(data, DRAWN, 1)["val"].ids


def test_a_class_added_leaves_the_others_where_they_were(make_data: Make) -> None:
    small, large = made(make_data, [40]), made(make_data, [40, 25])
    before = partition(small, DRAWN)["test"].ids
    after = partition(large, DRAWN)["test"]
    assert set(before) == {s for s, t in zip(after.ids, after.targets, strict=True) if t == 0}


def test_unlabelled_samples_are_cut_like_one_class(make_data: Make) -> None:
    data = make_data([f"{i}" for i in range(10)], [-1] * 10, ())
    assert {name: len(part) for name, part in partition(data, DRAWN).items()} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (10, [0.8, 0.1, 0.1], [8, 1, 1]),
        (3, [0.8, 0.1, 0.1], [1, 1, 1]),
        (2, [0.8, 0.1, 0.1], [2, 0, 0]),
        (100, [0.29, 0.71], [29, 71]),
        (14, [0.8, 0.1, 0.1], [11, 2, 1]),
        (5, [90, 5, 5], [3, 1, 1]),
        (1, [3, 3], [1, 0]),
    ],
)
def test_shares_worked_by_hand(total: int, weights: list[float], shares: list[int]) -> None:
    assert allot(total, weights) == shares


@pytest.mark.parametrize(
    "fractions", [{}, {"train": 0.5}, {"train": 1.2, "val": -0.2}, {"train": 1.0, "val": 0.0}]
)
def test_fractions_that_make_no_sense_are_refused(
    make_data: Make, fractions: dict[str, float]
) -> None:
    with pytest.raises(SpecError, match="positive numbers that sum to 1"):
        partition(made(make_data, [5]), fractions)


def test_a_limit_below_one_is_refused(make_data: Make) -> None:
    with pytest.raises(SpecError, match="limit=0 was given; expected at least 1"):
        spread(made(make_data, [5]), 0)


def test_names_of_splits() -> None:
    assert [canonical(name) for name in ("Train", "validation", "dev", "unsupervised")] == [
        "train",
        "val",
        "val",
        "unsupervised",
    ]
    assert by_split(["test", "dev", "train"]) == {"train": "train", "val": "dev", "test": "test"}
    assert by_split(["dev", "extra", "valid"]) == {"val": "valid", "dev": "dev", "extra": "extra"}
