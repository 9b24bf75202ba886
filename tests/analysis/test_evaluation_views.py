import numpy as np
import pytest

from pellucid.analysis.evaluation import evaluate
from pellucid.views import Bars, Histogram, ImageGrid, Lines, Matrix, Table
from pellucid.views.encoding import encode
from pellucid.views.matplotlib import draw_views


@pytest.fixture(scope="module")
def shown(pictures):
    found = evaluate(*pictures)
    return found.data, {view.title: view for view in found.views()}


def test_views_have_titles_captions_and_can_be_sent(shown):
    _, views = shown
    kinds = [Matrix, ImageGrid, Table, Bars, Lines, Histogram, Lines, Lines, ImageGrid]
    assert [type(view) for view in views.values()] == kinds
    for view in views.values():
        assert view.caption.endswith(".")
        encode(view)


def test_matrix_cells_name_their_samples(shown):
    data, views = shown
    matrix = views["Which class is taken for which"]
    assert matrix.rows == matrix.columns == tuple(data["label"].values)
    np.testing.assert_array_equal(matrix.values, data["confusion"])
    for (row, column), ids in matrix.members.items():
        assert len(ids) == matrix.values[row, column]
    wrong = [int(sample.removeprefix("s")) for sample in matrix.members[8, 1]]
    assert (data["target"].values[wrong] == 8).all()
    assert (data["predicted"].values[wrong] == 1).all()


def test_mistakes_are_told_in_order(shown):
    data, views = shown
    pictures = views["Most confident mistakes"].pictures
    confidence = {
        str(sample): value
        for sample, value in zip(data["sample_id"].values, data["confidence"].values, strict=True)
    }
    sure = [confidence[picture.sample] for picture in pictures]
    assert sure == sorted(sure, reverse=True)
    assert sure[0] == data["confidence"].values[~data["correct"].values].max()
    assert all(picture.tone == "bad" and "→" in picture.label for picture in pictures)


def test_kept_samples_are_there_for_the_cells(shown):
    data, views = shown
    pictures = views["Samples behind the confusion matrix"].pictures
    assert len(pictures) == data.sizes["shown"]
    members = views["Which class is taken for which"].members
    listed = {sample for ids in members.values() for sample in ids}
    assert {picture.sample for picture in pictures} <= listed
    assert {picture.tone for picture in pictures} == {"good", "bad"}


def test_the_table_begins_with_the_weakest_class(shown):
    data, views = shown
    columns = {column.name: column for column in views["Each class by itself"].columns}
    assert list(columns["F1"].values) == sorted(columns["F1"].values)
    weakest = int(data["f1"].values.argmin())
    assert columns["class"].values[0] == str(data["label"].values[weakest])
    assert columns["precision"].values[0] == pytest.approx(100 * data["precision"].values[weakest])
    assert "remark" not in columns


def test_bars_begin_with_what_is_found_least(shown):
    data, views = shown
    bars = views["How much of each class is found"].series[0]
    np.testing.assert_array_equal(bars.values, np.sort(data["recall"].values))
    assert (bars.low <= bars.values).all()
    assert (bars.values <= bars.high).all()


def test_reliability_leaves_out_empty_bins(shown):
    data, views = shown
    reference, observed = views["Can its confidence be believed?"].series
    assert reference.style == "reference"
    assert len(observed.x) == (data["bin_count"].values > 0).sum()
    assert np.isfinite(observed.y).all()


def test_histogram_counts_every_sample(shown):
    data, views = shown
    counts = views["How sure it was, when right and when wrong"].counts
    assert counts["right"].sum() == data["correct"].sum()
    assert counts["right"].sum() + counts["wrong"].sum() == data.sizes["sample"]


def test_curves_show_the_average_and_the_worst_classes(shown):
    data, views = shown
    roc = views["Hits against false alarms (ROC)"].series
    assert [series.style for series in roc].count("reference") == 1
    assert len(roc) == 2 + 5
    worst = str(data["label"].values[data["auc"].values.argmin()])
    assert roc[2].name.startswith(f"{worst} (AUC ")
    assert len(views["How clean are the finds (precision and recall)"].series) == 6


def test_arrays_list_their_mistakes_in_a_table(digits_model, digits_data):
    found = evaluate(digits_model, digits_data)
    mistakes = found.views()[1]
    assert isinstance(mistakes, Table)
    assert [column.name for column in mistakes.columns] == [
        "sample",
        "true class",
        "answer",
        "how sure",
    ]
    assert not any(isinstance(view, ImageGrid) for view in found.views())


def test_what_is_not_defined_has_a_reason(identity_model, make_data):
    data = make_data(np.eye(4)[[0, 0, 1, 3]], [0, 2, 1, 1], ("a", "b", "c", "d"))
    found = evaluate(identity_model(("a", "b", "c", "d")), data)
    table = {column.name: column.values for column in found.views()[2].columns}
    by_class = dict(zip(table["class"], table["remark"], strict=True))
    assert by_class == {
        "a": "",
        "b": "",
        "c": "never answered: no precision",
        "d": "no samples: no recall",
    }
    row = table["class"].index("c")
    assert np.isnan(table["precision"][row])
    assert table["precision range"][row] == "–"


def test_of_many_classes_the_most_mixed_up_are_shown(identity_model, make_data):
    labels = [f"c{index}" for index in range(60)]
    targets = np.repeat(np.arange(60), 2)
    answers = targets.copy()
    answers[::2][30:] = (targets[::2][30:] + 1) % 60
    data = make_data(np.eye(60)[answers], targets, labels)
    views = evaluate(identity_model(labels), data).views()
    matrix, bars = views[0], views[3]
    assert matrix.values.shape == (40, 40)
    assert {f"c{index}" for index in range(30, 60)} <= set(matrix.rows)
    assert "40 classes of 60 that are most mixed up" in matrix.caption
    assert "samples lie outside" in matrix.caption
    assert len(bars.categories) == 40
    assert "40 classes of 60 that are least recognised" in bars.caption


def test_cells_cap_their_members(identity_model, make_data, monkeypatch):
    monkeypatch.setattr("pellucid.analysis.evaluation_views.MOST_MEMBERS", 3)
    data = make_data(np.eye(2)[[0] * 9], [0] * 9, ("a", "b"))
    matrix = evaluate(identity_model(("a", "b")), data).views()[0]
    assert matrix.members == {(0, 0): ("s0", "s1", "s2")}
    assert matrix.values.tolist() == [[9]]


def test_no_mistakes_and_one_class(identity_model, make_data):
    data = make_data(np.eye(2)[[0] * 9], [0] * 9, ("a", "b"))
    found = evaluate(identity_model(("a", "b")), data)
    assert "no mistake" in found.views()[1].caption
    assert "It made no mistake here." in found.summary()
    assert not any("ROC" in view.title for view in found.views()), "nothing to tell apart"


def test_two_classes_share_one_curve(identity_model, make_data):
    data = make_data(np.eye(2)[[0, 0, 1, 1, 1]], [0, 1, 1, 0, 1], ("a", "b"))
    views = {view.title: view for view in evaluate(identity_model(("a", "b")), data).views()}
    assert len(views["Hits against false alarms (ROC)"].series) == 2
    assert len(views["How clean are the finds (precision and recall)"].series) == 3


def test_views_can_be_drawn(shown):
    figure = draw_views(list(shown[1].values()))
    assert len(figure.axes) >= len(shown[1])
