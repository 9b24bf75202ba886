"""Shape checks for the tensor code, and the data that some tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

os.environ.setdefault("HF_HUB_OFFLINE", "1")
install_import_hook(["pellucid.attribution", "pellucid.graph"], "beartype.beartype")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data and weights that lie beside a developer's checkout; not part of the project."""
    if not SHARED.exists():
        pytest.skip(f"real data is not there: {SHARED}")
    return SHARED
