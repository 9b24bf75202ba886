import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pellucid.analysis.shown import MOST_MISTAKES, choose, read_again, snippet, thumbnail

answers = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(0.2, 1)), min_size=1, max_size=400
)


@given(answers, st.integers(30, 120), st.integers(1, 12))
def test_choice_keeps_its_bounds_and_the_most_confident_mistakes(rows, most, per_cell):
    target, predicted = np.array([row[:2] for row in rows]).T
    confidence = np.array([row[2] for row in rows])
    chosen = choose(target, predicted, confidence, most=most, per_cell=per_cell)
    assert len(set(chosen.tolist())) == len(chosen) <= most
    wrong = np.flatnonzero(target != predicted)
    leading = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_MISTAKES]
    np.testing.assert_allclose(confidence[chosen[: len(leading)]], confidence[leading])
    rest = chosen[MOST_MISTAKES:]
    cells = target[rest] * 5 + predicted[rest]
    assert np.bincount(cells, minlength=1).max(initial=0) <= per_cell
    right = target[chosen] == predicted[chosen]
    assert (np.diff(right.astype(int)) >= 0).all(), "mistakes come first"


def test_mistakes_have_room_before_right_answers():
    generator = np.random.default_rng(0)
    target, predicted = generator.integers(0, 4, (2, 300))
    chosen = choose(target, predicted, generator.random(300), most=120, per_cell=8)
    right = (target == predicted)[chosen]
    assert right.sum() == 4 * 8 - max(0, (~right).sum() + 4 * 8 - 120)
    assert not right[: -right.sum()].any()


def test_every_kind_of_mistake_has_its_turn():
    target = np.repeat([0, 1], [100, 1])
    predicted = 1 - target
    confidence = np.linspace(1, 0.5, 101)
    assert 100 in choose(target, predicted, confidence, most=30)


def test_thumbnail_is_a_square_of_the_middle():
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    pixels = thumbnail(picture)
    assert pixels.shape == (64, 64, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels[32, 8:56], np.tile([0, 0, 255], (48, 1)))


def test_thumbnail_of_an_array():
    assert (thumbnail(np.full((3, 20, 30), 0.5)) == 128).all()


def test_a_sample_that_vanished_is_reported(make_data):
    data = make_data(["a", "b", "c"], [0, 1, 0], ["x", "y"], kind="text", unreadable=[1])
    kept, raws = read_again(data, [2, 1, 0])
    assert kept.tolist() == [0, 2]
    assert raws == ["c", "a"]
    assert data.report.count("skipped") == 1


def test_snippet_is_one_short_line():
    assert snippet("two\n  lines") == "two lines"
    assert len(snippet("word " * 100)) <= 200
