"""Scatter plots: groups, what is drawn of many points."""

from __future__ import annotations

import numpy as np

from pellucid.views import Axis, Scatter
from pellucid.views.grouping import OTHERS, groups_of
from pellucid.views.matplotlib import draw_views


def scatter(number: int, groups: tuple[str, ...] = ()) -> Scatter:
    rng = np.random.default_rng(0)
    return Scatter(
        title="Two units",
        x_values=rng.normal(size=number),
        y_values=rng.normal(size=number),
        samples=tuple(f"sample <{index}>" for index in range(number)),
        groups=groups,
        x=Axis(label="layer4:1"),
        y=Axis(label="layer4:2"),
    )


def test_the_largest_groups_have_colours_of_their_own() -> None:
    names = tuple(f"class {index % 12 if index < 60 else index % 3}" for index in range(90))
    groups = groups_of(scatter(90, names))
    assert [group.place for group in groups] == [-1, 0, 1, 2, 3, 4, 5, 6]
    assert groups[0].name == OTHERS
    assert [group.name for group in groups[1:4]] == ["class 0", "class 1", "class 2"]
    assert sum(len(group.rows) for group in groups) == 90


def test_points_that_are_nowhere_are_left_out() -> None:
    view = scatter(5)
    view.x_values[1] = np.nan
    view.y_values[3] = np.inf
    assert groups_of(view)[0].rows.tolist() == [0, 2, 4]


def test_many_points_are_thinned_over_their_density() -> None:
    axes, *_ = draw_views([scatter(9000)]).axes
    assert len(axes.collections) == 2
    assert len(axes.collections[1].get_offsets()) == 2500


def test_matplotlib_draws_every_point_of_few() -> None:
    axes, *_ = draw_views([scatter(40, ("a", "b") * 20)]).axes
    assert sorted(len(points.get_offsets()) for points in axes.collections) == [20, 20]
    assert axes.get_xlabel() == "layer4:1"
