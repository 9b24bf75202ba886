"""An analysis that Pellucid does not know: tests register it by a package of its own."""

from __future__ import annotations

import numpy as np

from pellucid.result import Result
from pellucid.views import Axis, Flow, Lines, Matrix, Scatter, Series, Surface, View

NUM_POINTS = 100_000
AXIS = Axis(label="value")


class Unforeseen(Result):
    """Made of lines, a matrix, many points, a flow and a surface."""

    kind = "unforeseen"

    def views(self) -> list[View]:
        random = np.random.default_rng(0)
        steps = np.arange(200.0)
        group = random.integers(0, 4, NUM_POINTS)
        points = random.normal(size=(2, NUM_POINTS)) + 4 * np.array([np.cos(group), np.sin(group)])
        side = np.linspace(-2, 2, 41)
        heights = np.hypot(*np.meshgrid(side, side)) ** 2
        return [
            Lines(
                title="Unforeseen lines",
                series=(Series(name="one", x=steps, y=np.sqrt(steps)),),
                x=Axis(label="step"),
                y=AXIS,
            ),
            Matrix(
                title="Unforeseen matrix",
                values=np.array([[5.0, 1.0], [2.0, 6.0]]),
                rows=("cat", "dog"),
                columns=("cat", "dog"),
                x=Axis(label="predicted"),
                y=Axis(label="true class"),
                value=Axis(label="samples"),
                members={(0, 1): ("point 7",), (1, 0): ("point 3", "point 4")},
            ),
            Scatter(
                title="Unforeseen map",
                x_values=points[0],
                y_values=points[1],
                samples=tuple(f"point {n}" for n in range(NUM_POINTS)),
                groups=tuple(f"group {n}" for n in group),
                x=AXIS,
                y=AXIS,
            ),
            Flow(
                title="Unforeseen flow",
                nodes=("all", "cat", "dog"),
                stages=np.array([0, 1, 1]),
                stage_names=("before", "after"),
                sources=np.array([0, 0]),
                targets=np.array([1, 2]),
                values=np.array([5.0, 3.0]),
                value=Axis(label="samples"),
                members={0: ("point 1", "point 2")},
            ),
            Surface(
                title="Unforeseen surface",
                values=heights,
                x_values=side,
                y_values=side,
                x=Axis(label="first direction"),
                y=Axis(label="second direction"),
                value=Axis(label="loss"),
                path_x=np.array([-1.5, -0.5, 0.0]),
                path_y=np.array([1.0, 0.2, 0.0]),
            ),
        ]

    def summary(self) -> str:
        return "Nobody foresaw this."


class EachKind(Result):
    """One view of each kind."""

    kind = "each_kind"

    def views(self) -> list[View]:
        from views_of_each_kind import views_of_each_kind

        views: list[View] = views_of_each_kind()
        return views

    def summary(self) -> str:
        return "One view of each kind."
