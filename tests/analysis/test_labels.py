import numpy as np
import pytest

from pellucid.analysis.labels import match_labels
from pellucid.errors import DataError, ModelError
from pellucid.model.labels import has_names


@pytest.mark.parametrize(
    ("model", "data", "expected"),
    [
        (("cat", "dog"), ("cat", "dog"), [0, 1]),
        (("cat", "dog"), ("dog", "cat"), [1, 0]),
        (("ant", "cat", "dog"), ("dog", "cat"), [2, 1]),
        (("Cat", "DOG"), ("dog", "cat"), [1, 0]),
        (("cat", "Cat"), ("Cat", "cat"), [1, 0]),
        ((), ("dog", "cat"), [0, 1]),
        (("LABEL_0", "LABEL_1"), ("dog", "cat"), [0, 1]),
        (("cat", "dog"), (), [0, 1]),
        (("crane", "dog", "crane"), ("crane", "dog", "crane"), [0, 1, 2]),
    ],
)
def test_classes_are_found_by_name(model, data, expected):
    found = match_labels(model, data, len(model) or len(data))
    assert found.dtype == np.int64
    assert found.tolist() == expected


def test_different_classes_name_what_is_missing_on_each_side():
    with pytest.raises(DataError, match=r"Only in the data: 'van'\. Only in the model: 'bus'\."):
        match_labels(("bus", "car"), ("car", "van"), 2)


def test_long_lists_are_cut():
    with pytest.raises(DataError, match=r"'f' and 4 more\. Only in the model: 'z'"):
        match_labels(("z",), tuple("abcdefghij"), 1)


def test_data_with_fewer_unknown_classes_than_the_model_is_refused_too():
    with pytest.raises(DataError, match="Only in the data: 'eel'"):
        match_labels(("ant", "cat", "dog"), ("dog", "eel"), 3)


def test_an_ambiguous_name_is_refused():
    with pytest.raises(DataError, match=r"'crane' of the data fits more than one .* \(0 and 2\)"):
        match_labels(("crane", "dog", "crane"), ("crane", "dog"), 3)


def test_without_names_the_counts_must_agree():
    with pytest.raises(DataError, match="3 classes, but the model gives 2 outputs"):
        match_labels((), ("a", "b", "c"), 2)


def test_a_model_that_contradicts_itself():
    with pytest.raises(ModelError, match="names 2 classes, but gives 3 outputs"):
        match_labels(("a", "b"), ("a", "b"), 3)


def test_placeholders_are_no_names():
    assert not has_names(("LABEL_0", "LABEL_11"))
    assert not has_names(())
    assert has_names(("LABEL_0", "cat"))
