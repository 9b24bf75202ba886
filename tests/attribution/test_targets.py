"""Which class is explained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.attribution.targets import (
    choose_class,
    refuse_unlabelled,
    true_classes,
)
from pellucid.data import Data
from pellucid.errors import MethodError, ModelError
from pellucid.model import ArrayInput, Model

LOGITS = torch.tensor([[1.0, 3.0, 2.0], [5.0, 0.0, 0.0]])
ROWS = torch.arange(2)


def model(*labels: str) -> Model:
    return Model(module=nn.Identity(), source="m", input=ArrayInput(), labels=labels)


def data(labels: tuple[str, ...], targets: list[int]) -> Data:
    return Data(
        source="d", split="", kind="array", labels=labels, read=[].__getitem__,
        ids=tuple(f"s{i}" for i in range(len(targets))), targets=np.array(targets, dtype=np.int64),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("predicted", [1, 0]),
        ("c", [2, 2]),
        (1, [1, 1]),
        ("1", [1, 1]),
        (torch.tensor([2, 0]), [2, 0]),
        ([0, 1], [0, 1]),
    ],
)
def test_targets(target: Any, expected: list[int]) -> None:
    choose = choose_class(target, model("a", "b", "c"), 2)
    assert choose(LOGITS, ROWS).tolist() == expected
    assert choose(LOGITS[1:], ROWS[1:]).tolist() == expected[1:]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("true", "needs the samples' labels"),
        (torch.tensor([1]), r"shape \(1,\)"),
        (torch.tensor([0.0, 1.0]), "2 integers, one per sample"),
        (True, "expected 'predicted'"),
    ],
)
def test_targets_that_do_not_fit(target: Any, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        choose_class(target, model("a", "b", "c"), 2)


def test_an_index_beyond_the_logits() -> None:
    with pytest.raises(MethodError, match=r"class 7 .* gives 3 logits.* from 0 to 2"):
        choose_class(7, model(), 2)(LOGITS, ROWS)
    with pytest.raises(MethodError, match=r"class -1 .* from 0 to 2"):
        choose_class(-1, model("a", "b", "c"), 2)(LOGITS, ROWS)


def test_a_label_where_classes_have_no_names() -> None:
    with pytest.raises(ModelError, match=r"classes have no names. Give an index"):
        choose_class("tabby", model(), 2)


def test_an_unknown_label_names_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"'tabbi' is not a class.*'tabby'"):
        choose_class("tabbi", model("tabby", "lynx"), 2)


def test_true_classes_are_matched_by_name() -> None:
    found = true_classes(data(("dog", "CAT", "moose"), [0, 1, 2, -1]), model("cat", "dog"))
    assert found.tolist() == [1, 0, -1, -1]


@pytest.mark.parametrize("labels", [(), ("LABEL_0", "LABEL_1")])
def test_true_classes_go_by_position_without_names(labels: tuple[str, ...]) -> None:
    assert true_classes(data(("dog", "cat"), [1, 0]), model(*labels)).tolist() == [1, 0]


def test_samples_without_a_label_are_named() -> None:
    refuse_unlabelled(np.array([0, 1]), ["a", "b"])
    with pytest.raises(MethodError, match="there is none for s2, s3, s4, s5, s6 and 2 more"):
        refuse_unlabelled(np.array([0, 0] + [-1] * 7), [f"s{i}" for i in range(9)])
