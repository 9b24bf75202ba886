"""Small models and data that the tests of what is inside a model share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.data import UNLABELLED, Data
from pellucid.errors import UnreadableSample
from pellucid.model import ArrayInput, ImageInput, Model

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "a", "very")


class FromList:
    """Read samples from a list; those at `unreadable` cannot be read."""

    def __init__(self, raws: Sequence[Any], unreadable: Sequence[int] = ()) -> None:
        self.raws, self.unreadable = raws, frozenset(unreadable)

    def __call__(self, index: int) -> Any:
        if index in self.unreadable:
            raise UnreadableSample(f"s{index}", "cannot be decoded")
        return self.raws[index]


@pytest.fixture(scope="session")
def make_data() -> Callable[..., Data]:
    def make(
        raws: Sequence[Any],
        targets: Sequence[int] | None = None,
        labels: Sequence[str] = (),
        kind: Any = "array",
        unreadable: Sequence[int] = (),
    ) -> Data:
        found = [UNLABELLED] * len(raws) if targets is None else targets
        return Data(
            source="list",
            split="test",
            kind=kind,
            labels=tuple(labels),
            ids=tuple(f"s{index}" for index in range(len(raws))),
            targets=np.array(found, dtype=np.int64),
            read=FromList(raws, unreadable),
        )

    return make


@pytest.fixture(scope="session")
def wrapped() -> Callable[..., Model]:
    """A module as a model, of arrays unless told otherwise."""

    def make(module: nn.Module, **options: Any) -> Model:
        return Model(module=module, source="tiny", **({"input": ArrayInput()} | options))

    return make


class Convolutional(nn.Module):
    """Two convolutions, batch norm, in-place ReLU, dropout, and a linear head."""

    def __init__(self, channels: int = 3, classes: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(8, 6, 3, stride=2, padding=1)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(6, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.act(self.norm(self.first(pixels)))
        return self.fc(self.drop(self.act(self.second(hidden)).mean((2, 3))))


class Recurrent(nn.Module):
    """An LSTM over steps of four features, whose last state is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.fc = nn.Linear(5, 3)

    def forward(self, steps: Tensor) -> Tensor:
        return self.fc(self.lstm(steps)[1][0][-1])


@pytest.fixture
def recurrent(wrapped: Callable[..., Model]) -> Model:
    torch.manual_seed(3)
    return wrapped(Recurrent())


@pytest.fixture
def picture_model() -> Model:
    torch.manual_seed(0)
    module = Convolutional()
    nn.init.normal_(module.fc.weight, std=3)
    record = ImageInput(size=(16, 16), resize=16, mean=(0.5,) * 3, std=(0.25,) * 3)
    return Model(module=module, source="tiny", input=record, labels=("cat", "dog", "cup"))


@pytest.fixture
def pictures(make_data: Callable[..., Data]) -> Data:
    """Seven pictures of 16 × 16; the labels are in another order than the model's."""
    rng = np.random.default_rng(0)
    raws = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(7)]
    return make_data(raws, [0, 1, 2, 0, 1, 2, 0], ("cup", "dog", "cat"), kind="image")


@pytest.fixture
def text_model(tiny_bert: Callable[..., Model]) -> Model:
    """A BERT of two layers with a tokenizer of ten words."""
    return tiny_bert(WORDS, layers=2)


@pytest.fixture
def texts(make_data: Callable[..., Data]) -> Data:
    raws = ["a very good film", "a bad film", "good", "a very very bad film"]
    return make_data(raws, [1, 0, 1, 0], ("negative", "positive"), kind="text")


@pytest.fixture
def unchanged() -> Callable[[Model], AbstractContextManager[None]]:
    """A context that fails if a model, its gradients or the random state are not left alone."""

    @contextmanager
    def check(model: Model) -> Iterator[None]:
        module = model.module
        module.train()
        parts, parameters = list(module.modules()), list(module.parameters())
        parts[-1].eval()
        parameters[0].requires_grad = False
        parameters[1].grad = torch.ones_like(parameters[1])
        before = _state(module)
        yield
        after = _state(module)
        for name, value in before.pop("values").items():
            torch.testing.assert_close(after["values"][name], value, rtol=0, atol=0)
        del after["values"]
        torch.testing.assert_close(after.pop("random"), before.pop("random"), rtol=0, atol=0)
        assert after.pop("numpy") == before.pop("numpy")
        assert all(a is b for a, b in zip(before.pop("grad"), after.pop("grad"), strict=True))
        assert before == after

    return check


def _state(module: nn.Module) -> dict[str, Any]:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    return {
        "values": {name: tensor.clone() for name, tensor in module.state_dict().items()},
        "modes": [part.training for part in module.modules()],
        "requires_grad": [parameter.requires_grad for parameter in module.parameters()],
        "grad": [parameter.grad for parameter in module.parameters()],
        "hooks": [len(getattr(part, kind)) for part in module.modules() for kind in kinds],
        "random": torch.random.get_rng_state(),
        "numpy": np.random.get_state()[1].tobytes(),  # noqa: NPY002
        "switches": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
    }
