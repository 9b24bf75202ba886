"""Running on from a layer gives what the whole model gives."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from pellucid.errors import LayerError
from pellucid.graph.graph import Graph
from pellucid.graph.suffix import Suffix
from pellucid.model import ArrayInput, Model

LAYERS = ("stem", "blocks[0].norm", "blocks[0].same", "blocks[0].relu", "blocks[-1]",
          "attention", "drop", "head")  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("rows", [[0, 1, 2], [1], [2, 0, 0, 1, 2, 2, 0]])
def test_a_suffix_goes_on_from_any_layer_for_any_rows(mixed, layer, rows):
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    suffix, chosen = graph.suffix(layer), torch.tensor(rows)
    output = graph.activations([layer], inputs)[layer]
    kept = suffix.prepare(inputs)
    assert all(len(tensor) == 3 for tensor in kept)
    assert_close(suffix(output[chosen], kept, chosen), graph.run(inputs)[chosen])


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        ("blocks[1]", []),
        ("head", []),
        ("blocks[1].conv", [(8, 6, 6)]),
        ("attention", [(36, 8)]),
    ],
)
def test_only_what_the_rest_needs_is_kept(mixed, layer, shapes):
    """Nothing behind a block; the skip connection inside one."""
    model, inputs = mixed
    kept = Graph.of(model, inputs).suffix(layer).prepare(inputs)
    assert [sorted(t.shape[1:]) for t in kept] == [sorted(shape) for shape in shapes]


def test_changing_a_layer_is_what_a_hook_would_do(mixed):
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    suffix = graph.suffix("blocks.0.norm")
    output = graph.activations(["blocks.0.norm"], inputs)["blocks.0.norm"].clone()
    output[:, 3] = 0
    found = suffix(output, suffix.prepare(inputs), torch.arange(3))

    def silence(_module, _arguments, out):
        changed = out.clone()
        changed[:, 3] = 0
        return changed

    hook = model.module.blocks[0].norm.register_forward_hook(silence)
    with model.evaluating():
        assert_close(found, model.logits(inputs))
    hook.remove()


def test_gradients_flow_from_the_logits_to_the_layer(mixed):
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    suffix, kept = graph.suffix("stem"), ()
    output = graph.activations(["stem"], inputs)["stem"].detach().requires_grad_()
    (found,) = torch.autograd.grad(suffix(output, kept, torch.arange(3))[:, 0].sum(), output)
    leaf = model.module.stem(inputs[""]).detach().requires_grad_()
    rest = nn.Sequential(model.module.blocks)
    model.module.eval()
    tokens = rest(leaf).flatten(2).transpose(1, 2)
    logits = model.module.head((tokens + model.module.attention(tokens)).mean(1))
    (expected,) = torch.autograd.grad(logits[:, 0].sum(), leaf)
    assert_close(found, expected)


@pytest.fixture(scope="module")
def chain() -> tuple[Suffix, nn.Module]:
    """3 · (x + 1)² − x, cut behind the square: worked by hand below."""
    model = Model(module=Chain(), source="chain", input=ArrayInput())
    return Graph.of(model, {"": torch.randn(2, 1)}).suffix("square"), model.module


class Square(nn.Module):
    def forward(self, x):
        return (x + 1) ** 2


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.square = Square()

    def forward(self, x):
        return 3 * self.square(x) - x


@settings(max_examples=20, deadline=None)
@given(
    values=st.lists(st.floats(-10, 10), min_size=1, max_size=5),
    outputs=st.lists(st.floats(-10, 10), min_size=1, max_size=9),
    data=st.data(),
)
def test_a_suffix_by_hand(chain, values, outputs, data):
    suffix, _ = chain
    x, output = torch.tensor(values)[:, None], torch.tensor(outputs)[:, None]
    picks = st.lists(st.integers(0, len(x) - 1), min_size=len(output), max_size=len(output))
    rows = torch.tensor(data.draw(picks))
    assert_close(suffix(output, suffix.prepare({"": x}), rows), 3 * output - x[rows])


class Picking(nn.Module):
    """Takes the last word of each text by numbering the batch, as GPT-2's classifier does."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(2, 4), nn.Linear(4, 3)

    def forward(self, x, *, last):
        state = torch.zeros(x.shape[0], 4) + 1
        words = self.head(self.body(x) + state[:, None])
        return words[torch.arange(x.shape[0]), last]


def test_numbers_of_the_batch_are_not_taken_for_samples():
    torch.manual_seed(0)
    model = Model(module=Picking(), source="picking", input=ArrayInput())
    inputs = {"": torch.randn(3, 5, 2), "last": torch.tensor([4, 0, 2])}
    graph = Graph.of(model, inputs)
    suffix, rows = graph.suffix("body"), torch.tensor([2, 2, 0, 1, 0])
    output, kept = graph.activations(["body"], inputs)["body"], suffix.prepare(inputs)
    assert [tuple(tensor.shape) for tensor in kept] == [(3,)]
    assert_close(suffix(output[rows], kept, rows), graph.run(inputs)[rows])


def test_a_layer_without_a_row_per_sample_is_refused(mixed):
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    with pytest.raises(LayerError, match="no row for each sample"):
        graph.suffix("attention.qkv")
    with pytest.raises(LayerError, match=r"'blocks\[5\]' does not exist: 'blocks' has 2 children"):
        graph.suffix("blocks[5]")
