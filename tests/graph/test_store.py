"""What is kept on disk gives the same graph again, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from pellucid.graph import record as recording
from pellucid.graph.graph import Graph
from pellucid.model import ArrayInput, Model


@pytest.fixture
def no_export(monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("the model was traced again")

    return lambda: monkeypatch.setattr(recording, "export", refuse)


def again(model: Model) -> Model:
    """The same architecture with other weights."""
    torch.manual_seed(7)
    return Model(module=type(model.module)(), source=model.source, input=model.input)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.norm, self.head = nn.Linear(6, 4), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.norm(self.body(x)).relu())


@pytest.fixture
def small():
    torch.manual_seed(0)
    return Model(module=Small(), source="small", input=ArrayInput()), {"": torch.randn(3, 6)}


def test_another_model_of_the_same_architecture_needs_no_tracing(mixed, cache, no_export):
    model, inputs = mixed
    first = Graph.of(model, inputs)
    (file,) = cache.iterdir()
    assert file.stat().st_size < 200_000
    no_export()
    other = again(model)
    graph = Graph.of(other, inputs)
    more = {"": torch.randn(5, 3, 12, 12)}
    with other.evaluating():
        assert_close(graph.run(more), other.logits(more))
    own = {id(p) for p in other.module.parameters()}
    assert {id(p) for p in graph.program.parameters()} == own
    assert graph.cost() == first.cost()
    layer, rows = "attention", torch.tensor([4, 0, 0])
    suffix, output = graph.suffix(layer), graph.activations([layer], more)[layer]
    assert_close(suffix(output[rows], suffix.prepare(more), rows), graph.run(more)[rows])
    for node, read in zip(first.program.graph.nodes, graph.program.graph.nodes, strict=True):
        assert (
            node.meta.get("nn_module_stack", {}).keys()
            == read.meta.get("nn_module_stack", {}).keys()
        )


def test_a_change_of_the_architecture_makes_a_new_file(small, cache):
    model, inputs = small
    Graph.of(model, inputs)
    changed = again(model)
    changed.module.norm.eps = 0.5
    graph = Graph.of(changed, inputs)
    assert len(list(cache.iterdir())) == 2
    with changed.evaluating():
        assert_close(graph.run(inputs), changed.logits(inputs))


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_a_broken_file_is_made_anew(small, cache, damage):
    model, inputs = small
    Graph.of(model, inputs)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    other = again(model)
    graph = Graph.of(other, inputs)
    with other.evaluating():
        assert_close(graph.run(inputs), other.logits(inputs))
    assert file.read_bytes() == whole


def test_a_file_that_gives_other_logits_is_not_believed(small, cache):
    """A file under the right name whose operators are another model's."""
    model, inputs = small
    Graph.of(model, inputs)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes().replace(b"aten.relu.default", b"aten.tanh.default"))
    other = again(model)
    graph = Graph.of(other, inputs)
    with other.evaluating():
        assert_close(graph.run(inputs), other.logits(inputs))


def test_a_file_cannot_name_anything_but_aten_operators(small, cache):
    model, inputs = small
    Graph.of(model, inputs)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes().replace(b"aten.relu.default", b"prim.rexp.default"))
    graph = Graph.of(again(model), inputs)
    assert any(n.target is torch.ops.aten.relu.default for n in graph.program.graph.nodes)


def test_the_cache_can_be_switched_off(small, cache, monkeypatch):
    monkeypatch.setenv("PELLUCID_CACHE", "off")
    model, inputs = small
    Graph.of(model, inputs)
    assert not cache.exists()


def test_what_has_no_stable_text_is_not_kept(small, cache):
    model, inputs = small
    model.module.extra = (value for value in (1, 2))
    Graph.of(model, inputs)
    assert not cache.exists()


def test_constants_are_kept(cache, no_export):
    model = Model(module=Shifted(), source="shifted", input=ArrayInput())
    inputs = {"": torch.randn(3, 6)}
    Graph.of(model, inputs)
    no_export()
    assert_close(Graph.of(again(model), inputs).run(inputs), Shifted()(inputs[""]))


class Shifted(nn.Module):
    def forward(self, x):
        return x + torch.arange(6).fmod(4).sin()
