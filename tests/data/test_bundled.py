"""The data that come with packages."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from pellucid import load_data
from pellucid.data.source import splits
from pellucid.errors import SpecError


def test_digits_scale_their_seventeen_levels() -> None:
    data = load_data("bundled:digits")
    assert len(data) == 1797
    assert data.labels == tuple("0123456789")
    assert (data.ids[0], data.targets[:4].tolist()) == ("digit-0000", [0, 1, 2, 3])
    picture = data[0].input
    assert (picture.mode, picture.size) == ("RGB", (8, 8))
    # the first row of the first digit is 0 0 5 13 9 1 0 0 of 16
    row = np.asarray(picture)[0]
    assert row[:, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    assert (row[:, 0] == row[:, 2]).all()
    assert splits("bundled:digits") == ()


def test_digits_are_cut_the_same_way_every_time() -> None:
    train, test = (load_data("bundled:digits", split=name) for name in ("train", "test"))
    assert (len(train), len(test)) == (1438, 179)
    assert not set(train.ids) & set(test.ids)
    assert np.bincount(test.targets).min() >= 17
    assert test.identity == load_data("bundled:digits", split="test").identity


def test_photos_are_colour_pictures_without_labels() -> None:
    data = load_data("bundled:photos")
    assert list(data.ids) == sorted(data.ids)
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= set(data.ids)
    assert set(data.targets.tolist()) == {-1}
    assert data.labels == ()
    assert data.report.problems == []
    chelsea = data[data.ids.index("chelsea")].input
    assert (chelsea.mode, chelsea.size) == ("RGB", (451, 300))
    assert all(min(sample.input.size) > 200 for sample in data)


@pytest.mark.parametrize("name", ["digits", "photos"])
def test_reading_survives_pickling(name: str) -> None:
    data = load_data(f"bundled:{name}")
    assert pickle.loads(pickle.dumps(data.read))(2).tobytes() == data.read(2).tobytes()


def test_another_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"bundled:digit does not exist. Closest: 'digits'"):
        load_data("bundled:digit")
