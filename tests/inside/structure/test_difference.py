"""Two structures laid over each other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from torch import nn

import pellucid
from pellucid.inside.structure import StructureDifference, compare_structures


def net(**changed: nn.Module | None) -> nn.Sequential:
    parts: dict[str, nn.Module | None] = {
        "conv": nn.Conv2d(3, 4, 3),
        "act": nn.ReLU(),
        "body": nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()),
        "flat": nn.Flatten(),
        "head": nn.Linear(16, 5),
    } | changed
    return _named(parts)


def _named(parts: dict[str, nn.Module | None]) -> nn.Sequential:
    made = nn.Sequential()
    for name, part in parts.items():
        if part is not None:
            made.add_module(name, part)
    return made


def test_a_model_and_itself_are_the_same(structure_of):
    structure = structure_of(net())
    difference = compare_structures(structure, structure)
    assert set(difference.data["node_mark"].values) == {"same"}
    assert set(difference.data["group_mark"].values) == {"same"}
    assert "built alike" in difference.summary()
    assert difference.data.sizes["node"] == structure.data.sizes["node"]
    assert difference.data.sizes["edge"] == structure.data.sizes["edge"]


def test_a_wider_head_changed(structure_of):
    difference = compare_structures(structure_of(net()), structure_of(net(head=nn.Linear(16, 7))))
    data = difference.data
    (node,) = np.flatnonzero(data["node_mark"].values == "changed")
    assert str(data["operator"].values[node]) == "linear"
    assert data["node_change"].values[node] == "shape n × 5 → n × 7; parameters 85 → 119"
    assert "Parameters go from 345 to 379 (+34)." in difference.summary()
    heads = {label: value for label, value, _ in difference.headline()}
    assert heads["Operators changed"] == "1"


def test_an_exchanged_operator_changed(structure_of):
    difference = compare_structures(structure_of(net()), structure_of(net(act=nn.Tanh())))
    changes = set(difference.data["node_change"].values)
    assert "operator relu → tanh" in changes
    (group,) = np.flatnonzero(difference.data["group_name"].values == "act")
    assert difference.data["group_change"].values[group] == "class ReLU → Tanh"


def test_added_and_removed_modules_are_told_as_wholes(structure_of):
    longer = net(head=nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 5)))
    forth = compare_structures(structure_of(net()), structure_of(longer))
    back = compare_structures(structure_of(longer), structure_of(net()))
    count = lambda d, mark: int((d.data["node_mark"].values == mark).sum())  # noqa: E731
    assert count(forth, "added") == count(back, "removed") > 0
    assert "added" in forth.summary()
    rows = forth.table()[1]
    assert ["added", "head.0", "Linear", "", "272"] in rows


def test_a_renamed_module_is_found_by_how_it_is_built(structure_of):
    parts = dict(net().named_children())
    renamed = {("trunk" if name == "body" else name): part for name, part in parts.items()}
    difference = compare_structures(structure_of(net()), structure_of(_named(renamed)))
    data = difference.data
    assert set(data["node_mark"].values) == {"same"}
    (group,) = np.flatnonzero(data["group_name"].values == "trunk")
    assert data["group_change"].values[group] == "renamed from body"


@pytest.fixture
def difference(structure_of) -> StructureDifference:
    return compare_structures(
        structure_of(net()), structure_of(net(act=None, head=nn.Linear(16, 7)))
    )


def test_the_graph_has_marks_and_edges_go_forward(difference):
    view = difference.views()[0]
    assert set(view.marks) == {"same", "changed", "removed"}
    assert (view.sources < view.targets).all()
    words = {column.name: column.values for column in view.details}
    assert "compared" in words
    assert any("shape" in text for text in words["what changed"])


def test_it_survives_saving_and_exports(difference, tmp_path):
    opened = pellucid.open(difference.save(tmp_path / "difference"))
    assert isinstance(opened, StructureDifference)
    assert opened.summary() == difference.summary()
    assert opened.views()[0].marks == difference.views()[0].marks
    record = json.loads(json.dumps(difference.to_json()))
    assert record["counts"] == {"same": 6, "changed": 1, "added": 0, "removed": 1}
    assert "≠" in difference.export(tmp_path / "d.mmd").read_text(encoding="utf-8")
    assert difference.export(tmp_path / "d.svg").is_file()
