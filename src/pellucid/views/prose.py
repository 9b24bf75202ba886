"""Figures as plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pellucid.views.wording import MISSING


def percent(share: float, digits: int = 1) -> str:
    """Write a share as a percentage; never 100 % or 0 % for what is only nearly so."""
    if math.isnan(share):
        return MISSING
    text = f"{100 * share:.{digits}f}"
    step = 10.0**-digits
    if share < 1 and float(text) == 100:
        return f">{100 - step:.{digits}f} %"
    if share > 0 and float(text) == 0:
        return f"<{step:.{digits}f} %"
    return f"{text} %"


def interval(low: float, high: float, digits: int = 1, sign: str = " %") -> str:
    """Write an interval of shares as percentages: ``89.2–93.6 %``."""
    if math.isnan(low) or math.isnan(high):
        return MISSING
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f}{sign}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: ``1 sample``, ``1,300 samples``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """List the first names, and how many more there are: ``cat, dog and 3 more``."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
