"""What outputs are called."""

from pellucid.model.labels import class_names, has_names


def test_class_names_are_the_models_else_the_datas_else_numbers() -> None:
    assert class_names(("a", "b"), ("x", "y"), 2) == ("a", "b")
    assert class_names(("LABEL_0", "LABEL_1"), ("x", "y"), 2) == ("x", "y")
    assert class_names(("LABEL_0", "LABEL_1"), (), 2) == ("LABEL_0", "LABEL_1")
    assert class_names((), ("x", "y", "z"), 2) == ("class 0", "class 1")


def test_counted_outputs_have_no_names() -> None:
    assert has_names(("cat", "LABEL_1"))
    assert not has_names(("LABEL_0", "LABEL_1"))
    assert not has_names(())
