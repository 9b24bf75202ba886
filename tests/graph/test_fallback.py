"""What cannot be exported is watched on one batch, or at least listened to, and says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from pellucid.errors import ModelError
from pellucid.graph.graph import Graph
from pellucid.model import ArrayInput, Model


class Branching(nn.Module):
    """Its way depends on the numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.head(x.relu() if x.sum() > 0 else x.tanh())


class Elsewhere(Branching):
    """Leaves PyTorch on the way."""

    def forward(self, x: Tensor) -> Tensor:
        x = torch.from_numpy(np.tanh(self.body(x).detach().numpy()))
        return self.head(x)


@pytest.fixture
def inputs() -> dict[str, Tensor]:
    return {"": torch.randn(4, 6, generator=torch.Generator().manual_seed(0))}


def model_of(kind: type[nn.Module]) -> Model:
    torch.manual_seed(0)
    return Model(module=kind().eval(), source=kind.__name__, input=ArrayInput())


@pytest.mark.parametrize("sign", [1, -1])
def test_a_branch_is_recorded_as_the_batch_takes_it(inputs, sign):
    model = model_of(Branching)
    with torch.no_grad():
        model.module.body.bias.fill_(10 * sign)
    graph = Graph.of(model, inputs)
    assert graph.how == "dispatch"
    assert "data-dependent" in graph.why
    assert "\n" not in graph.why
    assert_close(graph.run(inputs), model.logits(inputs))
    taken = torch.ops.aten.relu.default if sign > 0 else torch.ops.aten.tanh.default
    assert any(node.target is taken for node in graph.program.graph.nodes)
    body = model.module.body(inputs[""])
    assert_close(graph.activations(["body"], inputs)["body"], body)
    assert "(dispatch)" in str(graph)


def test_a_watched_call_holds_for_its_batch_only(inputs):
    graph = Graph.of(model_of(Branching), inputs)
    with pytest.raises(ModelError, match="recorded for"):
        graph.run({"": torch.randn(2, 6)})
    with pytest.raises(ModelError, match="holds for one batch only"):
        graph.suffix("body")


def test_hooks_are_the_last_resort(inputs, listened):
    model = model_of(Elsewhere)
    graph = Graph.of(model, inputs)
    assert graph.how == "hooks"
    assert_close(graph.run(inputs), model.logits(inputs))
    assert_close(graph.activations(["body", "head"], inputs), listened(model, inputs))
    for refused in (lambda: graph.program, lambda: graph.suffix("body"), graph.cost):
        with pytest.raises(ModelError, match="Elsewhere has no graph of operators"):
            refused()
    assert "no operators" in str(graph)
    assert not any(part._forward_hooks for part in model.module.modules())


def test_zeros_do_not_hide_a_way_around_pytorch(inputs):
    zeros = {"": torch.zeros_like(inputs[""])}
    assert Graph.of(model_of(Elsewhere), zeros).how == "hooks"


class Literal(Branching):
    """Branches, and has a constant written in its call: not a way around PyTorch."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * torch.tensor([1.0, 2.0, 3.0])


def test_a_constant_in_the_call_is_not_a_way_around(inputs):
    model = model_of(Literal)
    graph = Graph.of(model, inputs)
    assert graph.how == "dispatch"
    assert_close(graph.run(inputs), model.logits(inputs))
    with torch.no_grad():
        model.module.head.bias += 1
    assert_close(graph.run(inputs), model.logits(inputs))
