"""Ranking methods: what is right wins, what is wrong is found out, and chance is called chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid
from pellucid.analysis import method_ranking as ranking_module
from pellucid.analysis.method_ranking import MethodRanking, benchmark_methods
from pellucid.analysis.method_ranking_arrays import _ranked, rank_arrays
from pellucid.analysis.method_ranking_trial import Cost, Tried
from pellucid.attribution.faithfulness.measures import Faithfulness
from pellucid.attribution.registry import find_method
from pellucid.data import Data
from pellucid.errors import MethodError
from pellucid.model import ArrayInput, Model
from pellucid.views import Bars, Lines, Table
from pellucid.views.matplotlib import draw_views

METHODS = ("occlusion", "feature_ablation")
QUICK = {"deletion": {"steps": 4}, "insertion": {"steps": 4}, "sensitivity_n": {"subsets": 8}}


class Weighted(nn.Module):
    """Logits (Σ w x, 0): what each of eight values is worth is known."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([4.0, -2.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0]))

    def forward(self, values: Tensor) -> Tensor:
        score = values @ self.weight
        return torch.stack([score, torch.zeros_like(score)], 1)


@pytest.fixture
def model() -> Model:
    record = ArrayInput(shape=(8,))
    return Model(module=Weighted(), source="weighted", input=record, labels=("yes", "no"))


@pytest.fixture
def data() -> Data:
    values = np.random.default_rng(0).normal(size=(12, 8)).astype(np.float32)
    return Data(
        source="made",
        split="test",
        kind="array",
        labels=("yes", "no"),
        ids=tuple(f"row {index}" for index in range(12)),
        targets=np.arange(12) % 2,
        read=values.__getitem__,
    )


@pytest.fixture
def ranking(model: Model, data: Data) -> MethodRanking:
    return benchmark_methods(model, data, methods=METHODS, parameters=QUICK, target="yes")


def made(values: dict[str, Any], entries: tuple[str, ...], samples: int) -> Any:
    """A ranking of invented figures (rows, samples): the entries', then those of two controls."""
    values = {name: table.astype(np.float32) for name, table in values.items()}
    found = Faithfulness(entries=entries, controls=("random", "constant"), values=values, curves={})
    costs = {name: Cost(seconds=samples, forwards=2 * samples, backwards=0) for name in entries}
    tried = [Tried(positions=np.arange(samples), found=found, costs=costs)]
    cards = [find_method(name).card for name in entries]
    return rank_arrays(tried, cards, [str(i) for i in range(samples)], {}, 0)


def test_ranks_share_ties() -> None:
    values = np.array([[3.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    assert _ranked(values).T.tolist() == [[3, 1.5, 1.5], [2.5, 2.5, 1]]


def test_mean_ranks_and_shares_by_hand() -> None:
    deletion = np.array([[0.1, 0.1], [0.3, 0.2], [0.2, 0.3], [0.4, 0.4]])
    insertion = np.array([[0.9, 0.9], [0.5, 0.6], [0.6, 0.5], [0.4, 0.4]])
    data = made({"deletion": deletion, "insertion": insertion}, METHODS, 2)
    assert data["entry"].values.tolist() == ["occlusion", "feature_ablation", "random", "constant"]
    assert data["mean_rank"].values.tolist() == [1, 2.5, 2.5, 4]
    np.testing.assert_allclose(data["won"].values, [1, 0.5, 0.5, 0])
    assert data["seconds"].values[0] == 1
    assert set(data["verdict"].values[:2]) == {"too few samples"}


def test_clear_differences_are_called_so_and_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 40))
    deletion = np.stack([noise[0] - 5, noise[1], *rng.normal(size=(2, 40))])
    data = made({"deletion": deletion}, METHODS, 40)
    assert data["verdict"].sel(entry="occlusion") == "better"
    assert data["verdict"].sel(entry="feature_ablation") == "unclear"
    assert not data["with_best"].sel(entry="feature_ablation")
    worse = made({"deletion": np.stack([noise[0] + 9, noise[1] - 5, *noise])}, METHODS, 40)
    assert worse["verdict"].values.tolist() == ["better", "control", "control", "worse"]


def test_measures_that_do_not_rank_do_not_count() -> None:
    deletion = np.array([[0.1] * 6, [0.2] * 6, [0.3] * 6, [0.4] * 6])
    both = made({"deletion": deletion, "sparseness": deletion[::-1]}, METHODS, 6)
    assert both["mean_rank"].values.tolist() == [1, 2, 3, 4]


def test_what_is_exact_beats_what_knows_nothing(ranking: MethodRanking) -> None:
    data = ranking.data
    assert data["entry"].values.tolist()[:2] in (list(METHODS), list(METHODS)[::-1])
    assert (data["verdict"].values[:2] == "better").all()
    exact = data["mean"].sel(measure="sensitivity_n", entry="occlusion")
    assert float(exact) == pytest.approx(1, abs=1e-5)
    assert "Trust" in ranking.summary()
    assert "12 samples" in ranking.summary()


def test_a_method_that_is_not_defined_is_listed_with_its_reason(model: Model, data: Data) -> None:
    found = benchmark_methods(
        model, data, methods=["occlusion", "grad_cam"], parameters=QUICK, target="yes"
    )
    assert found.data["refused"].values.tolist() == ["grad_cam"]
    assert "not defined for arrays" in str(found.data["refused_reason"].values[0])
    assert "Not defined here: grad_cam." in found.summary()
    assert found.views()[-1].title == "Not defined here"


def test_nothing_defined_is_an_error(model: Model, data: Data) -> None:
    with pytest.raises(MethodError, match="none of the methods is defined here"):
        benchmark_methods(model, data, methods=["grad_cam"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measures": ["deletio"]}, "measure 'deletio' is not known"),
        ({"measures": ["sparseness"]}, "do not rank methods"),
        (
            {"parameters": {"deleton": {}}},
            "neither a method nor a measure here. Closest: 'deletion'",
        ),
        ({"parameters": {"deletion": {"steps": 0}}}, "steps=0; expected"),
        ({"methods": []}, "no method was given"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str, model: Model, data: Data) -> None:
    with pytest.raises(MethodError, match=message):
        benchmark_methods(model, data, **({"methods": METHODS} | options))


def test_the_same_seed_gives_the_same_ranking(
    ranking: MethodRanking, model: Model, data: Data
) -> None:
    again = benchmark_methods(
        model, data, methods=METHODS, parameters=QUICK, target="yes", batch_size=5
    )
    first = ranking.data.sortby("entry")["measured"].values
    np.testing.assert_allclose(first, again.data.sortby("entry")["measured"].values, atol=1e-5)


def test_saved_equals_opened(ranking: MethodRanking, tmp_path: Path) -> None:
    opened = pellucid.open(ranking.save(tmp_path / "ranking.zarr"))
    assert isinstance(opened, MethodRanking)
    assert opened.summary() == ranking.summary()
    assert opened.to_json() == ranking.to_json()


def test_views_hold_the_figures_and_can_be_drawn(ranking: MethodRanking, tmp_path: Path) -> None:
    bars, verdicts, measures, *rest = ranking.views()
    assert isinstance(bars, Bars)
    assert bars.categories[-1].startswith("[")
    assert (np.diff(bars.series[0].values) <= 0).all()
    assert (bars.series[0].low <= bars.series[0].values).all()
    assert isinstance(verdicts, Table)
    assert isinstance(measures, Table)
    assert sum(isinstance(view, Lines) for view in rest) == 2
    draw_views(ranking.views()).canvas.draw()
    page = pellucid.report(ranking, tmp_path / "report.html").read_text("utf-8")
    assert "Which maps tell most about this model" in page


def test_ctrl_c_keeps_what_is_done(
    model: Model, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, calls = ranking_module.Trial.run, []

    def stopping(self: Any, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(self, *arguments)

    monkeypatch.setattr(ranking_module.Trial, "run", stopping)
    found = benchmark_methods(model, data, methods=METHODS, parameters=QUICK, batch_size=4)
    assert found.data.sizes["sample"] == 8
    assert found.meta.parameters["stopped"] is True
    assert "Stopped by Ctrl-C after 8 of 12 samples." in found.summary()


def test_ctrl_c_before_anything_is_done_is_not_swallowed(
    model: Model, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(ranking_module.Trial, "run", stopping)
    with pytest.raises(KeyboardInterrupt):
        benchmark_methods(model, data, methods=METHODS)


def test_true_classes_and_headline(model: Model, data: Data) -> None:
    found = benchmark_methods(
        model, data, methods=["occlusion"], parameters=QUICK, target="true", limit=6
    )
    assert found.data.sizes["sample"] == 6
    assert [label for label, _, _ in found.headline()] == [
        "Best method", "Better than controls", "Samples",
    ]  # fmt: skip
    assert len(found.table()[1]) == 3
