"""Several results in one folder: saved, opened again, and refused where damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pellucid
from pellucid.errors import ResultError, SpecError
from pellucid.result import Provenance, Result
from pellucid.result.inspection import RECORD, Inspection


@pytest.fixture
def inspection() -> Inspection:
    def result(value: float) -> Result:
        data = xr.Dataset({"norm": ("tensor", np.array([value]))})
        return Result(data=data, meta=Provenance(kind="score"))

    parts = {"weights": result(1.0), "gradients": result(2.0)}
    meta = Provenance(kind="inspection")
    return Inspection(parts=parts, meta=meta, left_out={"features": "texts have no pictures."})


def test_a_folder_gives_all_parts_back(inspection: Inspection, tmp_path: Path) -> None:
    again = pellucid.open(inspection.save(tmp_path / "inside"))
    assert isinstance(again, Inspection)
    assert list(again.parts) == ["weights", "gradients"]
    assert again["gradients"].data["norm"].item() == 2.0
    assert (again.left_out, again.meta) == (inspection.left_out, inspection.meta)


def test_a_part_that_is_not_there_tells_why(inspection: Inspection) -> None:
    with pytest.raises(SpecError, match=r"no part 'features'.* texts have no pictures"):
        inspection["features"]
    with pytest.raises(SpecError, match=r"no part 'weight'.* Closest: 'weights'"):
        inspection["weight"]
    assert "No features: texts have no pictures." in inspection.summary()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "cannot be read"),
        ({"parts": []}, "cannot be read"),
        (
            {"parts": ["../x"], "left_out": {}, "provenance": {"kind": "inspection"}},
            "outside its folder",
        ),
    ],
)
def test_a_damaged_record_is_refused(record: object, message: str, tmp_path: Path) -> None:
    text = record if isinstance(record, str) else json.dumps(record)
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ResultError, match=message):
        pellucid.open(tmp_path)


def test_a_report_has_a_section_for_each_part(inspection: Inspection, tmp_path: Path) -> None:
    page = pellucid.report(inspection, tmp_path / "page.html").read_text("utf-8")
    assert "Inspection" in page
    assert "Parts left out" in page
    assert page.count("A result of kind") >= 2
