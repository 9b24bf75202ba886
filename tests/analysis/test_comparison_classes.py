import pytest

from pellucid.analysis.comparison_classes import match_classes


def named(classes):
    labels = classes.labels
    return [[labels[i] for i in of] for of in (classes.outputs_a, classes.outputs_b, classes.true)]


def test_classes_are_matched_by_name_whatever_their_order_and_case():
    found = match_classes(("cat", "Dog", "cow"), ("dog", "yak", "cat"), ("DOG", "hen"), (3, 3))
    assert found.labels == ("cat", "Dog", "cow", "yak", "hen")
    assert found.outputs_b.tolist() == [1, 3, 0]
    assert found.true.tolist() == [1, 4]
    assert found.shared.tolist() == [0, 1]
    assert not found.by_position


def test_what_is_written_alike_goes_together_first():
    found = match_classes(("a", "A"), ("A", "a"), (), (2, 2))
    assert found.outputs_b.tolist() == [1, 0]


def test_equal_names_go_together_in_their_order():
    """ImageNet has two classes called crane."""
    found = match_classes(("crane", "cat", "crane"), ("crane", "crane"), (), (3, 2))
    assert found.outputs_b.tolist() == [0, 2]


def test_a_model_without_names_takes_those_of_the_other():
    found = match_classes(("LABEL_0", "LABEL_1"), ("no", "yes"), ("yes", "no"), (2, 2))
    assert named(found) == [["no", "yes"], ["no", "yes"], ["yes", "no"]]
    assert found.by_position


def test_models_without_names_take_those_of_the_data():
    assert match_classes((), (), ("no", "yes"), (2, 2)).labels == ("no", "yes")
    assert named(match_classes((), ("x", "y", "z"), ("no", "yes"), (2, 3)))[0] == ["no", "yes"]


@pytest.mark.parametrize("labels", [(), ("x", "y", "z")])
def test_other_numbers_without_names_share_nothing(labels):
    found = match_classes((), labels, (), (2, 3))
    assert not len(found.shared)
    assert len(found.labels) == 5
