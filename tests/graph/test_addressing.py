"""Layers are found by name and by counting, and a wrong name gets the right ones."""

from __future__ import annotations

import pytest
from torch import nn

from pellucid.errors import LayerError
from pellucid.graph.addressing import find_layer, resolve_layer


@pytest.fixture
def module() -> nn.Module:
    block = lambda: nn.ModuleDict({"norm1": nn.LayerNorm(2), "mlp": nn.Sequential(nn.ReLU())})  # noqa: E731
    tree = nn.Module()
    tree.stem = nn.Linear(2, 2)
    tree.encoder = nn.ModuleDict({"layers": nn.ModuleList([block(), block(), block()])})
    tree.again = tree.stem
    return tree


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stem", "stem"),
        ("encoder.layers.1.norm1", "encoder.layers.1.norm1"),
        ("encoder.layers[-1]", "encoder.layers.2"),
        ("encoder.layers[-2].norm1", "encoder.layers.1.norm1"),
        ("encoder[0][1]", "encoder.layers.1"),
        ("encoder.layers[0][-1]", "encoder.layers.0.mlp"),
        ("encoder.layers[0].mlp[0]", "encoder.layers.0.mlp.0"),
        ("[0]", "stem"),
        ("again", "stem"),
    ],
)
def test_a_layer_is_found(module, name, expected):
    assert resolve_layer(module, name) == expected
    assert find_layer(module, name) is module.get_submodule(expected)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stme", "Closest: 'stem'"),
        ("encoder.layers[1].norm2", r"Closest: 'encoder.layers.\d.norm1'"),
        ("encoder.layers[3]", "'encoder.layers' has 3 children"),
        ("encoder.layers[-4]", "'encoder.layers' has 3 children"),
        ("stem[0]", "'stem' has 0 children"),
        ("encoder.layers[x]", "is not in Module"),
        ("stem.", "is not in Module"),
        ("", "is not in Module"),
    ],
)
def test_a_wrong_name_says_what_is_there(module, name, message):
    with pytest.raises(LayerError, match=message):
        resolve_layer(module, name)
