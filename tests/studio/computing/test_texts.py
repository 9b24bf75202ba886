"""Questions about a text, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pellucid.errors import SpecError
from pellucid.studio.asking.inputs import Given, Stroke
from pellucid.studio.asking.wishes import Wish
from pellucid.studio.workers.messages import Limits
from pellucid.studio.workers.opening import Opening
from pellucid.studio.workers.warm import Warm

if TYPE_CHECKING:
    from pellucid.model import Model

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "dull", "film"]
TEXT = Given(id="t", kind="text", title="a fine film", text="a fine film")


class WithModel(Warm):
    """A worker's models, of which one is open already."""

    def __init__(self, model: Model) -> None:
        super().__init__(Limits())
        self._one = model

    def model(self, opening: Opening) -> Model:
        return self._one


@pytest.fixture
def warm(tiny_bert: Callable[..., Any]) -> Warm:
    return WithModel(tiny_bert(WORDS, 2))


def test_reasons_for_a_text(warm: Warm) -> None:
    from pellucid.studio.asking.explaining import explain

    wish = Wish(methods=("saliency", "grad_cam"), faithfulness=True)
    found = explain(warm, model=Opening(spec="tiny"), given=TEXT, wish=wish)
    assert found["methods"] == ["saliency"]
    assert "pictures" in found["refused"]["grad_cam"]
    (view,) = found["views"]
    assert view["kind"] == "Tokens"
    assert b"fine" in found["packed"][0]
    assert {each["label"] for each in found["predictions"]["answers"]} == {"negative", "positive"}
    assert {each["verdict"] for each in found["faithfulness"]} <= {
        "good", "doubtful", "bad", "unknown",
    }  # fmt: skip


def test_nothing_can_be_painted_over_a_text(warm: Warm) -> None:
    from pellucid.studio.asking.predicting import predict

    given = Given(
        id="t", kind="text", title="a", text="a", strokes=(Stroke(((0.5, 0.5),), radius=0.1),)
    )
    with pytest.raises(SpecError, match="strokes"):
        predict(warm, model=Opening(spec="tiny"), given=given)
