"""Rules by operator: what is sent back is exact for every operator, and new rules are easy to add."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

from pellucid.errors import MethodError
from pellucid.graph.operators import decompositions
from pellucid.graph.propagation import Propagation, Rules, Step, bend
from pellucid.graph.propagation.differences import rules as deeplift_rules

Function = Callable[[Tensor], Tensor]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def send(function: Function, x: Tensor, base: Tensor | None, rules: Rules) -> tuple[Tensor, Tensor]:
    """What the input is sent if every output is sent 1, and the output's change."""
    table = dict(decompositions().items())
    program = make_fx(lambda given: function(given), decomposition_table=table)(x)
    start = next(node for node in program.graph.nodes if node.op == "placeholder")
    plan = Propagation(
        module=program, graph=program.graph, start=start, fixed={}, rules=rules, dtype=x.dtype
    )
    leaf = x.clone().requires_grad_()
    output, base_output = plan.run(leaf, base)
    torch.testing.assert_close(output.detach(), function(x))
    (sent,) = torch.autograd.grad(output.sum(), leaf, materialize_grads=True)
    return sent, (output.detach() - base_output).sum()


W = drawn(6, 6, seed=9)
FUNCTIONS: dict[str, Function] = {
    "linear": lambda x: F.linear(x, W),
    "relu": torch.relu,
    "gelu": F.gelu,
    "gelu, by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "hardswish": F.hardswish,
    "elu": F.elu,
    "leaky relu": F.leaky_relu,
    "softplus": F.softplus,
    "mish": F.mish,
    "clamp": lambda x: x.clamp(-0.5, 0.5),
    "sigmoid, tanh": lambda x: x.sigmoid() * x.flip(-1).tanh(),
    "exp, log": lambda x: (x.exp() + 1).log(),
    "product": lambda x: x[..., :3] * x[..., 3:],
    "square": lambda x: x * x,
    "power": lambda x: x**3,
    "division": lambda x: x[..., :3] / (x[..., 3:].square() + 0.1),
    "division that changes sign": lambda x: x[..., :3] / x[..., 3:],
    "reciprocal": lambda x: 1 / (1 + x.square()),
    "matmul": lambda x: x.view(-1, 2, 3) @ x.view(-1, 3, 2),
    "softmax": lambda x: x.softmax(-1) * torch.arange(6.0),
    "log softmax": lambda x: x.log_softmax(-1)[..., 0],
    "logsumexp": lambda x: x.logsumexp(-1),
    "attention": lambda x: F.scaled_dot_product_attention(*(x.view(-1, 1, 2, 3) * k for k in (1, 2, 3))),
    "layer norm": lambda x: F.layer_norm(x, (6,)) * torch.arange(6.0),
    "group norm": lambda x: F.group_norm(x, 2) * torch.arange(6.0),
    "root mean square": lambda x: x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt(),
    "length": lambda x: F.normalize(x, dim=-1)[..., 0],
    "variance": lambda x: x.var(-1) + x.std(-1),
    "max pool": lambda x: F.max_pool2d(x.view(-1, 1, 2, 3), 2, 1, 1),
    "maximum over an axis": lambda x: x.amax(-1) - x.amin(-1),
    "maximum and its place": lambda x: x.max(-1).values,
    "greater of two": lambda x: torch.maximum(x[..., :3], x[..., 3:] ** 2),
    "mean, cat": lambda x: torch.cat([x.mean(-1, keepdim=True), 2 * x], -1),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("base", ["zero", "other", "constant", "near", "same"])
def test_multipliers_carry_every_difference(name: str, base: str) -> None:
    if name == "division that changes sign" and base == "zero":
        pytest.skip("0 / 0 has no value")
    x = drawn(4, 6)
    start = {
        "zero": torch.zeros_like(x),
        "other": drawn(4, 6, seed=1),
        "constant": torch.full_like(x, 0.7),
        "near": x + 1e-9 * drawn(4, 6, seed=1),
        "same": x.clone(),
    }[base]
    sent, change = send(FUNCTIONS[name], x, start, deeplift_rules)
    assert sent.isfinite().all()
    scale = max(1.0, float((sent * (x - start)).abs().sum()))
    assert math.isclose(float((sent * (x - start)).sum()), float(change), abs_tol=1e-10 * scale)


@given(st.integers(0, 10_000), st.sampled_from(sorted(FUNCTIONS)), st.floats(0.01, 30))
@settings(max_examples=20, deadline=None)
def test_multipliers_carry_every_difference_of_any_size(seed: int, name: str, size: float) -> None:
    x, base = size * drawn(2, 6, seed=seed), size * drawn(2, 6, seed=seed + 1)
    sent, change = send(FUNCTIONS[name], x, base, deeplift_rules)
    scale = max(1.0, float((sent * (x - base)).abs().sum()))
    assert math.isclose(float((sent * (x - base)).sum()), float(change), abs_tol=1e-9 * scale)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (F.silu, lambda x: x * torch.sigmoid(x)),
        (F.silu, lambda x: x / (1 + (-x).exp())),
        (F.hardswish, lambda x: x * F.relu6(x + 3) / 6),
        (F.elu, lambda x: torch.where(x > 0, x, x.exp() - 1)),
        (
            lambda x: F.gelu(x, approximate="tanh"),
            lambda x: 0.5 * x * (1 + ((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)).tanh()),
        ),
    ],
)
def test_a_function_is_the_same_however_it_is_written(one: Function, other: Function) -> None:
    x, base = drawn(5, 6), drawn(5, 6, seed=3)
    torch.testing.assert_close(
        send(one, x, base, deeplift_rules)[0], send(other, x, base, deeplift_rules)[0]
    )
    torch.testing.assert_close(
        send(other, x, base, deeplift_rules)[0], (one(x) - one(base)) / (x - base)
    )


def test_maximum_goes_to_the_winner_that_explains_it() -> None:
    rose, _ = send(lambda x: x.amax(-1), torch.tensor([[1.0, 4.0]]), torch.tensor([[2.0, 0.0]]), deeplift_rules)  # fmt: skip
    assert rose.tolist() == [[0.0, 0.5]]
    fell, _ = send(lambda x: x.amax(-1), torch.tensor([[0.0, 1.0]]), torch.tensor([[4.0, 3.0]]), deeplift_rules)  # fmt: skip
    assert fell.tolist() == [[0.75, 0.0]]


def test_a_baseline_without_variance_costs_no_precision() -> None:
    x = drawn(3, 64).float()
    sent, change = send(lambda x: F.layer_norm(x, (64,), eps=1e-12)[:, 0], x, torch.zeros_like(x), deeplift_rules)  # fmt: skip
    assert abs(float((sent * x).sum() - change)) < 1e-5 * abs(float(change))


def test_masked_attention() -> None:
    mask = torch.tensor([[0.0, -math.inf, 0.0], [torch.finfo(torch.float64).min, 0.0, 0.0]])
    x, base = drawn(2, 3), drawn(2, 3, seed=1)
    value = torch.arange(3.0, dtype=torch.float64)
    sent, change = send(lambda x: (x + mask).softmax(-1) @ value, x, base, deeplift_rules)
    assert sent.isfinite().all()
    assert sent[0, 1] == sent[1, 0] == 0
    torch.testing.assert_close((sent * (x - base)).sum(), change)


def test_softmaxes_far_apart_neither_overflow_nor_vanish() -> None:
    x, base = torch.tensor([[2000.0, 0.0, -5.0]]), torch.tensor([[-3000.0, 0.0, 5.0]])
    sent, change = send(lambda x: x.softmax(-1)[:, 0], x, base, deeplift_rules)
    torch.testing.assert_close((sent * (x - base)).sum(), change)


def test_another_way_at_the_baseline_is_refused() -> None:
    with pytest.raises(MethodError, match="takes another way for the input than for its baseline"):
        send(lambda x: torch.where(x.flip(-1) > 0, x.exp(), x), drawn(2, 3), -drawn(2, 3), deeplift_rules)  # fmt: skip


def test_an_operator_without_a_rule_is_refused_by_name() -> None:
    with pytest.raises(MethodError, match=r"not defined for the operator 'aten.cumprod.default'"):
        send(lambda x: x.cumprod(-1), drawn(2, 3), drawn(2, 3, seed=1), deeplift_rules)


def test_a_rule_is_one_small_function() -> None:
    rules = Rules("halving", unknown=Step.plain)

    @rules.rule(torch.ops.aten.sin.default)
    def half(step: Step) -> Any:
        return bend(step.value(), step.args[:1], lambda sent: (sent / 2,))

    sent, _ = send(lambda x: 3 * x.sin(), drawn(2, 3), None, rules)
    assert sent.eq(1.5).all()


def test_values_are_freed_as_soon_as_they_are_not_needed() -> None:
    program = make_fx(lambda x: x.relu().relu().relu().relu().relu())(drawn(2, 3))
    start = next(node for node in program.graph.nodes if node.op == "placeholder")
    plan = Propagation(
        module=program, graph=program.graph, start=start, fixed={}, rules=deeplift_rules,
        dtype=torch.float64,
    )  # fmt: skip
    assert sorted(len(ended) for ended in plan.ends.values()) == [1, 1, 1, 1, 1]
