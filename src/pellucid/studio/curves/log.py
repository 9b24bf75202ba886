"""A run's metrics, read as far as they are written: each look costs what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.studio.confined import Bounds
from pellucid.studio.curves.columns import Floats, Table
from pellucid.studio.curves.parsing import parse
from pellucid.studio.curves.thinning import thinned

READ_BYTES = 64 * 2**20
MOST_LOGS = 64
NO_METRIC = frozenset({"step", "epoch"})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One metric: `y` over `x`, thinned if it has more than was asked for; `total` is how many."""

    name: str
    x: Floats
    y: Floats
    total: int

    @property
    def exact(self) -> bool:
        return len(self.x) == self.total


class MetricsLog:
    """The metrics of one run. `mark` tells how far it was read, for who goes on from there."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._path, self._bounds = path, bounds
        self._lock = threading.Lock()
        self._forget(0)

    def _forget(self, inode: int) -> None:
        self._inode, self._offset, self._lines = inode, 0, 0
        self._tables: dict[str, Table] = {}

    def refresh(self) -> str:
        """Read what is new, and tell the mark; a file that was replaced is read from its start."""
        with self._lock:
            facts = self._bounds.size(self._path)
            if facts is None:
                self._forget(0)
                return self._mark()
            if facts.st_ino != self._inode or facts.st_size < self._offset:
                self._forget(facts.st_ino)
            if facts.st_size > self._offset:
                self._read()
            return self._mark()

    def _mark(self) -> str:
        return f"{self._inode:x}-{self._lines}"

    def _read(self) -> None:
        with self._bounds.open_log(self._path) as file:
            file.seek(self._offset)
            while content := file.read(READ_BYTES):
                complete = content[: content.rfind(b"\n") + 1]
                if not complete:
                    return  # a line that is still being written
                rows, count = parse(complete, self._lines)
                for kind, (lines, columns) in rows.items():
                    self._tables.setdefault(kind, Table()).extend(lines, columns)
                self._lines += count
                self._offset += len(complete)
                file.seek(self._offset)

    def names(self) -> list[str]:
        """The metrics there are: ``step.loss``, ``epoch.validation_loss``."""
        with self._lock:
            return [
                f"{kind}.{name}"
                for kind, table in self._tables.items()
                for name in table.columns
                if name not in NO_METRIC
            ]

    def line(
        self,
        name: str,
        *,
        points: int,
        start: float | None = None,
        end: float | None = None,
        since: int = 0,
    ) -> Line | None:
        """One metric from `start` to `end` of its x axis, without the first `since` lines.

        x is the step or the epoch, or a count where there is neither. None for an unknown name.
        """
        kind, _, column = name.partition(".")
        with self._lock:
            table = self._tables.get(kind)
            if table is None or column not in table.columns or column in NO_METRIC:
                return None
            y, lines = table.columns[column].values, table.lines.values
            own = table.columns.get(kind)
            x = own.values if own is not None else np.arange(1.0, len(y) + 1)
        kept = ~np.isnan(y) & np.isfinite(x)
        kept &= _between(x, start, end)
        if since:
            kept &= lines >= since
        if not kept.all():
            x, y = x[kept], y[kept]
        places = thinned(y, points)
        y = y[places]
        return Line(name=name, x=x[places], y=np.where(np.isfinite(y), y, np.nan), total=len(x))

    def since(self, mark: str) -> int | None:
        """How many lines `mark` stands for; None where it is of another file, or of none."""
        inode, _, lines = mark.partition("-")
        with self._lock:
            if inode != f"{self._inode:x}" or not lines.isdigit():
                return None
            return int(lines) if int(lines) <= self._lines else None

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """All rows of one kind, as `Run.metrics` gives them, numbers alone."""
        with self._lock:
            table = self._tables.get(kind)
            if table is None:
                return []
            columns = {name: column.values for name, column in table.columns.items()}
            count = table.num_rows
        return [{n: _number(values[row]) for n, values in columns.items()} for row in range(count)]


class MetricsLogs:
    """The logs that were looked at last, by run."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._logs: OrderedDict[Path, MetricsLog] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: Path) -> MetricsLog:
        """The log of the run in a folder, read as far as it is written."""
        with self._lock:
            log = self._logs.setdefault(run, MetricsLog(run / "metrics.jsonl", self._bounds))
            self._logs.move_to_end(run)
            if len(self._logs) > MOST_LOGS:
                self._logs.popitem(last=False)
        log.refresh()
        return log


def _between(x: Floats, start: float | None, end: float | None) -> NDArray[np.bool_]:
    low = -np.inf if start is None else start
    high = np.inf if end is None else end
    return (x >= low) & (x <= high)


def _number(value: float) -> int | float | None:
    if not np.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)
