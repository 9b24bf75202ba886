"""Methods that send a score back through the operators: worked by hand, axioms, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid import attribute
from pellucid.attribution.propagation.deeplift import TOLERANCE
from pellucid.errors import MethodError
from pellucid.model import Model

METHODS = ("attn_lrp", "deconvnet", "deep_shap", "deeplift", "guided_backprop", "lrp")
RULES = (
    "0", "epsilon", "gamma", "alpha_beta", "flat", "epsilon_plus", "epsilon_gamma_box",
    "epsilon_plus_flat",
)  # fmt: skip


class TwoLayers(nn.Module):
    """ReLU(x₀ + 2 x₁), ReLU(x₀ − x₁), and their weighted sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2, bias=False)
        self.last = nn.Linear(2, 1, bias=False)
        self.first.weight.data = torch.tensor([[1.0, 2.0], [1.0, -1.0]])
        self.last.weight.data = torch.tensor([[3.0, -1.0]])

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu())


class Reusing(nn.Module):
    """A residual block; `how` it rectifies makes no difference to what it computes."""

    def __init__(self, how: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)
        self.how = how
        self.one = nn.ReLU(inplace=how == "in place")
        self.other = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.rectified(self.norm(self.first(x)), self.one)
        last = self.one if self.how in ("shared", "in place") else self.other
        hidden = self.rectified(self.second(hidden) + hidden, last)
        return self.head(F.max_pool2d(hidden, 2).mean((2, 3)))

    def rectified(self, hidden: Tensor, module: nn.Module) -> Tensor:
        return F.relu(hidden) if self.how == "functional" else module(hidden)

    def extra_repr(self) -> str:
        return self.how


class Mixed(nn.Module):
    """Attention, layer norm, a gated unit, and squeeze-and-excitation over a sequence."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.up = nn.Linear(8, 16)
        self.down = nn.Linear(8, 8)
        self.squeeze = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        x = x + self.attention(normed, normed, normed)[0]
        signal, gate = self.up(x).chunk(2, -1)
        x = x + self.down(signal * F.silu(gate))
        return self.head((x * self.squeeze(x.mean(1, keepdim=True)).sigmoid()).amax(1))


@pytest.fixture(scope="module")
def mixed() -> nn.Module:
    return Mixed().eval()


@pytest.fixture(scope="module")
def sequence() -> Tensor:
    return torch.randn(4, 5, 8, generator=torch.Generator().manual_seed(2))


def test_deeplift_by_hand() -> None:
    # at (1, 2): 3 · ReLU(5) − ReLU(−1) = 15; at (2, 0): 3 · 2 − 2 = 4. Slopes 1 and 2/3.
    found, details = attribute(
        TwoLayers(), torch.tensor([[1.0, 2.0]]), method="deeplift", target=0,
        baseline=torch.tensor([[2.0, 0.0]]), return_details=True,
    )  # fmt: skip
    expected = torch.tensor([[-1 * (3 - 2 / 3), 2 * (6 + 2 / 3)]])
    torch.testing.assert_close(found, expected)
    assert details.completeness_error.max() < 1e-6


def test_deep_shap_is_the_mean_of_deeplift_with_its_error() -> None:
    x, several = torch.tensor([[1.0, 2.0], [0.5, -1.0]]), torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    each = torch.stack(
        [attribute(TwoLayers(), x, method="deeplift", target=0, baseline=b) for b in several]
    )
    found, details = attribute(
        TwoLayers(), x, method="deep_shap", target=0, baseline=several, return_details=True
    )
    torch.testing.assert_close(found, each.mean(0))
    torch.testing.assert_close(details.standard_error, each.std(0) / 2**0.5)
    assert details.completeness_error.max() < 1e-6


def test_deep_shap_refuses_samples_of_another_shape() -> None:
    with pytest.raises(MethodError, match=r"expected samples of shape \(k, 2\)"):
        attribute(TwoLayers(), torch.ones(1, 2), method="deep_shap", baseline=torch.ones(3, 4))


def test_lrp_by_hand() -> None:
    # z = (5, −1): R of the hidden units is (15, 0), and inputs contributed 1 and 4 to the first.
    x = torch.tensor([[1.0, 2.0]])
    zero = attribute(TwoLayers(), x, method="lrp", rule="0", target=0)
    torch.testing.assert_close(zero, torch.tensor([[3.0, 12.0]]))
    flat = attribute(TwoLayers(), x, method="lrp", rule="flat", target=0)
    torch.testing.assert_close(flat, torch.tensor([[7.5, 7.5]]), rtol=1e-5, atol=1e-5)


def test_alpha_beta_and_gamma_by_hand() -> None:
    # hidden (2, 3) at (4, −1)·: contributions to them are (4, −2) and (4, −1 · −1 = 1).
    module, x = TwoLayers(), torch.tensor([[4.0, -1.0]])
    module.last.weight.data = torch.tensor([[1.0, 0.0]])
    found = attribute(module, x, method="lrp", rule="alpha_beta", alpha=2.0, target=0)
    # R of the first is α · 2 = 4: 2 · 4 to x₀ as the only positive, −1 · 4 to x₁.
    torch.testing.assert_close(found, torch.tensor([[8.0, -4.0]]), rtol=1e-5, atol=1e-5)
    found = attribute(module, x, method="lrp", rule="gamma", gamma=1.0, target=0)
    # contributions above 0 count twice: 8 and −2 of 6, times R = 2.
    torch.testing.assert_close(found, torch.tensor([[8 / 3, -2 / 3]]), rtol=1e-5, atol=1e-5)


def test_deconvnet_and_guided_backpropagation_by_hand() -> None:
    # sent to the hidden units: (3, −1); deconvnet keeps 3 there, guided where the unit is on.
    x = torch.tensor([[1.0, 2.0], [-3.0, 0.0]])
    deconvnet = attribute(TwoLayers(), x, method="deconvnet", target=0)
    assert deconvnet.tolist() == [[3.0, 6.0], [3.0, 6.0]]
    guided = attribute(TwoLayers(), x, method="guided_backprop", target=0)
    assert guided.tolist() == [[3.0, 6.0], [0.0, 0.0]]


def test_guided_backpropagation_at_smooth_rectifiers() -> None:
    class Silu(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (F.silu(x) * torch.tensor([1.0, -1.0])).sum(1, keepdim=True)

    x = torch.tensor([[0.5, 0.5]])
    slope = float(torch.autograd.functional.jacobian(F.silu, x[0, :1]))
    guided = attribute(Silu(), x, method="guided_backprop", target=0)
    torch.testing.assert_close(guided, torch.tensor([[slope, 0.0]]))
    assert attribute(Silu(), x, method="deconvnet", target=0).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet"])
def test_without_rectifiers_they_are_refused(method: str) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with pytest.raises(MethodError, match="Sequential has none"):
        attribute(module, torch.ones(1, 3), method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["functional", "shared", "in place"])
def test_twins_get_the_same_map(method: str, how: str, pixels: Tensor) -> None:
    twins = [
        attribute(Reusing(kind).eval(), pixels[:2], method=method, target=1)
        for kind in ("separate", how)
    ]
    torch.testing.assert_close(*twins)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_equals_its_samples_and_the_model_stays(
    method: str, pixels: Tensor, unchanged: Callable[[nn.Module], AbstractContextManager[None]]
) -> None:
    module = Reusing("shared")
    with unchanged(module):
        together = attribute(module, pixels, method=method)
        alone = [attribute(module, one[None], method=method) for one in pixels]
        bounded = attribute(module, pixels, method=method, max_batch=2)
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together, bounded, rtol=1e-4, atol=1e-5)
    assert together.shape == pixels.shape


@pytest.mark.parametrize("method", METHODS)
def test_bf16_is_near_float32(method: str, pixels: Tensor) -> None:
    module = Reusing("shared").bfloat16()
    half = attribute(module, pixels[:2].bfloat16(), method=method, target=0)
    full = attribute(module.float(), pixels[:2].bfloat16().float(), method=method, target=0)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, rtol=1e-3, atol=1e-4)


@given(seed=st.integers(0, 1000), size=st.floats(0.01, 10))
@settings(max_examples=20, deadline=None)
def test_deeplift_is_complete(mixed: nn.Module, seed: int, size: float) -> None:
    made = torch.Generator().manual_seed(seed)
    x, base = (size * torch.randn(2, 5, 8, generator=made) for _ in range(2))
    found, details = attribute(
        mixed, x, method="deeplift", target=1, baseline=base, return_details=True
    )
    assert details.completeness_error.max() < TOLERANCE
    with torch.no_grad():
        change = mixed(x)[:, 1] - mixed(base)[:, 1]
    torch.testing.assert_close(found.flatten(1).sum(1), change, rtol=1e-3, atol=1e-4)


def test_deeplift_is_complete_to_rounding_in_float64(sequence: Tensor) -> None:
    module = Mixed().eval().double()
    for target in (
        0,
        lambda logits: logits.softmax(1)[:, 0],
        lambda logits: logits.square().sum(1),
    ):
        _, details = attribute(
            module, sequence.double(), method="deeplift", target=target, return_details=True
        )
        assert details.completeness_error.max() < 1e-10


def test_deeplift_of_a_contrast_is_the_difference(mixed: nn.Module, sequence: Tensor) -> None:
    one, other = (attribute(mixed, sequence, method="deeplift", target=t) for t in (0, 2))
    contrast = attribute(mixed, sequence, method="deeplift", target=0, against=2)
    torch.testing.assert_close(contrast, one - other, rtol=1e-4, atol=1e-5)


def test_a_sample_that_float32_cannot_carry_goes_on_in_float64() -> None:
    class Delicate(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return ((x + 3e4) - 3e4).sum(1, keepdim=True)

    x = 1e-2 * torch.rand(1, 6, generator=torch.Generator().manual_seed(0))
    found, details = attribute(Delicate(), x, method="deeplift", target=0, return_details=True)
    assert details.completeness_error.max() < 1e-5
    torch.testing.assert_close(found, x)
    assert details.forwards.tolist() == [5]


@given(seed=st.integers(0, 1000), rule=st.sampled_from(["0", "epsilon", "gamma"]))
@settings(max_examples=12, deadline=None)
def test_lrp_conserves_the_score_without_biases(seed: int, rule: str) -> None:
    """α and β conserve only where each sum has terms of both signs, which no network promises."""
    torch.manual_seed(seed)
    module = CONSERVING
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    found = attribute(module, x, method="lrp", rule=rule, epsilon=0.0, target=0)
    with torch.no_grad():
        score = module(x)[:, 0]
    torch.testing.assert_close(found.flatten(1).sum(1), score, rtol=1e-3, atol=1e-4)


CONSERVING = nn.Sequential(
    nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(16, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False),
).double()  # fmt: skip


def test_attn_lrp_of_a_rectifier_network_is_input_times_gradient() -> None:
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64).requires_grad_()
    torch.manual_seed(0)
    (gradient,) = torch.autograd.grad(CONSERVING(x)[:, 1].sum(), x)
    found = attribute(CONSERVING, x.detach(), method="attn_lrp", epsilon=0.0, target=1)
    torch.testing.assert_close(found, (x * gradient).detach())


def test_attn_lrp_by_hand() -> None:
    """Two tokens: softmax gives (p, 1 − p), half the relevance of p · v goes to either factor."""

    class Looking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x[:, :2].softmax(1) * x[:, 2:]).sum(1, keepdim=True)

    x = torch.tensor([[0.3, -0.4, 2.0, 1.0]])
    p = x[0, :2].softmax(0)
    half = p * x[0, 2:] / 2
    through = half - p * half.sum()
    expected = torch.cat([x[0, :2] * through, half])
    found = attribute(Looking(), x, method="attn_lrp", epsilon=0.0, target=0)
    torch.testing.assert_close(found[0], expected)


def test_gates_of_an_lstm_leave_the_relevance_to_the_signal() -> None:
    class Gated(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, :1] * x[:, 1:].sigmoid()

    x = torch.tensor([[2.0, 1.0]])
    found = attribute(Gated(), x, method="lrp", rule="0", target=0)
    torch.testing.assert_close(found, torch.tensor([[float(Gated()(x)), 0.0]]))


@pytest.mark.parametrize("rule", RULES)
def test_lrp_is_finite_on_all_kinds_of_operators(
    rule: str, mixed: nn.Module, sequence: Tensor
) -> None:
    found = attribute(mixed, sequence, method="lrp", rule=rule)
    assert found.isfinite().all()
    assert found.abs().sum() > 0


def test_lrp_refuses_an_unknown_rule() -> None:
    with pytest.raises(MethodError, match="'epsilon_plus'"):
        attribute(TwoLayers(), torch.ones(1, 2), method="lrp", rule="epsilon_pluss")


@pytest.mark.parametrize("method", METHODS)
def test_words(method: str, text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film"])
    found, details = attribute(
        text_model, inputs, method=method, target="positive", return_details=True
    )
    assert found.shape == inputs["input_ids"].shape
    assert found.isfinite().all()
    if method.startswith("deep"):
        assert details.completeness_error.max() < TOLERANCE


def test_several_inputs_and_channels_last(pixels: Tensor) -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Reusing("shared")

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x.permute(0, 3, 1, 2))

    own = attribute(Reusing("shared").eval(), pixels, method="deeplift", target=0)
    last = attribute(Last().eval(), pixels.permute(0, 2, 3, 1), method="deeplift", target=0)
    torch.testing.assert_close(last.permute(0, 3, 1, 2), own)


def test_an_operator_without_a_rule_is_named() -> None:
    class Sorting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sort(1).values

    for method in ("deeplift", "lrp", "attn_lrp"):
        with pytest.raises(MethodError, match=r"'aten.sort.default'.*'integrated_gradients'"):
            attribute(Sorting(), torch.rand(2, 3), method=method, target=0)


def test_a_third_party_adds_a_rule() -> None:
    from pellucid.graph.propagation import Step
    from pellucid.graph.propagation.differences import rules

    class Products(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.cumprod(1)

    with pytest.raises(MethodError, match=r"aten\.cumprod"):
        attribute(Products(), torch.rand(2, 3), method="deeplift", target=0)

    @rules.rule(torch.ops.aten.cumprod.default)
    def first_only(step: Step) -> Any:
        return step.plain()

    try:
        assert attribute(Products(), torch.ones(1, 3), method="deeplift", target=0).sum() == 1
    finally:
        del rules._rules[torch.ops.aten.cumprod.default]
