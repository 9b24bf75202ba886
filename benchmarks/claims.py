"""Claims about speed and exactness, with what was measured, and the table of them in the docs.

    python benchmarks/cam.py --record build/claims.jsonl
    python benchmarks/claims.py --record build/claims.jsonl --write docs/performance.md

Scripts add what they measured to the record; a later figure for the same claim and subject takes the
place of an earlier one. The table stands in the page between two marks, and only there. The command
ends with status 1 where a claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = "| claim | on | promised | measured | beside it | command |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What is promised at most, and what was found; `beside` says what a peer or the first call took."""

    text: str
    subject: str
    promised: float
    measured: float
    unit: str
    command: str
    beside: str = ""

    @property
    def holds(self) -> bool:
        return self.measured <= self.promised

    def row(self) -> str:
        found = f"{self.measured:.3g}{self.unit}"
        shown = found if self.holds else f"**{found}, does not hold**"
        return (
            f"| {self.text} | {self.subject} | ≤ {self.promised:.3g}{self.unit} | {shown} "
            f"| {self.beside} | `{self.command}` |"
        )


def note(record: Path | None, claims: Iterable[Claim]) -> None:
    """Add claims to a record, if there is one."""
    found = list(claims)
    if record is None:
        return
    record.parent.mkdir(parents=True, exist_ok=True)
    with record.open("a") as file:
        for claim in found:
            file.write(json.dumps(asdict(claim), ensure_ascii=False) + "\n")


def recorded(record: Path) -> list[Claim]:
    """The last figure of each claim and subject, sorted by claim in the order of their first record."""
    found: dict[tuple[str, str], Claim] = {}
    for line in record.read_text().splitlines():
        claim = Claim(**json.loads(line))
        found[claim.text, claim.subject] = claim
    order = list(dict.fromkeys(text for text, _ in found))
    return sorted(found.values(), key=lambda claim: order.index(claim.text))


def written(page: str, claims: Iterable[Claim]) -> str:
    """The page with the table of claims between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"the page has no place for the table; expected {BEGIN} and {END} in it")
    table = "\n".join([HEAD, *(claim.row() for claim in claims)])
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--record", type=Path, default=Path("build/claims.jsonl"))
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    claims = recorded(given.record)
    if given.write:
        given.write.write_text(written(given.write.read_text(), claims))
    print("\n".join([HEAD, *(claim.row() for claim in claims)]))
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
