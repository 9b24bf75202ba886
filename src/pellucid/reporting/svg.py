"""Scales and paths for small charts: round ticks, few points, colours left to the style sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.reporting.html import Markup, element, join
from pellucid.views import Axis
from pellucid.views.wording import MINUS, axis_label, shorten

WIDTH, HEIGHT = 440, 290
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 28, 46
MOST_POINTS = 400
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """From data to the page: `low` at `start`, `high` at `end`; logarithmic or linear.

    `whole` keeps ticks to whole numbers.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False

    def __call__(self, values: Any) -> Values:
        low, high = self._inner(np.array([self.low, self.high]))
        part = (self._inner(np.asarray(values, dtype=np.float64)) - low) / (high - low)
        return np.asarray(self.start + part * (self.end - self.start))

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers within the scale."""
        if self.log:
            return log_ticks(self.low, self.high)
        return round_ticks(self.low, self.high, most, whole=self.whole)

    def _inner(self, values: Values) -> Values:
        return np.log10(np.maximum(values, self.low)) if self.log else values


def fit(
    axis: Axis,
    values: list[Any],
    start: float,
    end: float,
    *,
    zero: bool = False,
    margin: float = 0.0,
) -> Scale:
    """A scale for all finite `values`, or the axis' limits.

    `zero` keeps zero in it; `margin` is added at both ends, as a part of the range.

    A logarithmic axis without a positive value becomes linear.
    """
    known = np.concatenate([np.ravel(v).astype(np.float64) for v in values] or [np.zeros(0)])
    known = known[np.isfinite(known)]
    log = axis.scale == "log" and bool((known > 0).any())
    known = known[known > 0] if log else known
    whole = not log and bool(known.size) and bool((known == np.round(known)).all())
    if axis.limits and axis.limits[0] < axis.limits[1] and (not log or axis.limits[0] > 0):
        return Scale(*axis.limits, start, end, log, whole)
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if zero and not log:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    room = 0.0 if log else margin * (high - low)
    low, high = (low - room if low else low), (high + room if high else high)
    return Scale(low, high, start, end, log, whole and high - low >= 1)


def round_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """About `most` multiples of 1, 2, 2.5 or 5 times a power of ten between `low` and `high`."""
    rough = (high - low) / max(most - 1, 1)
    rough = max(rough, 1.0) if whole else rough
    power = 10.0 ** math.floor(math.log10(rough))
    factors = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = next(factor * power for factor in factors if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [0.0 if index == 0 else index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between `low` and `high`; round numbers where there are fewer than two."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / 6))
    powers = [10.0**exponent for exponent in range(first, last + 1, stride)]
    if len(powers) >= 2:
        return powers
    decades = [10.0**exponent for exponent in range(first - 1, last + 1)]
    between = [f * d for d in decades for f in (1, 2, 5) if low * 0.999 <= f * d <= high * 1.001]
    return between if len(between) >= 2 else [low, high]


def tick_labels(scale: Scale) -> tuple[list[str], str]:
    """The ticks' numbers, and the power of ten that a linear axis' name takes from them."""
    ticks = scale.ticks()
    largest = max(map(abs, ticks))
    power = 0 if scale.log or not largest else math.floor(math.log10(largest) + 1e-9)
    if -3 < power < 6:
        return [tick_label(tick) for tick in ticks], ""
    raised = str(power).translate(SUPERSCRIPTS)
    return [tick_label(tick / 10.0**power) for tick in ticks], f" × 10{raised}"


def tick_label(value: float) -> str:
    """A tick's number, short: 0.25, 1,000, 2×10⁶."""
    size = abs(value)
    if size and (size >= 1e6 or size < 1e-3):
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        raised = str(int(exponent)).translate(SUPERSCRIPTS)
        number = f"{float(mantissa):g}".replace("-", MINUS)
        return f"10{raised}" if number == "1" else f"{number}×10{raised}"
    return f"{value:,.6g}".replace("-", MINUS)


def frame(x: Scale, y: Scale, x_axis: Axis, y_axis: Axis, *, x_ticks: bool = True) -> Markup:
    """Grid lines, ticks and the names of both axes."""
    parts: list[Markup] = []
    across, x_power = tick_labels(x)
    upward, y_power = tick_labels(y)
    for words, place in zip(upward, y(y.ticks()), strict=True):
        parts.append(element("path", class_="grid", d=f"M{LEFT} {place:.1f}H{WIDTH - RIGHT}"))
        parts.append(label(words, LEFT - 7, place + 4, "end"))
    for words, place in zip(across, x(x.ticks()), strict=True) if x_ticks else ():
        parts.append(label(words, place, HEIGHT - BOTTOM + 18, "middle"))
    parts.append(element("path", class_="axis", d=f"M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"))
    parts.append(label(shorten(axis_label(y_axis), 54) + y_power, 0, 11, "start", "name"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    name = shorten(axis_label(x_axis), 54) + x_power
    return join([*parts, label(name, middle, HEIGHT - 6, "middle", "name")])


def label(words: str, x: float, y: float, anchor: str, kind: str = "tick") -> Markup:
    """Text at a point; `anchor` is start, middle or end."""
    return element("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=kind)


def path(x: Values, y: Values, *, stepped: bool = False) -> str:
    """Path data through the points, broken where one is not finite."""
    written: list[str] = []
    pen_up = True
    for across, down in zip(x, y, strict=True):
        if not (math.isfinite(across) and math.isfinite(down)):
            pen_up = True
            continue
        if stepped and not pen_up:
            written.append(f"H{across:.1f}V{down:.1f}")
        else:
            written.append(f"{'M' if pen_up else 'L'}{across:.1f} {down:.1f}")
        pen_up = False
    return "".join(written)


def thin_out(x: Values, y: Values, most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Positions of at most `most` points that keep the curve's look: extremes of each stretch."""
    if len(x) <= most:
        return np.arange(len(x))
    kept: list[int] = []
    for stretch in np.array_split(np.arange(len(x)), most // 2):
        known = stretch[np.isfinite(y[stretch])]
        chosen = known if len(known) else stretch
        values = np.nan_to_num(y[chosen])
        kept += sorted({int(chosen[values.argmin()]), int(chosen[values.argmax()])})
    return np.array(kept, dtype=np.int64)
