"""Random views: the identity, known turns and zooms, and one stream per picture."""

from __future__ import annotations

import pytest
import torch

from pellucid.errors import SpecError
from pellucid.inside.features import Transforms
from pellucid.inside.features.randomness import stream
from pellucid.inside.features.transforms import STILL, draw, view


def streams(count: int, seed: int = 0) -> list[torch.Generator]:
    return [stream(seed, index) for index in range(count)]


def test_a_still_view_is_the_picture() -> None:
    pictures = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    seen = view(pictures, draw(STILL, streams(2), (9, 7), (9, 7)), (9, 7))
    torch.testing.assert_close(seen, pictures, rtol=0, atol=1e-5)


def test_still_views_of_a_wide_picture_are_windows_anywhere_in_it() -> None:
    drawn = draw(STILL, streams(50), (8, 20), (8, 8))
    assert drawn[:, 1, 2].abs().max() == 0
    assert 0.4 < drawn[:, 0, 2].abs().max() <= 0.6  # the window's middle, from -1 to 1
    drawn[:1, 0, 2] = 0
    pictures = torch.rand(1, 1, 8, 20, generator=torch.Generator().manual_seed(0))
    seen = view(pictures, drawn[:1], (8, 8))
    torch.testing.assert_close(seen, pictures[..., 6:14], rtol=0, atol=1e-5)


def test_a_quarter_turn_is_one_in_pictures_of_any_shape() -> None:
    pictures = torch.rand(1, 1, 8, 20, generator=torch.Generator().manual_seed(0))
    turn = torch.tensor([[[0.0, -8 / 20, 0], [1.0, 0, 0]]])
    seen = view(pictures, turn, (8, 8))
    drawn = draw(Transforms(zoom=(1, 1), jitter=0, rotation=180), streams(1), (8, 20), (8, 8))
    across, down = drawn[0, :, 0] * torch.tensor([20, 8]), drawn[0, :, 1] * torch.tensor([20, 8])
    torch.testing.assert_close(seen, torch.rot90(pictures[..., 6:14], 1, (2, 3)), rtol=0, atol=1e-4)
    assert across @ down == pytest.approx(0, abs=1e-4)
    assert across.norm() == pytest.approx(8, rel=1e-4)


def test_zoom_is_the_share_of_the_side() -> None:
    drawn = draw(Transforms(zoom=(0.5, 0.5), jitter=0, rotation=0), streams(20), (16, 16), (8, 8))
    torch.testing.assert_close(drawn[:, 0, 0], torch.full((20,), 0.5))
    assert drawn[:, :, 2].abs().max() <= 0.5  # so that it stays inside the picture


def test_views_of_a_picture_do_not_depend_on_its_company() -> None:
    both = draw(Transforms(), streams(2), (16, 16), (8, 8))
    alone = draw(Transforms(), streams(2)[1:], (16, 16), (8, 8))
    torch.testing.assert_close(both[1:], alone, rtol=0, atol=0)
    assert not torch.equal(both[0], both[1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"zoom": (0, 1)}, r"zoom=\(0, 1\).*0 < least"),
        ({"jitter": 2}, "jitter=2.*share from 0 to 1"),
        ({"rotation": -1}, "rotation=-1.*0 to 180"),
    ],
)
def test_impossible_views_are_refused(given: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Transforms(**given)
