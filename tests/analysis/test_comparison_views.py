from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.analysis.comparison import compare
from pellucid.analysis.comparison_words import points
from pellucid.views import ImageGrid, Matrix, Overlay, Scatter, Table
from pellucid.views.encoding import encode
from pellucid.views.matplotlib import draw_views


@pytest.fixture(scope="module")
def shown(pictures):
    model, data = pictures
    worse = nn.Linear(64, 10)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        worse.weight.copy_(model.module[3].weight + 0.2 * torch.randn(10, 64))
        worse.bias.copy_(model.module[3].bias)
    other = replace(model, module=nn.Sequential(*model.module[:3], worse), source="worse")
    found = compare(model, other, data, methods=["saliency"], num_explained=2)
    return found.data, found.views()


def view_of(views, title):
    return next(view for view in views if view.title.startswith(title))


def test_views_have_captions_and_can_be_sent_and_drawn(shown):
    _, views = shown
    assert [type(view) for view in views] == [
        Table, Matrix, Scatter, ImageGrid, Table, *4 * [Overlay], Table, ImageGrid,
    ]  # fmt: skip
    for view in views:
        assert view.caption.endswith(".")
        encode(view)
    draw_views(views)


def test_cells_name_their_samples_and_these_can_be_seen(shown):
    data, views = shown
    matrix = view_of(views, "Who is right where")
    np.testing.assert_array_equal(matrix.values, data["agreement_matrix"])
    assert {cell: len(ids) for cell, ids in matrix.members.items()} == {
        cell: count for cell, count in np.ndenumerate(data["agreement_matrix"].values) if count
    }
    first, second = data["correct"].values[:, [int(s[1:]) for s in matrix.members[0, 1]]]
    assert first.all()
    assert not second.any()
    seen = {picture.sample for picture in view_of(views, "Samples behind").pictures}
    for cell, ids in matrix.members.items():
        assert len(seen & set(ids)) == min(len(ids), 24 if cell in {(0, 1), (1, 0)} else 12)


def test_points_carry_samples_and_the_kind_of_flip(shown):
    data, views = shown
    scatter = view_of(views, "How sure each is of the true class")
    assert scatter.samples == tuple(data["sample_id"].values)
    assert scatter.groups.count("only A right") == data["agreement_matrix"].values[0, 1]
    assert set(scatter.groups) == {"both right", "only A right", "only B right", "both wrong"}
    np.testing.assert_allclose(scatter.x_values, data["probability"].values[0])


def test_flips_are_marked_by_who_is_right(shown):
    data, views = shown
    grid = view_of(views, "What flipped")
    correct = dict(zip(data["sample_id"].values, data["correct"].values.T, strict=True))
    for picture in grid.pictures:
        assert correct[picture.sample].tolist() == [picture.tone == "bad", picture.tone == "good"]
        assert " → " in picture.label


def test_explanations_stand_in_step(shown):
    data, views = shown
    overlays = [view for view in views if isinstance(view, Overlay)]
    for first, second in zip(overlays[::2], overlays[1::2], strict=True):
        assert first.picture.sample == second.picture.sample
        assert first.title.endswith("model A (digits)")
        assert second.title.endswith("model B (worse)")
        assert "Saliency of A and B:" in second.caption
    table = {column.name: column.values for column in view_of(views, "How alike").columns}
    assert table["sample"] == tuple(view.picture.sample for view in overlays[::2])
    np.testing.assert_allclose(
        table["Saliency: rank correlation"], data["rank_correlation"].values[0]
    )


def test_answers_that_changed_are_counted(shown):
    data, views = shown
    table = {column.name: column.values for column in view_of(views, "Which answers").columns}
    first, second = data["label"].values[data["predicted"].values]
    for a, b, count in zip(
        table["answer of A"], table["answer of B"], table["samples"], strict=True
    ):
        assert count == ((first == a) & (second == b)).sum()
    assert list(table["samples"]) == sorted(table["samples"], reverse=True)


@pytest.mark.parametrize(
    ("share", "words"), [(0.0184, "+1.8"), (-0.004, "−0.4"), (float("nan"), "–")]
)
def test_points_are_signed(share, words):
    assert points(share) == words
