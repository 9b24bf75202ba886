"""The built pages: what the front end's build leaves, as text or as a folder to serve.

Their source is in `pellucid/studio/web`; the build puts them into `built`, which is part of every
wheel and of no commit.
"""

from __future__ import annotations

import functools
from pathlib import Path

from pellucid.errors import MissingDependency

BUILT = Path(__file__).parent / "built"


@functools.cache
def asset(name: str) -> str:
    """Read a built file, such as ``report/report.js``. Raises MissingDependency if it is not there."""
    return place(name).read_text(encoding="utf-8")


def place(name: str) -> Path:
    """Where a built file or folder lies. Raises MissingDependency if it is not there."""
    path = BUILT / name
    if not path.exists():
        raise MissingDependency(
            f"the page {name!r} has not been built. A wheel of Pellucid holds it; in a checkout, "
            "build it with: python hatch_build.py"
        )
    return path
