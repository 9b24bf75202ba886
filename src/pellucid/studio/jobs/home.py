"""Where the results of a job go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where results go: into the run whose model was asked about, else into the workspace."""

    workspace: Path
    run: Path | None = None
