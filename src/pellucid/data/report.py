"""One clear report of everything that was wrong with the data, and what was done about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that was wrong: which sample or class, what, and what was done."""

    what: str
    reason: str
    action: str = "skipped"


@dataclass
class DataReport:
    """Grows while data is read: sources add what they find, loaders what they cannot decode."""

    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known = set(self.problems)

    def add(self, what: str, reason: str, action: str = "skipped") -> None:
        problem = Problem(what, reason, action)
        if problem not in self._known:
            self._known.add(problem)
            self.problems.append(problem)

    def count(self, action: str) -> int:
        return sum(problem.action == action for problem in self.problems)

    def summary(self) -> str:
        """One line: ``3 skipped (2 × cannot be decoded, 1 × empty file)``."""
        if not self.problems:
            return "no problems found"
        lines = []
        for action in dict.fromkeys(problem.action for problem in self.problems):
            reasons = Counter(p.reason for p in self.problems if p.action == action)
            listed = ", ".join(f"{count} × {reason}" for reason, count in reasons.most_common(4))
            more = ", …" if len(reasons) > 4 else ""
            lines.append(f"{sum(reasons.values())} {action} ({listed}{more})")
        return "; ".join(lines)

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"what": problem.what, "reason": problem.reason, "action": problem.action}
            for problem in self.problems
        ]
