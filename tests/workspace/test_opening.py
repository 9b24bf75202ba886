"""`pellucid.open`: results come back as their kind, anything else is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pellucid
from pellucid.errors import ResultError
from pellucid.result import Provenance, Result


def save_one(path: Path) -> Result:
    data = xr.Dataset({"score": ("sample", np.array([0.25, 0.75]))})
    result = Result(data=data, meta=Provenance(kind="score"))
    result.save(path)
    return result


def test_a_saved_result_opens(tmp_path: Path) -> None:
    saved = save_one(tmp_path / "one.zarr")
    opened = pellucid.open(tmp_path / "one.zarr")
    assert isinstance(opened, Result)
    assert opened.meta == saved.meta
    xr.testing.assert_identical(opened.data, saved.data)


def test_what_is_neither_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="nowhere: there is nothing; expected a run"):
        pellucid.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ResultError, match="file: this is a file; expected a run"):
        pellucid.open(tmp_path / "file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResultError, match="folder: this folder holds neither"):
        pellucid.open(tmp_path / "folder")


def test_a_folder_of_results_names_them(tmp_path: Path) -> None:
    save_one(tmp_path / "one.zarr")
    with pytest.raises(ResultError, match=r"this folder holds one\.zarr; expected"):
        pellucid.open(tmp_path)
