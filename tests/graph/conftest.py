"""Small models that trip what is naive, and a cache folder of each test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pellucid.model import ArrayInput, ImageInput, Model

Prepared = tuple[Model, dict[str, Tensor]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for recordings of a test's own."""
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "graphs"


class Residual(nn.Module):
    """A block whose in-place ReLU is called twice, around a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.same = nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.same(x) + self.relu(self.norm(self.conv(x))))


class Attention(nn.Module):
    """Fused attention of two heads over windows of four tokens, which fold into the batch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        windows = x.reshape(n * tokens // 4, 4, width)
        parts = (
            self.qkv(windows).reshape(windows.shape[0], 4, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        )
        seen = nn.functional.scaled_dot_product_attention(*parts)
        return self.out(seen.transpose(1, 2).reshape(n, tokens, width))


class Mixed(nn.Module):
    """Convolutions, a residual block, windowed attention, dropout, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(Residual(8), Residual(8))
        self.attention = Attention(8)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem(x)).flatten(2).transpose(1, 2)
        return self.head(self.drop(x + self.attention(x)).mean(1))


@pytest.fixture
def mixed() -> Prepared:
    torch.manual_seed(0)
    return wrapped(Mixed()), {"": torch.randn(3, 3, 12, 12)}


@pytest.fixture
def listened() -> Callable[[Model, dict[str, Tensor]], dict[str, Tensor]]:
    """Outputs of all modules, by forward hooks: what `activations` has to equal."""

    def listen(model: Model, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = {}

        def keep(name: str, output: object) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if isinstance(first, Tensor):
                outputs[name] = first.clone()

        hooks = [
            module.register_forward_hook(lambda _m, _a, out, name=name: keep(name, out))
            for name, module in model.module.named_modules()
            if name
        ]
        with torch.no_grad(), model.evaluating():
            model.logits(inputs)
        for hook in hooks:
            hook.remove()
        return outputs

    return listen


def wrapped(module: nn.Module, *, image: bool = True) -> Model:
    record = ImageInput(size=(12, 12)) if image else ArrayInput()
    return Model(module=module, source=type(module).__name__.lower(), input=record)
