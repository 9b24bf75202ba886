"""Several parts at once: which are taken, which are left out, and what is used again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid
from pellucid.data import Data
from pellucid.errors import LayerError, SpecError
from pellucid.model import ArrayInput, Model


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    return pellucid.wrap(module, input=ArrayInput(shape=(64,)))


@pytest.fixture
def digits() -> Data:
    """Handwritten digits as 64 numbers each."""
    pictures = pellucid.load_data("bundled:digits", limit=12)
    rows = [torch.randn(64, generator=torch.Generator().manual_seed(n)) for n in range(12)]
    return pellucid.wrap_data(
        [(row.numpy(), int(label)) for row, label in zip(rows, pictures.targets, strict=True)]
    )


def test_without_data_parts_that_need_it_are_left_out_with_the_reason(model: Model) -> None:
    found = pellucid.inspect(model, settings={"structure": {"time": False}})
    assert list(found.parts) == ["structure", "weights"]
    assert "seen on data, and none was given" in found.left_out["activations"]
    assert "a model of pictures was expected" in found.left_out["features"]


def test_with_data_all_that_is_defined_is_there(model: Model, digits: Data) -> None:
    found = pellucid.inspect(model, digits, settings={"structure": {"time": False}})
    parts = ["structure", "weights", "activations", "gradients", "sensitivity"]
    assert list(found.parts) == parts
    assert found.meta.data is not None
    assert found.meta.data.num_samples == 12


def test_a_part_that_was_asked_for_must_be_defined(model: Model) -> None:
    with pytest.raises(SpecError, match="this part is seen on data, and none was given"):
        pellucid.inspect(model, parts=["gradients"])
    with pytest.raises(LayerError, match="layer 'fc' is not in Sequential"):
        pellucid.inspect(model, parts=["weights"], layers="fc")


def test_unknown_parts_and_settings_are_named_before_any_work(model: Model) -> None:
    with pytest.raises(
        SpecError, match=r"there is no part 'wights' of a model. Closest: 'weights'"
    ):
        pellucid.inspect(model, parts=["wights"])
    with pytest.raises(SpecError, match=r"weights has no setting 'near'. Closest: 'near_zero'"):
        pellucid.inspect(model, settings={"weights": {"near": 1}})
    with pytest.raises(SpecError, match="no part was named"):
        pellucid.inspect(model, parts=[])


def test_what_is_done_is_used_again_and_only_for_the_same_request(
    model: Model, tmp_path: Path
) -> None:
    first = pellucid.inspect(model, parts=["weights"], out=tmp_path / "inside")
    again = pellucid.inspect(model, parts=["weights"], out=tmp_path / "inside")
    assert again["weights"].meta == first["weights"].meta
    other = pellucid.inspect(model, parts=["weights"], layers="0", out=tmp_path / "inside")
    assert other["weights"].data.sizes["tensor"] < first["weights"].data.sizes["tensor"]
    with torch.no_grad():
        model.module[0].weight.zero_()  # type: ignore[index,union-attr,operator]
    changed = pellucid.inspect(model, parts=["weights"], layers="0", out=tmp_path / "inside")
    assert changed["weights"].meta.model != other["weights"].meta.model


def test_ctrl_c_keeps_the_parts_that_are_done(
    model: Model, digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.inside.activations.inspect_activations", stopped)
    with pytest.raises(KeyboardInterrupt):
        pellucid.inspect(model, digits, parts=["weights", "activations"], out=tmp_path / "inside")
    opened = pellucid.open(tmp_path / "inside")
    assert isinstance(opened, pellucid.Inspection)
    assert list(opened.parts) == ["weights"]
