from __future__ import annotations

import pytest
import torchvision
from torch import nn

from pellucid.errors import LayerError
from pellucid.inside.choosing import choose_layers


@pytest.fixture(scope="module")
def resnet():
    return torchvision.models.resnet18(weights=None)


def test_names_and_shorthands_come_in_the_modules_order(resnet):
    assert choose_layers(resnet, "layer4[-1], layer1") == ("layer1", "layer4.1")


def test_a_glob_takes_every_name_that_fits(resnet):
    found = choose_layers(resnet, ["layer?.*.conv2"])
    assert found == tuple(f"layer{n}.{block}.conv2" for n in (1, 2, 3, 4) for block in (0, 1))


def test_a_kind_takes_every_layer_of_the_class(resnet):
    found = choose_layers(resnet, "Conv2d")
    assert len(found) == sum(isinstance(part, nn.Conv2d) for part in resnet.modules())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("layr4", "layer 'layr4' is not in ResNet. Closest: 'layer4'"),
        ("Conv2", "Or name a kind. Closest: 'Conv2d'"),
        ("layer9.*", "no layer of ResNet fits 'layer9.*'"),
        ([], "no layer was named"),
    ],
)
def test_what_fits_nothing_is_an_error_with_the_nearest(resnet, word, message):
    with pytest.raises(LayerError) as caught:
        choose_layers(resnet, word)
    assert message in str(caught.value)
