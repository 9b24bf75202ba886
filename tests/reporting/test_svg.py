import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.reporting.svg import (
    Scale,
    fit,
    log_ticks,
    path,
    round_ticks,
    thin_out,
    tick_label,
    tick_labels,
)
from pellucid.views import Axis

sizes = st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6)


@given(sizes, sizes, st.integers(2, 9))
def test_ticks_are_few_round_and_inside(one: float, other: float, most: int) -> None:
    low, high = sorted((one, other))
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-6):
        return
    ticks = round_ticks(low, high, most)
    assert len(ticks) <= most + 1
    room = 1e-6 * (high - low)
    assert all(low - room <= tick <= high + room for tick in ticks)
    steps = np.diff(ticks)
    if len(steps):
        digits = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9)
        assert min(abs(digits - known) for known in (1, 2, 2.5, 5, 10)) < 1e-6


def test_ticks_by_hand() -> None:
    assert round_ticks(0, 1, 6) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert round_ticks(1, 10, 6) == [2, 4, 6, 8, 10]
    assert round_ticks(1, 3, 6) == [1, 1.5, 2, 2.5, 3]
    assert round_ticks(1, 3, 6, whole=True) == [1, 2, 3]
    assert round_ticks(0, 10, 5, whole=True) == [0, 5, 10]
    assert log_ticks(0.5, 2000) == [1, 10, 100, 1000]
    assert log_ticks(1.5, 30) == pytest.approx([2, 5, 10, 20])
    assert log_ticks(2.1, 2.9) == [2.1, 2.9]
    assert len(log_ticks(1e-20, 1)) <= 7


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.25, "0.25"),
        (1000.0, "1,000"),
        (-3.0, "−3"),
        (1e9, "10⁹"),
        (2e-5, "2×10⁻⁵"),
        (0.0, "0"),
    ],
)
def test_tick_labels(value: float, expected: str) -> None:
    assert tick_label(value) == expected


def test_powers_of_ten_go_to_the_axis() -> None:
    assert tick_labels(Scale(0, 1e-3, 0, 1)) == (["0", "0.2", "0.4", "0.6", "0.8", "1"], " × 10⁻³")
    assert tick_labels(Scale(-2e9, 0, 0, 1))[1] == " × 10⁹"
    assert tick_labels(Scale(0, 0.02, 0, 1)) == (["0", "0.005", "0.01", "0.015", "0.02"], "")
    assert tick_labels(Scale(1e-6, 1, 0, 1, log=True))[0][0] == "10⁻⁶"


def test_scales_by_hand() -> None:
    assert Scale(0, 10, 100, 0)([0, 5, 10]).tolist() == [100, 50, 0]
    assert Scale(1, 100, 0, 20, log=True)([1, 10, 100, 0]).tolist() == [0, 10, 20, 0]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize(
    "values", [[], [np.nan], [5.0], [0.0], [-1.0, -2.0], [0.0, 1e-3], [1e-300, 1e300]]
)
@pytest.mark.parametrize("limits", [None, (0.0, 1.0), (1.0, 1.0), (2.0, 1.0)])
def test_a_scale_fits_anything(
    values: list[float], scale: str, limits: tuple[float, float] | None
) -> None:
    axis = Axis(label="x", scale=scale, limits=limits)
    found = fit(axis, [np.array(values)], 0, 100, zero=True, margin=0.04)
    assert found.low < found.high
    assert np.isfinite(found([found.low, found.high])).all()
    assert found.ticks()


def test_paths_break_where_nothing_is_known() -> None:
    x, y = np.arange(5.0), np.array([0, 1, np.nan, 3, 4])
    assert path(x, y) == "M0.0 0.0L1.0 1.0M3.0 3.0L4.0 4.0"
    assert path(x[:2], y[:2], stepped=True) == "M0.0 0.0H1.0V1.0"


def test_thinning_out_keeps_the_extremes() -> None:
    y = np.sin(np.arange(10_000) / 50)
    y[4321], y[8765], y[100:300] = 9.0, -9.0, np.nan
    kept = thin_out(np.arange(10_000.0), y)
    assert len(kept) <= 400
    assert {4321, 8765} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()
    assert thin_out(y[:10], y[:10]).tolist() == list(range(10))
