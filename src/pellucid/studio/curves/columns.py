"""Rows of numbers that keep coming, as columns: missing entries are NaN, non-finite ones inf."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_NAMES = 2_000


class Column:
    """Numbers that grow at their end; room doubles, so that adding costs what is added."""

    def __init__(self, missing: int) -> None:
        self._room = np.full(max(1024, missing), np.nan)
        self.length = missing

    def extend(self, values: Floats) -> None:
        """Add values at the end."""
        end = self.length + len(values)
        if end > len(self._room):
            room = np.full(max(end, 2 * len(self._room)), np.nan)
            room[: self.length] = self._room[: self.length]
            self._room = room
        self._room[self.length : end] = values
        self.length = end

    @property
    def values(self) -> Floats:
        """All of them; a view that later additions do not change."""
        return self._room[: self.length]


class Table:
    """Rows of one kind, such as all steps: columns by name, and the line that each row stood in."""

    def __init__(self) -> None:
        self.columns: dict[str, Column] = {}
        self.lines = Column(0)

    @property
    def num_rows(self) -> int:
        return self.lines.length

    def extend(self, lines: Floats, columns: dict[str, Floats]) -> None:
        """Add rows; a column that is new was missing before, one that is not there is missing now.

        Columns beyond `MOST_NAMES` are left out.
        """
        before, count = self.num_rows, len(lines)
        self.lines.extend(lines)
        for name, values in columns.items():
            if name not in self.columns and len(self.columns) < MOST_NAMES:
                self.columns[name] = Column(before)
            if name in self.columns:
                self.columns[name].extend(values)
        for column in self.columns.values():
            if column.length < before + count:
                column.extend(np.full(before + count - column.length, np.nan))
