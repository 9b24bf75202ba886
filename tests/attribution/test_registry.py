"""Cards, and the check of parameters that derives from a method's signature."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
import torch

from pellucid import attribute, plugins
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.registry import Bounds, find_method, method, methods
from pellucid.errors import MethodError, SpecError


@method(
    title="Constant",
    family="test",
    paper="none",
    about="The same everywhere.",
    kinds=("array",),
    cost="nothing",
    passes="0",
)
def constant(
    call: Call,
    *,
    value: Annotated[float, Bounds(-1, 1)] = 0.5,
    count: Annotated[int, Bounds(1, 8)] = 2,
    loud: bool = False,
    name: str | None = None,
) -> Attribution:
    """Give `value` everywhere."""
    return Attribution(values=torch.full_like(call.explained, value), resolution="none")


def test_the_three_methods_are_registered_with_complete_cards() -> None:
    cards = {card.name: card for card in methods()}
    assert {"grad_cam", "integrated_gradients", "occlusion"} <= cards.keys()
    assert cards["grad_cam"].kinds == ("image",)
    assert "layer" in cards["grad_cam"].needs
    assert not cards["grad_cam"].signed
    for card in cards.values():
        assert all((card.title, card.family, card.paper, card.about, card.cost, card.passes))
        assert find_method(card.name).__doc__


def test_parameters_come_from_the_signature() -> None:
    known = {parameter.name: parameter for parameter in constant.card.parameters}
    assert list(known) == ["value", "count", "loud", "name"]
    assert (known["value"].type, known["value"].default) == ("float", 0.5)
    assert known["count"].bounds == Bounds(1, 8)
    assert known["name"].bounds is None
    steps = next(
        p for p in find_method("integrated_gradients").card.parameters if p.name == "steps"
    )
    assert (steps.type, steps.default, steps.bounds) == ("int", 8, Bounds(1, 512))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"vlaue": 0}, r"'constant' has no parameter 'vlaue'\. Closest: 'value'\."),
        ({"value": 2}, r"value=2; expected a number from -1 to 1\."),
        ({"value": float("nan")}, "expected a number from -1 to 1"),
        ({"value": "much"}, "expected a number from -1 to 1"),
        ({"count": 2.0}, "count=2.0; expected a whole number from 1 to 8"),
        ({"count": True}, "expected a whole number"),
        ({"loud": 1}, "expected true or false"),
    ],
)
def test_wrong_parameters_are_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(MethodError, match=message):
        constant.card.check_parameters(given)


def test_right_parameters_pass() -> None:
    constant.card.check_parameters({"value": 1, "count": 8, "loud": True, "name": "x"})


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(SpecError, match=r"Unknown method 'gradcam'\. Closest: 'grad_cam'"):
        find_method("gradcam")


def test_a_kind_without_the_method_names_those_that_there_are() -> None:
    with pytest.raises(MethodError, match="not defined for texts, only for pictures") as caught:
        find_method("grad_cam").card.check_kind("text")
    assert "'integrated_gradients'" in str(caught.value)


def test_a_function_without_a_card_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = SimpleNamespace(load=lambda: len)
    monkeypatch.setattr(plugins, "_family", lambda group: {"bare": entry})
    with pytest.raises(MethodError, match="'bare' has no card"):
        find_method("bare")


def test_a_method_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "foreign_maps.py").write_text(
        "from pellucid.attribution.call import Attribution\n"
        "from pellucid.attribution.registry import method\n\n\n"
        "@method(title='Twice', family='gradient', paper='none', about='Twice the value.',\n"
        "        kinds=('array',), cost='nothing', passes='0')\n"
        "def twice(call, *, times: int = 2):\n"
        "    return Attribution(values=times * call.explained, resolution='every value')\n"
    )
    info = tmp_path / "foreign_maps-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-maps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pellucid.methods]\ntwice = foreign_maps:twice\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._family.cache_clear()
    try:
        values = torch.randn(2, 3)
        torch.testing.assert_close(
            attribute(torch.nn.Linear(3, 2), values, method="twice", times=3), 3 * values
        )
        assert "twice" in [card.name for card in methods()]
    finally:
        plugins._family.cache_clear()
