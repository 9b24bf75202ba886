from __future__ import annotations
from pathlib import Path
from typing import Any
def export(structure: Any, path: str | Path, **options: Any) -> Path:
    raise NotImplementedError
