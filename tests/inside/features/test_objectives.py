"""Objectives as they are written, and what they count."""

from __future__ import annotations

import pytest
import torch

from pellucid.errors import LayerError, ModelError, SpecError
from pellucid.inside.features import Class, Direction, Layer, Unit
from pellucid.inside.features.aims import by_channel, plan_aims
from pellucid.inside.features.objectives import read_objectives
from pellucid.model import Model

PICTURE = (24, 24)


@pytest.mark.parametrize(
    ("written", "layer", "expected"),
    [
        ("class:dog", None, Class("dog")),
        ("dog", None, Class("dog")),
        (3, None, Class("3")),
        ("class:tiger-cat", None, Class("tiger-cat")),
        ("class:tiger-cat-dog", None, Class("tiger-cat", against="dog")),
        ("class:cat-tiger-cat", None, Class("cat", against="tiger-cat")),
        ("second:5", None, Unit("second", 5)),
        ("second:5@3,4", None, Unit("second", 5, at=(3, 4))),
        ("[3]:5", None, Unit("second", 5)),
        (5, "second", Unit("second", 5)),
        ("5@3,4", "second", Unit("second", 5, at=(3, 4))),
        ("second", None, Layer("second")),
    ],
)
def test_words_become_records(
    model: Model, written: object, layer: str | None, expected: object
) -> None:
    assert read_objectives(written, model, layer) == [expected]


@pytest.mark.parametrize(
    ("written", "error", "message"),
    [
        ("class:dgo", ModelError, "'dgo' is not a class.*'dog'"),
        ("secnd:5", LayerError, "'secnd'.*Closest: 'second'"),
        ("zebra", SpecError, "neither a class nor a layer.*LAYER:UNIT"),
        ([], SpecError, "no objective was given"),
        (2.5, SpecError, "an objective of type"),
        ("second:8", LayerError, "unit 8.*from 0 to 7"),
        ("second:5@8,0", LayerError, "place 8,0.*8 rows and 8 columns"),
        ("fc:1@0,0", LayerError, "place 0,0.*no rows and columns"),
        ("second:5@3", LayerError, "token 3.*LAYER:UNIT@TOKEN"),
        ("class:dog-1", ModelError, "against itself"),
        (["dog", "class:dog"], SpecError, "given twice.*images="),
        (Class(9), ModelError, "9 is not a class"),
        (Direction("second", torch.ones(3)), LayerError, r"shape \(3,\).*8 channels"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    model: Model, written: object, error: type[Exception], message: str
) -> None:
    outputs = outputs_of(model)
    with pytest.raises(error, match=f"(?s){message}"):
        plan_aims(read_objectives(written, model, None), model, outputs, PICTURE)


def outputs_of(model: Model) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "": torch.randn(2, 6, generator=generator),
        "second": torch.randn(2, 8, 8, 8, generator=generator),
        "fc": torch.randn(2, 6, generator=generator),
    }


def test_scores_by_hand(model: Model) -> None:
    outputs = outputs_of(model)
    maps, logits = outputs["second"].numpy(), outputs[""].numpy()
    vector = torch.arange(8.0)
    expected = {
        "class:dog": logits[:, 1],
        "class:dog-owl": logits[:, 1] - logits[:, 4],
        "second:5": maps[:, 5].mean((1, 2)),
        "second:5@3,4": maps[:, 5, 3, 4],
        "second": (maps**2).mean((1, 2, 3)),
        "fc:2": outputs["fc"].numpy()[:, 2],
    }
    written = [*expected, Direction("second", vector, name="ramp")]
    aims = plan_aims(read_objectives(written, model, None), model, outputs, PICTURE)
    along = (maps * vector.numpy()[:, None, None]).sum(1).mean((1, 2))
    for aim, scores in zip(aims, [*expected.values(), along], strict=True):
        found = aim.score(outputs[aim.layer], PICTURE).numpy()
        assert found == pytest.approx(scores, rel=1e-4, abs=1e-5), aim.name


def test_channels_lie_where_the_layout_says() -> None:
    assert by_channel(torch.zeros(2, 7, 4, 4), PICTURE).shape == (2, 7, 4, 4)
    assert by_channel(torch.zeros(2, 4, 4, 7), PICTURE).shape == (2, 7, 4, 4)
    assert by_channel(torch.zeros(2, 17, 7), PICTURE).shape == (2, 7, 4, 4)
    assert by_channel(torch.zeros(2, 7), PICTURE).shape == (2, 7)


def test_a_token_is_addressed_by_its_number(model: Model) -> None:
    tokens = torch.randn(2, 17, 7, generator=torch.Generator().manual_seed(0))
    aims = plan_aims([Unit("first", 3, at=(0,))], model, {"first": tokens}, PICTURE)
    assert torch.equal(aims[0].score(tokens, PICTURE), tokens[:, 0, 3])


def test_labels_that_two_classes_share_are_told_apart(model: Model) -> None:
    model.labels = ("crane", "dog", "crane", "cup", "owl", "hen")
    aims = plan_aims([Class(0), Class(2)], model, outputs_of(model), PICTURE)
    assert [aim.title for aim in aims] == ["crane (0)", "crane (2)"]
