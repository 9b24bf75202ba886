"""A graph is the model: same logits, same activations, on any batch; and the model stays as is."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from pellucid.errors import LayerError, ModelError
from pellucid.graph.graph import Graph
from pellucid.model import ArrayInput, Model


@pytest.mark.parametrize("count", [1, 2, 5])
def test_it_runs_as_the_model_does_on_any_batch(mixed, count):
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    pixels = {"": torch.randn(count, 3, 12, 12)}
    with model.evaluating():
        assert_close(graph.run(pixels), model.logits(pixels))
    assert (graph.how, graph.why, graph.inputs) == ("export", "", ("",))


def test_one_sample_is_enough_to_record(mixed):
    model, inputs = mixed
    graph = Graph.of(model, {"": inputs[""][:1]})
    with model.evaluating():
        assert_close(graph.run(inputs), model.logits(inputs))


def test_it_works_on_the_models_own_weights(mixed):
    """Training the graph trains the model, and new weights are seen at once."""
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    own = dict(model.module.named_parameters())
    assert all(p is own[n.removeprefix("module.")] for n, p in graph.program.named_parameters())
    graph.run(inputs).sum().backward()
    found = [p.grad.clone() for p in own.values()]
    model.module.zero_grad()
    with model.evaluating():
        model.logits(inputs).sum().backward()
    assert_close(found, [p.grad for p in own.values()])
    with torch.no_grad():
        model.module.head.bias += 1
    with model.evaluating():
        assert_close(graph.run(inputs), model.logits(inputs))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_recording_leaves_the_model_as_it_was(mixed, context):
    model, inputs = mixed
    model.module.train()
    model.module.blocks[1].eval()
    model.module.head.bias.requires_grad = False
    modes = [part.training for part in model.module.modules()]
    state = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    with context():
        Graph.of(model, inputs)
    assert [part.training for part in model.module.modules()] == modes
    assert_close(dict(model.module.state_dict()), state, rtol=0, atol=0)
    assert not model.module.head.bias.requires_grad
    assert not any(part._forward_hooks for part in model.module.modules())
    assert torch.backends.mha.get_fastpath_enabled()


def test_activations_are_what_forward_hooks_see(mixed, listened):
    """Also of an identity, of a ReLU that works in place, and of one that is called twice."""
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    names = [name for name, _ in model.module.named_modules() if name]
    assert_close(graph.activations(names, inputs), listened(model, inputs))


def test_activations_stop_at_the_last_layer_that_is_asked_for(mixed):
    """What follows the layer is not run: it would fail here."""
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    expected = graph.activations(["blocks[0]"], inputs)["blocks[0]"]
    with torch.no_grad():
        model.module.attention.qkv.weight.fill_(torch.nan)
    found = graph.activations(["blocks[0]"], inputs)
    assert list(found) == ["blocks[0]"]
    assert_close(found["blocks[0]"], expected)
    part = graph.recording.parts[("blocks.0",)]
    assert not any(node.target == "module.head.weight" for node in part.graph.nodes)


def test_attention_probabilities_are_a_softmax_even_where_attention_is_fused(mixed):
    model, inputs = mixed
    program = Graph.of(model, inputs).program
    found = [n for n in program.graph.nodes if n.target is torch.ops.aten.softmax.int]
    assert [tuple(n.meta["val"].shape[1:]) for n in found] == [(2, 4, 4)]


class Masked(nn.Module):
    """Attention under a mask, causal or given, that hides all from one query."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.embed = nn.Linear(3, 8)

    def forward(self, x: Tensor) -> Tensor:
        q = self.embed(x)[:, None]
        mask = torch.ones(4, 4, dtype=torch.bool).tril(-1)
        kinds = {
            "causal": {"is_causal": True},
            "boolean": {"attn_mask": mask},
            "additive": {"attn_mask": torch.zeros(4, 4).masked_fill(~mask, -torch.inf)},
            "scaled": {"scale": 0.3},
        }
        return nn.functional.scaled_dot_product_attention(q, q, q, **kinds[self.how])[:, 0, :, 0]


@pytest.mark.parametrize("how", ["causal", "boolean", "additive", "scaled"])
def test_fused_attention_is_taken_apart_exactly(how):
    torch.manual_seed(0)
    model = Model(module=Masked(how).eval(), source="masked", input=ArrayInput())
    inputs = {"": torch.randn(3, 4, 3)}
    graph = Graph.of(model, inputs)
    assert graph.how == "export"
    assert_close(graph.run(inputs), model.logits(inputs))


class Several(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 6)
        self.rnn = nn.LSTM(6, 8, batch_first=True)
        self.aside = nn.Linear(8, 2)
        self.head = nn.Linear(8, 3)

    def forward(self, *, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        found, _ = self.rnn(self.embed(input_ids))
        pooled = (found * attention_mask[:, :, None]).sum(1)
        return {"aside": self.aside(pooled), "logits": self.head(pooled)}


def test_named_inputs_dict_outputs_and_tuples_inside(listened):
    torch.manual_seed(0)
    model = Model(module=Several().eval(), source="several", input=ArrayInput())
    ids = torch.randint(0, 20, (3, 4))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    graph = Graph.of(model, inputs)
    assert graph.inputs == ("input_ids", "attention_mask")
    assert_close(graph.run(dict(reversed(inputs.items()))), model.logits(inputs))
    assert_close(graph.activations(["rnn"], inputs)["rnn"], listened(model, inputs)["rnn"])
    with pytest.raises(LayerError, match="'aside' gives no tensor that the logits depend on"):
        graph.activations(["aside"], inputs)


def test_wrong_inputs_are_refused(mixed):
    model, inputs = mixed
    graph = Graph.of(model, inputs)
    with pytest.raises(ModelError, match=r"recorded for \(any, 3, 12, 12\)"):
        graph.run({"": torch.randn(2, 3, 14, 14)})
    with pytest.raises(ModelError, match=r"inputs \['pixels'\] were given"):
        graph.run({"pixels": inputs[""]})


def test_it_is_recorded_once_and_anew_when_the_model_changes(mixed):
    model, inputs = mixed
    first = Graph.of(model, inputs)
    assert Graph.of(model, {"": torch.randn(7, 3, 12, 12)}).recording is first.recording
    model.module.head.bias = nn.Parameter(torch.zeros(5))
    second = Graph.of(model, inputs)
    assert second.recording is not first.recording
    model.module.blocks[0].relu = nn.Tanh()
    third = Graph.of(model, inputs)
    with model.evaluating():
        assert_close(third.run(inputs), model.logits(inputs))


def test_a_recording_does_not_keep_its_module_alive(mixed):
    model, inputs = mixed
    Graph.of(model, inputs)
    watched = weakref.ref(model.module)
    model.module = nn.Identity()
    gc.collect()
    assert watched() is None


def test_it_tells_what_it_is(mixed):
    model, inputs = mixed
    text = str(Graph.of(model, inputs))
    assert text.startswith("Graph of Mixed (export): ")
    assert "operators, 1,757 parameters" in text


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_types_of_numbers(mixed, dtype):
    model, inputs = mixed
    model.module.to(dtype)
    pixels = {"": inputs[""].to(dtype)}
    graph = Graph.of(model, pixels)
    assert graph.how == "export"
    with model.evaluating():
        assert_close(graph.run(pixels), model.logits(pixels))
