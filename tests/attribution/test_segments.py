"""Segments: grids, superpixels, labels, and what is never hidden."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.attribution.attribute import open_call
from pellucid.attribution.segments import Segments, make_segments
from pellucid.errors import MethodError
from pellucid.model import Model


def cut(module: nn.Module, inputs: Tensor, segments: object = None, num: int = 4) -> Segments:
    with open_call(module, inputs, 0) as (call, _):
        return make_segments(call, segments, num)


@pytest.fixture
def mean() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def test_a_grid_has_equal_cells(mean: nn.Module) -> None:
    found = cut(mean, torch.rand(2, 3, 4, 6), num=6)
    expected = torch.tensor([[0, 0, 1, 1, 2, 2]] * 2 + [[3, 3, 4, 4, 5, 5]] * 2)
    torch.testing.assert_close(found.labels, expected.expand(2, 4, 6))
    assert found.counts.tolist() == [6, 6]
    assert found.resolution == "a grid of 2 × 3 segments"
    assert found.areas().tolist() == [[4] * 6] * 2


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (3, 5), (2, 2)])
@pytest.mark.parametrize("num", [1, 7, 1000])
def test_a_grid_fits_any_picture(mean: nn.Module, shape: tuple[int, int], num: int) -> None:
    found = cut(mean, torch.rand(1, 3, *shape), num=num)
    assert 1 <= found.counts.item() <= min(num + num // 2 + 1, shape[0] * shape[1])
    assert (found.areas() > 0).all()


def test_pixels(mean: nn.Module) -> None:
    assert cut(mean, torch.rand(1, 3, 4, 6), "pixels").counts.tolist() == [24]


def test_superpixels_follow_colours(mean: nn.Module) -> None:
    pytest.importorskip("skimage")
    picture = torch.zeros(2, 3, 24, 24)
    picture[0, :, :, 10:] = 1
    picture[1, 1, 15:] = 1
    found = cut(mean, picture, "slic", 4)
    for labels, coloured in zip(found.labels, picture.amax(1), strict=True):
        assert not set(labels[coloured == 0].tolist()) & set(labels[coloured == 1].tolist())
    assert found.counts.tolist() == [labels.unique().numel() for labels in found.labels]
    assert found.labels.amin((1, 2)).tolist() == [0, 0]


def test_labels_are_numbered_in_each_sample(mean: nn.Module) -> None:
    labels = torch.tensor([[[7, 7], [9, -3]], [[5, 5], [5, 5]]])
    found = cut(mean, torch.rand(2, 3, 2, 2), labels)
    assert found.labels.tolist() == [[[1, 1], [2, 0]], [[0, 0], [0, 0]]]
    assert found.counts.tolist() == [3, 1]
    assert [(count, rows.tolist()) for count, rows in found.groups()] == [(1, [1]), (3, [0])]


def test_kept_places_and_painted_values(mean: nn.Module) -> None:
    found = cut(mean, torch.rand(1, 3, 2, 2), torch.tensor([[0, 1], [1, 2]]))
    kept = found.places(torch.tensor([[True, False, True]]), torch.tensor([0]))
    assert kept.tolist() == [[[True, False], [False, True]]]
    painted = found.paint(torch.tensor([[1.0, 2.0, 3.0]]))
    assert painted.tolist() == [[[1, 2], [2, 3]]]


def test_special_tokens_and_padding_belong_to_no_segment(text_model: Model) -> None:
    inputs = text_model.prepare(["a good film", "bad film"])
    with open_call(text_model, inputs, "positive") as (call, _):
        found = make_segments(call, None, 1)
        assert found.counts.tolist() == [3, 2]
        assert found.labels.tolist() == [[-1, 0, 1, 2, -1], [-1, 0, 1, -1, -1]]
        joined = make_segments(call, torch.tensor([0, 1, 1, 2, 2]), 1)
        assert joined.labels.tolist() == [[-1, 0, 0, 1, -1], [-1, 0, 0, -1, -1]]


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ("grd", "segments='grd' is not known.*'grid'.*tensor of labels"),
        (torch.zeros(3, 3, dtype=torch.int64), r"shape \(3, 3\).*expected whole-number labels"),
        (torch.zeros(4, 6), r"type torch.float32 were given; expected whole-number"),
    ],
)
def test_what_does_not_fit(mean: nn.Module, segments: object, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        cut(mean, torch.rand(2, 3, 4, 6), segments)


def test_arrays_have_no_named_segments() -> None:
    with pytest.raises(MethodError, match="arrays have none of that name"):
        attribute(nn.Linear(3, 1), torch.rand(1, 3), method="kernel_shap", segments="grid")


def test_superpixels_of_a_picture_that_is_not_finite(mean: nn.Module) -> None:
    pytest.importorskip("skimage")
    pictures = torch.rand(2, 3, 8, 8)
    pictures[1, 0, 0, 0] = torch.nan
    with pytest.raises(MethodError, match=r"not finite .* for samples \[1\]"):
        cut(mean, pictures, "slic")
