"""A small model's structure, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid
from pellucid.errors import ModelError
from pellucid.inside.structure import Structure, inspect_structure
from pellucid.inside.structure.arrays import group_sums
from pellucid.model import ArrayInput, Model
from pellucid.views import Graph, Table


def nodes_of(structure: Structure, operator: str) -> list[int]:
    return np.flatnonzero(structure.data["operator"].values == operator).tolist()


def group(structure: Structure, name: str, call: int = 1) -> int:
    data = structure.data
    (found,) = np.flatnonzero(
        (data["group_name"].values == name) & (data["group_call"].values == call)
    )
    return int(found)


def test_operators_lie_in_their_modules(small):
    data = small.data
    first = nodes_of(small, "convolution")[1]
    assert data["group_name"].values[data["node_group"].values[first]] == "blocks.0.conv"
    (flat,) = nodes_of(small, "mean")
    assert data["node_group"].values[flat] == 0
    assert data["shape"].values[first] == "n × 4 × 6 × 6"
    assert data["dtype"].values[first] == "float32"
    assert small.data.attrs["how"] == "export"


def test_figures_by_hand(small):
    data = small.data
    stem = nodes_of(small, "convolution")[0]
    assert data["parameters"].values[stem] == 4 * 3 * 9 + 4
    assert data["flops"].values[stem] == 2 * 36 * 4 * 27
    assert data["bytes"].values[stem] == 4 * 36 * 4
    block = group(small, "blocks.1")
    assert data["group_parameters"].values[block] == 4 * 4 * 9 + 4 + 8
    assert group_sums(data, "flops")[block] == 2 * 36 * 4 * 36
    assert data["group_parameters"].values[0] == 112 + 3 * 156 + 3 * 20 + 20 + 56 + 25


def test_a_module_that_is_called_twice_has_two_groups(small):
    data = small.data
    one, two = (group(small, "blocks.0.relu", call) for call in (1, 2))
    assert one < two
    assert data["group_label"].values[two] == "relu"


def test_residual_edges_and_sums_are_told(small):
    data = small.data
    sums = nodes_of(small, "add")
    assert (data["node_kind"].values[sums] == "residual").all()
    (into,) = [
        (source, kind)
        for source, target, kind in zip(
            data["edge_source"].values,
            data["edge_target"].values,
            data["edge_kind"].values,
            strict=True,
        )
        if target == sums[0] and kind != "data"
    ]
    assert into == (nodes_of(small, "convolution")[0], "residual")
    assert (data["edge_kind"].values == "residual").sum() == 3


def test_attention_and_gates_are_told(small):
    data = small.data
    kinds = data["node_kind"].values
    assert [str(o) for o in data["operator"].values[kinds == "attention"]] == [
        "matmul",
        "softmax",
        "matmul",
    ]
    assert data["group_attends"].values[group(small, "attention")]
    assert (kinds == "gate").sum() == 1
    assert (data["edge_kind"].values == "gate").sum() == 1


def test_equal_neighbours_are_shown_once(small):
    first = group(small, "blocks.0")
    twins = small.data["group_twin"].values
    assert [twins[group(small, f"blocks.{i}")] for i in range(3)] == [first] * 3
    view = small.views()[0]
    assert isinstance(view, Graph)
    (stack,) = (i for i, kind in enumerate(view.kinds) if kind == "repeat")
    assert view.times[stack] == 3
    assert view.labels[stack] == "0 … 2"


def test_every_edge_goes_forward_between_operators(small):
    view = small.views()[0]
    groups = set(view.parents.tolist())
    assert (view.sources < view.targets).all()
    assert not groups & set(view.sources.tolist())
    assert all(parent < item for item, parent in enumerate(view.parents.tolist()))


def test_time_is_measured_and_can_be_left_out(small, small_model):
    inner = np.isin(small.data["node_kind"].values, ["input", "output"])
    assert (small.data["seconds"].values[~inner] > 0).all()
    assert small.views()[0].share_of == "time"
    quick = inspect_structure(small_model, time=False)
    assert np.isnan(quick.data["seconds"].values).all()
    assert quick.views()[0].share_of == "FLOPs"
    assert "took" in small.summary()
    assert "took" not in quick.summary()


def test_words_figures_and_table(small):
    words = small.summary()
    assert "3 times the same Block" in words
    assert "3 residual connections" in words
    assert "1 attention" in words
    assert "56 parameters take no part in the output." in words
    tiles = {label: value for label, value, _ in small.headline()}
    assert tiles["Operators"] == str(small.data.sizes["node"] - 2)
    columns, rows = small.table()
    assert columns[:4] == ["module", "class", "output shape", "parameters"]
    assert all(len(row) == len(columns) for row in rows)
    names = [row[0] for row in rows]
    assert names[0] == "(the model)"
    assert rows[0][2] == "n × 5"
    assert "blocks.0.relu (call 2)" in names
    (table,) = (view for view in small.views() if isinstance(view, Table))
    assert table.columns[0].values == tuple(names)


def test_json_is_plain_and_whole(small):
    import json

    record = json.loads(json.dumps(small.to_json()))
    assert record["kind"] == "structure"
    assert len(record["operators"]) == small.data.sizes["node"]
    assert record["modules"][0]["flops"] == record["flops"]
    assert record["modules"][0]["parameters"] == record["parameters"]


def test_a_saved_structure_gives_the_same(small, tmp_path):
    opened = pellucid.open(small.save(tmp_path / "structure"))
    assert isinstance(opened, Structure)
    assert opened.summary() == small.summary()
    assert opened.headline() == small.headline()
    ours, theirs = small.views()[0], opened.views()[0]
    assert ours.labels == theirs.labels
    assert ours.details == theirs.details
    np.testing.assert_array_equal(ours.shares, theirs.shares)


def test_the_model_is_left_as_it_was(small_model):
    module = small_model.module
    module.train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = torch.get_rng_state()
    inspect_structure(small_model)
    assert all(part.training for part in module.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[n]) for n, tensor in module.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    module.eval()


class Elsewhere(nn.Module):
    """Leaves PyTorch on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.from_numpy(np.tanh(self.body(x).detach().numpy())))


def test_without_a_graph_there_are_modules_without_edges():
    model = Model(module=Elsewhere().eval(), source="odd", input=ArrayInput(shape=(6,)))
    structure = inspect_structure(model)
    data = structure.data
    assert data.attrs["how"] == "hooks"
    assert data.sizes["edge"] == 0
    assert data["operator"].values.tolist() == ["Linear", "Linear"]
    assert data["shape"].values.tolist() == ["n × 4", "n × 3"]
    assert np.isnan(data["flops"].values).all()
    assert "no graph of operators" in structure.summary()
    assert "could not be traced" in structure.views()[0].caption
    assert {a: b for a, b, _ in structure.headline()}["FLOPs"] == "unknown"
    assert not any(part._forward_hooks for part in model.module.modules())


class Branching(nn.Module):
    """Its way depends on the numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.head(x.relu() if x.sum() > 0 else x.tanh())


def test_a_watched_call_is_put_into_modules_by_its_parameters():
    model = Model(module=Branching().eval(), source="odd", input=ArrayInput(shape=(6,)))
    structure = inspect_structure(model)
    data = structure.data
    assert data.attrs["how"] == "dispatch"
    names = data["group_name"].values[data["node_group"].values].tolist()
    assert names[1] == "body"
    assert "head" in names
    assert "one call on the given batch" in structure.summary()


def test_arrays_of_unknown_shape_need_inputs():
    model = Model(module=nn.Linear(4, 2).eval(), source="line", input=ArrayInput())
    with pytest.raises(ModelError, match="Give `inputs`"):
        inspect_structure(model)
    assert inspect_structure(model, {"": torch.randn(2, 4)}).data.sizes["node"] == 3


@pytest.mark.thorough
def test_the_input_has_as_many_samples_as_all_that_follows():
    """The exporter writes the example's two where padding by the size of the picture asks for it."""
    model = pellucid.load("bundled:efficientnet-lite0", weights=False, device="cpu")
    shapes = inspect_structure(model, time=False).data["shape"].values
    assert shapes[0] == "n × 3 × 224 × 224"
    assert all(str(shape).startswith("n × ") for shape in shapes[:-1])
