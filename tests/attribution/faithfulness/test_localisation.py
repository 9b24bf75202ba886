"""Localisation: hits and shares by hand, and the centre as a control."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from pellucid.attribution.faithfulness.localisation import (
    boxes_to_masks,
    mass_inside,
    pointing_game,
)
from pellucid.errors import MethodError


def test_boxes_cover_their_pixels() -> None:
    masks = boxes_to_masks([[(1, 0, 3, 2)], [], [(0, 0, 1, 1), (3, 3, 4, 4)]], 4, 4).view(3, 4, 4)
    assert masks[0].nonzero().tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]
    assert not masks[1].any()
    assert masks[2].sum() == 2


def test_hits_and_mass_by_hand(
    opened: Any, subject: Any, corner: Any, corner_pictures: Tensor
) -> None:
    maps = torch.zeros(3, 16, 16)
    maps[0, 2, 3], maps[0, 12, 12] = 3.0, 1.0  # strongest inside, three quarters of the mass
    maps[1, 9, 3], maps[1, 0, 0] = 3.0, -5.0  # strongest outside; what is negative does not count
    maps[2, 8, 3] = 1.0  # one pixel below the box
    masks = boxes_to_masks([[(0, 0, 8, 8)]] * 3, 16, 16)
    found = subject(opened(corner, corner_pictures), maps, masks=masks)
    assert pointing_game(found).values.tolist() == [[1, 0, 0]]
    assert pointing_game(found, tolerance=1).values.tolist() == [[1, 0, 1]]
    assert mass_inside(found).values.tolist() == [[0.75, 0, 0]]


def test_controls_give_the_area_and_the_centre(
    opened: Any, subject: Any, corner: Any, corner_pictures: Tensor, corner_map: Tensor
) -> None:
    boxes = [[(0, 0, 8, 8)], [(4, 4, 12, 12)], [(0, 0, 16, 16)]]
    masks = boxes_to_masks(boxes, 16, 16)
    call = opened(corner, corner_pictures)
    found = subject(call, corner_map, controls=("constant", "centre"), masks=masks)
    _, constant, centre = pointing_game(found).values
    assert constant.tolist() == [0.25, 0.25, 1]
    assert centre.tolist() == [0.25, 1, 1]  # four pixels share the middle
    torch.testing.assert_close(mass_inside(found).values[1], torch.tensor([0.25, 0.25, 1]))


def test_no_object_is_no_miss(
    opened: Any, subject: Any, corner: Any, corner_pictures: Tensor, corner_map: Tensor
) -> None:
    masks = boxes_to_masks([[], [], []], 16, 16)
    found = subject(opened(corner, corner_pictures), corner_map, masks=masks)
    assert pointing_game(found).values.isnan().all()
    assert mass_inside(found).values.isnan().all()


def test_without_masks_there_is_nothing_to_measure(
    opened: Any, subject: Any, corner: Any, corner_pictures: Tensor, corner_map: Tensor
) -> None:
    found = subject(opened(corner, corner_pictures), corner_map)
    with pytest.raises(MethodError, match="not where the objects are"):
        pointing_game(found)
