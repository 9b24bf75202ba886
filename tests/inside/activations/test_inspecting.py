"""From a model and data to a result: what is watched, what is found, and what is refused."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

import pellucid
from pellucid.errors import DataError, LayerError, ModelError, SpecError
from pellucid.inside.activations import Activations, collect, inspect_activations
from pellucid.model import ArrayInput, Model
from pellucid.views import ImageGrid, Scatter


def units(found: Activations, layer: str) -> xr.Dataset:
    place = found.data["layer"].values.tolist().index(layer)
    return found.data.isel(unit=found.data["unit_layer"].values == place)


def test_the_default_layers_end_before_the_head(picture_model, pictures):
    found = inspect_activations(picture_model, pictures, shown=1, show=False)
    assert found.data["layer"].values.tolist() == ["relu", "act", "pool"]
    assert found.data["form"].values.tolist() == ["grid", "grid", "vector"]
    assert found.data["num_units"].values.tolist() == [6, 8, 8]


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_figures_are_those_of_hooks_and_numpy(caught, picture_model, pictures, batch_size):
    layers = ["first", "relu", "second", "act", "pool"]
    found = inspect_activations(
        picture_model, pictures, layers=layers, batch_size=batch_size, shown=0, show=False
    )
    # The ReLU works in place: what the convolution gave before it is what counts for it.
    hooked = caught(picture_model, pictures, layers)
    assert float(hooked["first"].min()) < 0
    for layer in layers:
        values = hooked[layer].double().numpy()
        flat = values.swapaxes(0, 1).reshape(values.shape[1], -1)
        mine = units(found, layer)
        np.testing.assert_allclose(mine["unit_mean"], flat.mean(1), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mine["unit_std"], flat.std(1), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(mine["unit_max"], flat.max(1), rtol=1e-5)
        np.testing.assert_allclose(mine["unit_active"], (flat > 0).mean(1), atol=1e-6)
        peaks = values.reshape(*values.shape[:2], -1).max(-1)
        np.testing.assert_allclose(
            mine["top_value"], -np.sort(-peaks, 0)[:9].T, rtol=1e-5, atol=1e-6
        )
        np.testing.assert_array_equal(
            found.data["met_id"].values[mine["top_sample"].values[:, 0]],
            [f"s{index}" for index in peaks.argmax(0)],
        )


def test_selectivity_is_that_of_class_means(caught, picture_model, pictures):
    found = inspect_activations(picture_model, pictures, layers="act", shown=0, show=False)
    rates = caught(picture_model, pictures, ["act"])["act"].mean((2, 3)).double().numpy()
    means = np.stack([rates[pictures.targets == label].mean(0) for label in range(3)])
    top = means.max(0)
    rest = (means.sum(0) - top) / 2
    expected = np.divide(top - rest, top + rest, out=np.zeros(8), where=top > 0)
    np.testing.assert_allclose(found.data["selectivity"], expected, atol=1e-6)
    np.testing.assert_allclose(found.data["class_mean"], means, rtol=1e-4, atol=1e-6)
    assert found.data["label"].values.tolist() == ["red", "green", "blue"]


def test_without_labels_the_answers_are_the_classes(picture_model, make_data, pictures):
    raws = [pictures.read(index) for index in range(20)]
    found = inspect_activations(picture_model, make_data(raws, kind="image"), shown=0, show=False)
    assert found.data["label"].values.tolist() == ["cat", "dog", "cup"]
    assert int(found.data["class_count"].sum()) == 20
    assert "model's own answers" in found.summary()


def test_the_pair_is_plotted(caught, picture_model, pictures):
    found = inspect_activations(
        picture_model, pictures, layers="pool", pair=("act:3", "second:1"), shown=0, show=False
    )
    assert found.data["layer"].values.tolist() == ["second", "act", "pool"]
    (view,) = [view for view in found.views() if isinstance(view, Scatter)]
    hooked = caught(picture_model, pictures, ["act", "second"])
    np.testing.assert_allclose(view.x_values, hooked["act"].mean((2, 3))[:, 3], rtol=1e-5)
    # The picture model changes the output of no layer but by its ReLUs in place.
    assert view.x.label == "act:3"
    assert view.samples[0] == "s0"
    assert view.groups[:3] == ("red", "green", "blue")


def test_saved_and_opened_it_looks_the_same(picture_model, pictures, tmp_path: Path):
    found = inspect_activations(picture_model, pictures, shown=1, show=False)
    opened = pellucid.open(found.save(tmp_path / "saved"))
    assert isinstance(opened, Activations)
    assert opened.summary() == found.summary()
    assert opened.to_json() == found.to_json()
    assert json.dumps(found.to_json(), allow_nan=False)
    assert [view.title for view in opened.views()] == [view.title for view in found.views()]
    for mine, theirs in zip(found.views(), opened.views(), strict=True):
        if isinstance(mine, ImageGrid):
            for one, other in zip(mine.pictures, theirs.pictures, strict=True):
                np.testing.assert_array_equal(one.pixels, other.pixels)
                assert one.label == other.label
    columns, rows = found.table()
    assert len(rows) == 3
    assert all(len(row) == len(columns) for row in rows)
    assert found.headline()[0] == ("Layers watched", "3", "22 units")


def test_the_model_is_left_as_it_was(picture_model, pictures):
    module = picture_model.module.train()
    module.drop.eval()
    module.first.weight.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    random = torch.get_rng_state()
    inspect_activations(picture_model, pictures, shown=1, show=False)
    with pytest.raises(DataError):
        inspect_activations(picture_model, pictures, shown=["nobody"], show=False)
    assert all(torch.equal(module.state_dict()[name], before[name]) for name in before)
    assert torch.equal(torch.get_rng_state(), random)
    assert module.training
    assert not module.drop.training
    assert not module.first.weight.requires_grad
    assert module.second.weight.requires_grad
    assert all(parameter.grad is None for parameter in module.parameters())
    assert not any(len(part._forward_hooks) for part in module.modules())
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()


def test_feature_maps_are_ranked(caught, picture_model, pictures):
    found = inspect_activations(picture_model, pictures, shown=["s4"], show=False)
    data = found.data
    assert data["shown_id"].values.tolist() == ["s4"]
    hooked = caught(picture_model, pictures.subset([4]), ["act"])["act"][0].numpy()
    act = data["layer"].values.tolist().index("act")
    rows = (data["map_layer"].values == act) & (data["map_ranking"].values == "most active")
    chosen = data["map_unit"].values[rows].tolist()
    assert chosen == np.argsort(-hooked.mean((1, 2)), kind="stable")[: len(chosen)].tolist()
    first = data["feature_map"].values[np.flatnonzero(rows)[0]]
    # Cells of 6 × 6 are enlarged to the 12 × 12 of the first layer.
    np.testing.assert_allclose(first[::2, ::2], hooked[chosen[0]], rtol=1e-2, atol=1e-2)


def test_pieces_are_cut_from_where_the_unit_responds(picture_model, pictures):
    found = inspect_activations(picture_model, pictures, shown=0, show=False)
    assert found.data["card_picture"].shape[1:] == (198, 198, 3)
    (grid, *_) = [view for view in found.views() if isinstance(view, ImageGrid)]
    assert grid.title == "What units of pool respond to"


def test_what_cannot_be_read_is_left_out(picture_model, make_data, pictures):
    raws = [pictures.read(index) for index in range(20)]
    data = make_data(raws, pictures.targets, pictures.labels, kind="image", unreadable=(0, 9))
    found = inspect_activations(picture_model, data, shown=["s0", "s1"], show=False)
    assert found.meta.parameters["num_samples"] == 18
    assert "2 samples could not be read" in found.summary()
    assert found.data["shown_id"].values.tolist() == ["s1"]


def test_ctrl_c_keeps_what_is_done(picture_model, pictures, monkeypatch):
    calls = []
    original = Model.logits

    def logits(self: Model, inputs: Any) -> Tensor:
        calls.append(len(next(iter(inputs.values()))))
        if calls.count(4) == 3:
            raise KeyboardInterrupt
        return original(self, inputs)

    monkeypatch.setattr(Model, "logits", logits)
    found = inspect_activations(picture_model, pictures, batch_size=4, shown=0, show=False)
    assert found.meta.parameters["stopped"]
    assert "Stopped by Ctrl-C after 8 of 20 samples" in found.summary()


def test_memory_does_not_grow_with_the_data(make_data, monkeypatch):
    monkeypatch.setattr(collect, "MOST_POINTS", 16)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    model = Model(module=module, source="small", input=ArrayInput(), labels=("no", "yes"))
    sizes = {}

    class Counting:
        """Counts the numbers held by tensors when the last batch is read."""

        def __init__(self, number: int) -> None:
            self.number, self.most = number, 0

        def __call__(self, index: int) -> Any:
            if index == self.number - 8:
                alive = (o for o in gc.get_objects() if type(o) is Tensor)
                self.most = sum(tensor.numel() for tensor in alive)
            return np.random.default_rng(index).normal(size=6)

    for number in (80, 80, 640):  # once to warm up
        read = Counting(number)
        data = make_data([None] * number, np.arange(number) % 2, ("no", "yes"))
        object.__setattr__(data, "read", read)
        inspect_activations(model, data, batch_size=8, shown=0, show=False)
        sizes[number] = read.most
    assert sizes[640] <= sizes[80] + 640  # the labels, which are the data's own


class Odd(nn.Module):
    """A branch that runs for some inputs only, one that is never called, and a changing width."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.sometimes = nn.Linear(4, 4)
        self.never = nn.Linear(4, 4)
        self.widening = nn.Identity()
        self.several = nn.ModuleList([nn.Linear(4, 4)])
        self.head = nn.Linear(4, 2)

    def forward(self, rows: Tensor) -> Tensor:
        hidden = self.several[0](self.body(rows))
        if rows.mean() > 0:
            hidden = self.sometimes(hidden)
        self.widening(hidden if rows.mean() > 0 else hidden[:, :3])
        return self.head(hidden)


@pytest.fixture
def odd(make_data) -> tuple[Model, Any]:
    torch.manual_seed(0)
    model = Model(module=Odd(), source="odd", input=ArrayInput(), labels=("no", "yes"))
    return model, make_data([np.ones(4), np.ones(4), -np.ones(4)], [0, 1, 0], ("no", "yes"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "boddy"}, "layer 'boddy' is not in Odd. Closest: 'body'"),
        ({"layers": "never"}, "layer 'never' is never reached in a prediction"),
        ({"layers": "several"}, "name what is in them"),
        ({"layers": "sometimes"}, "ran 1 times for the first sample and 0 times"),
        ({"layers": "widening"}, "gave 4 units for the first sample, and shape (1, 3)"),
        (
            {"pair": ("body:1", "body:9")},
            "unit 9 is out of range: layer 'body' has 4 units, 0 to 3",
        ),
        ({"pair": ("body:1", "body")}, "'body' is no unit; expected 'layer:unit'"),
    ],
)
def test_layers_and_units_that_are_not_there(odd, options, message):
    model, data = odd
    with pytest.raises(LayerError) as caught_error:
        inspect_activations(model, data, batch_size=1, shown=0, show=False, **options)
    assert message in str(caught_error.value)


def test_other_bad_input(odd, picture_model, make_data, monkeypatch):
    model, data = odd
    for options, kind, message in (
        ({"top": 0}, SpecError, "top=0"),
        ({"batch_size": 0}, SpecError, "batch_size=0"),
        ({"shown": 99}, SpecError, "shown=99"),
        ({"shown": [7]}, DataError, "sample 7 is out of range"),
        ({"shown": ["s9"]}, DataError, "Closest: 's"),
    ):
        with pytest.raises(kind, match=message):
            inspect_activations(model, data, layers="body", show=False, **options)
    broken = make_data([np.ones(4), np.full(4, np.nan), np.ones(4)])
    with pytest.raises(ModelError, match="gives NaN or infinity for 's1'"):
        inspect_activations(model, broken, layers="body", shown=0, show=False)
    with pytest.raises(DataError, match="kind 'text'"):
        inspect_activations(picture_model, make_data(["a"], kind="text"), show=False)


def test_pictures_of_changing_size(picture_model, make_data):
    labels = ("a", "b", "c")
    model = Model(module=picture_model.module, source="tiny", input=ArrayInput(), labels=labels)
    raws = [np.random.default_rng(n).normal(size=(3, 8 + 2 * n, 10)) for n in range(3)]
    found = inspect_activations(
        model, make_data(raws), layers="act", batch_size=1, shown=0, show=False
    )
    expected = []
    for raw in raws:
        with torch.no_grad(), model.evaluating():
            hidden = model.module.relu(model.module.first(torch.tensor(raw[None]).float()))
            expected.append(model.module.act(model.module.second(hidden))[0].flatten(1))
    np.testing.assert_allclose(found.data["unit_mean"], torch.cat(expected, 1).mean(1), rtol=1e-5)
