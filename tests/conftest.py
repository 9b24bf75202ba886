"""Shape checks for the tensor code, and the data that some tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
import torch
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tests run side by side, one thread each; processes that they start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
# Recordings stay away from the user's, and are shared by tests and processes: tracing takes long.
if not os.environ.get("PELLUCID_TEST_CACHE"):
    os.environ["PELLUCID_TEST_CACHE"] = tempfile.mkdtemp(prefix="pellucid-recordings-")
    atexit.register(shutil.rmtree, os.environ["PELLUCID_TEST_CACHE"], ignore_errors=True)
os.environ["PELLUCID_CACHE"] = os.environ["PELLUCID_TEST_CACHE"]

# The hook finds its type checker by name; this one takes an int where a float is asked for.
checker = ModuleType("shape_checker")
checker.check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # type: ignore[attr-defined]
sys.modules[checker.__name__] = checker
install_import_hook(["pellucid.attribution", "pellucid.graph"], "shape_checker.check")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data and weights that lie beside a developer's checkout; not part of the project."""
    if not SHARED.exists():
        pytest.skip(f"real data is not there: {SHARED}")
    return SHARED
