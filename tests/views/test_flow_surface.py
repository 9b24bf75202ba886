import numpy as np
import pytest
from matplotlib.text import Text as Words

from pellucid.views import Axis, Flow, Surface
from pellucid.views.flows import place
from pellucid.views.matplotlib import draw_views


def flow(values: list[float]) -> Flow:
    """Two nodes on the left, two on the right, listed so that all links would cross."""
    return Flow(
        title="flow",
        nodes=("a", "b", "B", "A"),
        stages=np.array([0, 0, 1, 1]),
        stage_names=("before", "after"),
        sources=np.array([0, 1, 0]),
        targets=np.array([3, 2, 2]),
        values=np.array(values),
        value=Axis(label="samples"),
    )


def surface(scale: str = "linear", *, path: bool = True) -> Surface:
    x, y = np.linspace(-1, 1, 20), np.linspace(-2, 2, 30)
    return Surface(
        title="loss",
        values=x[None] ** 2 + y[:, None] ** 2 + 0.01,
        x_values=x,
        y_values=y,
        x=Axis(label="first direction"),
        y=Axis(label="second direction"),
        value=Axis(label="loss", unit="nats", scale=scale),
        path_x=np.array([0.9, 0.4, 0.0]) if path else None,
        path_y=np.array([1.8, 0.2, 0.0]) if path else None,
    )


def test_bands_are_as_wide_as_their_values_and_fill_their_nodes() -> None:
    view = flow([3, 2, 1])
    placed = place(view)
    assert placed is not None
    np.testing.assert_allclose(placed.thickness / placed.thickness[2], [3, 2, 1])
    np.testing.assert_allclose(placed.amounts, [4, 2, 3, 3])
    for node in range(4):
        links = [i for i in range(3) if node in (view.sources[i], view.targets[i])]
        edges = placed.leaves if node < 2 else placed.enters
        start = min(edges[i] for i in links)
        end = max(edges[i] + placed.thickness[i] for i in links)
        np.testing.assert_allclose(
            (start, end), (placed.top[node], placed.top[node] + placed.height[node])
        )


def test_nodes_are_ordered_so_that_bands_do_not_cross() -> None:
    placed = place(flow([3, 2, 0.0]))
    assert placed is not None
    assert (placed.top[0] < placed.top[1]) == (placed.top[3] < placed.top[2])


def test_nodes_stay_within_the_figure_and_apart() -> None:
    placed = place(flow([3, 2, 1]))
    assert placed is not None
    assert placed.top.min() >= 0
    assert (placed.top + placed.height).max() <= 1 + 1e-9
    upper, lower = sorted((0, 1), key=lambda node: placed.top[node])
    assert placed.top[lower] > placed.top[upper] + placed.height[upper]


@pytest.mark.parametrize("values", [[0, 0, 0], [np.nan, -1, 0]])
def test_a_flow_of_nothing_has_no_place(values: list[float]) -> None:
    assert place(flow(values)) is None


def test_links_without_a_value_are_left_out() -> None:
    placed = place(flow([3, np.nan, 1]))
    assert placed is not None
    assert placed.order.tolist() == [0, 2]


def test_stages_nodes_and_their_amounts_are_named() -> None:
    words = "\n".join(text.get_text() for text in draw_views([flow([3, 2, 1])]).findobj(Words))
    for said in ("before", "after", "a  4", "B  3", "Width: samples"):
        assert said in words


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_surface_has_contours_a_labelled_bar_and_its_path(scale: str) -> None:
    axes, bar = draw_views([surface(scale)]).axes
    assert axes.get_xlabel() == "first direction"
    assert bar.get_ylabel() == "loss (nats)"
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [0.9, 0.4, 0.0])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["start", "end"]


def test_a_flat_surface_with_gaps_is_drawn() -> None:
    view = surface(path=False)
    flat = np.ones_like(view.values)
    flat[0] = np.nan
    figure = draw_views([Surface(**{**vars(view), "values": flat})])
    figure.canvas.draw()
    assert figure.axes[0].get_legend() is None
