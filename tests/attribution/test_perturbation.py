"""Occlusion: linear models by hand, what windows cover, and partial against whole passes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.attribution import perturbation
from pellucid.errors import MethodError
from pellucid.graph.incremental import Incremental
from pellucid.model import Model


class Weighted(nn.Module):
    """Σ w x over a picture of 2 channels and 4 × 6 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(3)))

    def forward(self, pixels: Tensor) -> Tensor:
        return (self.weight * pixels).sum((1, 2, 3))


@pytest.fixture
def pair() -> Tensor:
    return torch.randn(2, 2, 4, 6, generator=torch.Generator().manual_seed(4))


def drops(model: Weighted, pixels: Tensor, baseline: float = 0.0) -> Tensor:
    """Contribution of each pixel, both channels together: (n, 4, 6)."""
    return (model.weight * (pixels - baseline)).sum(1).detach()


def assert_agree(found: Tensor, expected: Tensor) -> None:
    """Equal to 1e-4 of the largest value."""
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, expected.detach(), rtol=0, atol=1e-4 * scale)


def test_windows_that_do_not_overlap_give_the_sum_of_their_pixels(pair: Tensor) -> None:
    model = Weighted()
    found = attribute(
        model, pair, method="occlusion", window=(2, 3), stride=(2, 3), baseline=0.5, max_batch=3
    )
    blocks = drops(model, pair, 0.5).view(2, 2, 2, 2, 3).sum((2, 4))
    expected = blocks.repeat_interleave(2, 1).repeat_interleave(3, 2)
    assert found.shape == pair.shape
    torch.testing.assert_close(found[:, 0], expected)
    torch.testing.assert_close(found[:, 1], expected)


def test_single_pixels(pair: Tensor) -> None:
    model = Weighted()
    found = attribute(model, pair, method="occlusion", window=1)
    torch.testing.assert_close(found[:, 0], drops(model, pair))


def test_overlapping_windows_are_averaged_and_cut_at_the_border(pair: Tensor) -> None:
    model = Weighted()
    found, details = attribute(
        model, pair, method="occlusion", window=(4, 4), stride=(4, 3), return_details=True
    )
    columns = drops(model, pair).sum(1)  # the window is as high as the picture
    left, right = columns[:, :4].sum(1), columns[:, 3:].sum(1)  # from 0; from 3, cut at 6
    torch.testing.assert_close(found[:, 0, 0, 0], left)
    torch.testing.assert_close(found[:, 0, 0, 3], (left + right) / 2)
    torch.testing.assert_close(found[:, 0, 0, 5], right)
    assert details.forwards.tolist() == [3, 3]
    assert details.resolution == "1 × 2 positions of a window of 4 × 4 pixels"


def test_the_window_is_an_eighth_of_the_sides_and_moves_by_half_of_it(
    convolutional: nn.Module,
) -> None:
    picture = torch.randn(1, 3, 16, 32)
    _, details = attribute(convolutional, picture, method="occlusion", return_details=True)
    assert details.resolution == "15 × 15 positions of a window of 2 × 4 pixels"
    assert details.forwards.tolist() == [226]
    assert details.backwards.tolist() == [0]


def test_windows_that_change_nothing_cost_nothing() -> None:
    picture = torch.zeros(1, 2, 4, 6)
    picture[0, :, 0, 0] = 1.0
    found, details = attribute(
        Weighted(), picture, method="occlusion", window=2, stride=2, return_details=True
    )
    assert details.forwards.tolist() == [2]
    assert not found[0, :, 2:].any()


@pytest.mark.parametrize(
    "sizes",
    [{"window": 5}, {"window": 2, "stride": 3}, {"window": 0}, {"stride": 2}, {"window": (2, 7)}],
)
def test_windows_that_do_not_fit(pair: Tensor, sizes: dict[str, int | tuple[int, int]]) -> None:
    with pytest.raises(MethodError, match="expected 1 ≤ stride ≤ window ≤ side"):
        attribute(Weighted(), pair, method="occlusion", **sizes)


def test_windows_that_are_painted_over() -> None:
    """A spot gets the colour around it; other windows see some of its colour."""

    class Total(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels.sum((1, 2, 3))[:, None]

    picture = torch.full((1, 1, 6, 6), 0.5)
    picture[0, 0, 2, 2] = 2.5
    found = attribute(Total(), picture, method="occlusion", window=2, stride=2, baseline="inpaint")
    spot = found[0, 0, 2:4, 2:4].clone()
    torch.testing.assert_close(spot, torch.full((2, 2), 2.0), atol=1e-4, rtol=0)
    found[0, 0, 2:4, 2:4] = 0
    assert (found.abs() < 1).all()


def test_arrays_one_value_at_a_time() -> None:
    class Product(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return values.flatten(1).prod(1)

    values = torch.tensor([[[2.0, 3.0], [1.0, 0.5]]])
    found = attribute(Product(), values, method="occlusion", baseline=1.0)
    torch.testing.assert_close(found, torch.tensor([[[1.5, 2.0], [0.0, -3.0]]]))
    with pytest.raises(MethodError, match="for pictures only; arrays are occluded one value"):
        attribute(Product(), values, method="occlusion", window=1)


def test_words_are_masked_one_at_a_time(text_model: Model) -> None:
    inputs = text_model.prepare(["a good film", "bad film"])
    found, details = attribute(
        text_model, inputs, method="occlusion", target="positive", return_details=True
    )
    masked = inputs["input_ids"].clone()
    masked[0, 2] = 4
    with text_model.evaluating(), torch.no_grad():
        score = text_model.logits(inputs | {"input_ids": masked})[0, 1]
    torch.testing.assert_close(found[0, 2], details.scores[0] - score)
    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    assert not found[special].any()
    assert details.forwards.tolist() == [4, 3]


@pytest.fixture
def partial(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Partial passes on small pictures too; collects the share of a whole pass that is planned."""
    shares: list[float] = []
    share = Incremental.share.fget
    assert share is not None

    def noted(incremental: Incremental) -> float:
        shares.append(share(incremental))
        return shares[-1]

    monkeypatch.setattr(Incremental, "share", property(noted))
    monkeypatch.setattr(perturbation, "WORTH_A_TRACE", 0)
    return shares


class Trunk(nn.Module):
    """Two convolutions with a batch norm and pooling; NHWC if asked for."""

    def __init__(self, *, channels_last: bool = False) -> None:
        super().__init__()
        self.channels_last = channels_last
        self.first, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.second, self.pool = nn.Conv2d(6, 8, 3, stride=2), nn.MaxPool2d(2)
        self.fc = nn.Linear(8, 4)
        self.norm.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]

    def forward(self, pixels: Tensor) -> Tensor:
        planes = pixels.permute(0, 3, 1, 2) if self.channels_last else pixels
        hidden = self.pool(self.norm(self.first(planes)).relu())
        return self.fc(self.second(hidden).relu().mean((2, 3)))


@pytest.fixture
def trunk() -> Trunk:
    torch.manual_seed(5)
    return Trunk().eval()


@pytest.fixture
def wide() -> Tensor:
    return torch.randn(2, 3, 22, 31, generator=torch.Generator().manual_seed(6))


def whole_passes(monkeypatch: pytest.MonkeyPatch, *given: Any, **options: Any) -> Tensor:
    """Occlusion by whole passes alone."""
    with monkeypatch.context() as context:
        context.setattr(perturbation, "WORTH_A_TRACE", 2**62)
        return attribute(*given, method="occlusion", **options)


@pytest.mark.parametrize("baseline", [None, 0.5, "mean", "blur"])
def test_partial_passes_give_the_same_values(
    trunk: Trunk,
    wide: Tensor,
    baseline: str | float | None,
    partial: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options: dict[str, Any] = {"window": (5, 4), "stride": (3, 4), "baseline": baseline}
    expected = whole_passes(monkeypatch, trunk, wide, **options)
    found, details = attribute(trunk, wide, method="occlusion", return_details=True, **options)
    assert_agree(found, expected)
    assert len(partial) == 1
    assert partial[0] < 0.4
    windows = 7 * 8
    assert (details.forwards < 3 + 0.6 * windows).all()
    assert (details.forwards >= 2).all()


@pytest.mark.parametrize("max_batch", [None, 3])
@pytest.mark.parametrize(
    "goal",
    [{}, {"target": 2, "against": 0}, {"target": lambda logits: logits[:, 0] * logits[:, 1]}],
)
def test_partial_passes_for_any_target_and_batch(
    trunk: Trunk,
    wide: Tensor,
    goal: dict[str, Any],
    max_batch: int | None,
    partial: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options: dict[str, Any] = {"window": 6, "max_batch": max_batch, **goal}
    expected = whole_passes(monkeypatch, trunk, wide, **options)
    found = attribute(trunk, wide, method="occlusion", **options)
    alone = torch.cat([attribute(trunk, x[None], method="occlusion", **options) for x in wide])
    assert_agree(found, expected)
    torch.testing.assert_close(found, alone, rtol=1e-5, atol=1e-7)
    assert partial


def test_partial_passes_leave_the_model_and_unchanged_windows_alone(
    trunk: Trunk,
    wide: Tensor,
    partial: list[float],
    unchanged: Callable[[nn.Module], AbstractContextManager[None]],
) -> None:
    wide[:, :, 8:] = 0.0
    with unchanged(trunk):
        found = attribute(trunk, wide, method="occlusion", window=4, stride=4)
    assert partial
    assert found[:, :, :8].any()
    assert not found[:, :, 8:].any()


def test_partial_passes_of_a_model_for_channels_last_pictures(
    wide: Tensor, partial: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(5)
    model = Trunk(channels_last=True).eval()
    pixels = wide.permute(0, 2, 3, 1).contiguous()
    expected = whole_passes(monkeypatch, model, pixels, window=5)
    assert_agree(attribute(model, pixels, method="occlusion", window=5), expected)


def test_whole_passes_where_types_have_few_digits(
    trunk: Trunk, wide: Tensor, partial: list[float]
) -> None:
    found = attribute(trunk.bfloat16(), wide, method="occlusion", window=8)
    assert found.isfinite().all()
    assert not partial


def test_whole_passes_where_the_way_depends_on_the_numbers(
    wide: Tensor, partial: list[float]
) -> None:
    class Forked(Trunk):
        def forward(self, pixels: Tensor) -> Tensor:
            return super().forward(pixels if pixels.sum() > 0 else -pixels)

    _, details = attribute(
        Forked().eval(), wide, method="occlusion", window=11, stride=10, return_details=True
    )
    assert not partial
    assert details.forwards.tolist() == [1 + 3 * 3] * 2


@pytest.mark.oracle
def test_partial_passes_against_captum(trunk: Trunk, wide: Tensor, partial: list[float]) -> None:
    captum = pytest.importorskip("captum.attr")
    expected = captum.Occlusion(trunk).attribute(wide, (3, 5, 7), strides=(3, 4, 3), target=1)
    found = attribute(trunk, wide, method="occlusion", window=(5, 7), stride=(4, 3), target=1)
    assert_agree(found, expected)
    assert partial
