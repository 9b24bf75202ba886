"""Large and small amounts in words: 3.6 G, 45 MiB, 1.2 ms."""

from __future__ import annotations

import math

from pellucid.views.wording import MISSING

STEPS = ("", " k", " M", " G", " T", " P")


def amount(value: float) -> str:
    """A count with the SI prefix that keeps it short: 3.63 G."""
    if math.isnan(value):
        return "unknown"
    return _scaled(value, 1000.0, STEPS)


def memory(value: float) -> str:
    """Bytes in binary units: 45.2 MiB."""
    if math.isnan(value):
        return "unknown"
    return _scaled(value, 1024.0, (" B", " KiB", " MiB", " GiB", " TiB", " PiB"))


def seconds_in_words(value: float) -> str:
    """A short time: 1.2 ms."""
    if math.isnan(value):
        return MISSING
    if value >= 1:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} µs"


def _scaled(value: float, step: float, units: tuple[str, ...]) -> str:
    place = 0
    while abs(value) >= 0.9995 * step and place < len(units) - 1:
        value, place = value / step, place + 1
    return f"{value:.3g}{units[place]}" if place else f"{value:.0f}{units[0]}"
