"""What methods want at the samples themselves is computed once, in one pass."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from pellucid.attribution.attribute import attribute, open_call
from pellucid.errors import MethodError

ROWS = torch.arange(5)


def test_layers_and_input_share_a_pass(convolutional, pixels):
    with open_call(convolutional, pixels, 0) as (alone, _):
        expected = {name: alone.at_layer(name, ROWS) for name in ("first", "second")}
        gradient = alone.own_gradients()
        assert alone.forwards.tolist() == [3] * 5
    with open_call(convolutional, pixels, 0) as (call, _):
        call.expect(layers=["first", "second"], gradients=True)
        found = {name: call.at_layer(name, ROWS) for name in ("first", "second")}
        torch.testing.assert_close(call.own_gradients(), gradient)
        assert call.forwards.tolist() == call.backwards.tolist() == [1] * 5
    torch.testing.assert_close(found, expected)


def test_a_layer_alone_stops_the_backward_pass_there(convolutional, pixels):
    seen = []
    convolutional.first.register_full_backward_hook(lambda *_: seen.append("first"))
    with open_call(convolutional, pixels, 0) as (call, _):
        call.at_layer("second", ROWS)
    assert not seen


def test_at_a_layer_for_other_points(convolutional, pixels):
    rows = torch.tensor([1, 1, 4])
    with open_call(convolutional, pixels, 0) as (call, _):
        output, gradient = call.at_layer("second", rows, pixels[rows])
        own = call.at_layer("second", rows)
    torch.testing.assert_close((output, gradient), own)


def test_scores_come_with_their_gradients(convolutional, pixels):
    with open_call(convolutional, pixels, 0, max_batch=2) as (call, _):
        scores, gradients = call.scores_and_gradients(0.5 * pixels, ROWS)
        torch.testing.assert_close(scores, call.scores(0.5 * pixels, ROWS))
        torch.testing.assert_close(gradients, call.gradients(0.5 * pixels, ROWS))


def test_methods_asked_for_together_are_those_asked_for_singly(convolutional, pixels):
    names = ["grad_cam", "integrated_gradients", "occlusion"]
    together = attribute(convolutional, pixels, method=names, target=1)
    for name in names:
        alone = attribute(convolutional, pixels, method=name, target=1)
        torch.testing.assert_close(together[name], alone)


def test_parameters_go_to_the_methods_that_take_them(convolutional, pixels):
    names = ["grad_cam", "occlusion"]
    found = attribute(convolutional, pixels, method=names, window=4, upsample=False)
    assert found["grad_cam"].shape == (5, 6, 6)
    with pytest.raises(MethodError, match=r"none of the methods .* takes 'widnow'"):
        attribute(convolutional, pixels, method=names, widnow=4)


def test_an_input_that_the_model_cannot_take(convolutional):
    with pytest.raises(
        MethodError, match=r"cannot run on input \(2, 4, 8, 8\) float32: .*Expected"
    ):
        attribute(convolutional, torch.randn(2, 4, 8, 8))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_sample_whose_cells_are_flattened_behind_a_batch_norm(dtype):
    """PyTorch 2.14 gives wrong gradients for it on CPUs, unless they are put in order."""
    torch.manual_seed(0)

    class Flattened(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.after = nn.BatchNorm2d(6), nn.LayerNorm(6)
            self.head = nn.Linear(6, 2)
            nn.init.normal_(self.norm.weight)

        def forward(self, pixels):
            tokens = self.norm(pixels).flatten(2).transpose(1, 2)
            return self.head(self.after(tokens)).sin().sum(1)

    model, pixels = Flattened().to(dtype), torch.randn(2, 6, 5, 5, dtype=dtype)
    together = attribute(model, pixels, method="input_x_gradient", target=0)
    alone = attribute(model, pixels[:1], method="input_x_gradient", target=0)
    assert_close(alone, together[:1])


def test_a_graph_is_traced_once_for_calls_of_single_samples(convolutional, pixels):
    graphs = []
    for _ in range(2):
        with open_call(convolutional, pixels[:1], 0) as (call, _):
            call.own_gradients()
            graphs.append(call.graph)
    assert graphs[0].recording is graphs[1].recording
