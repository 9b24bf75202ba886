import io
import subprocess
import sys
import textwrap
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text as Words
from PIL import Image

from pellucid.errors import ResultError
from pellucid.result import Provenance, Result
from pellucid.views import Axis, Bars, BarSeries, Column, Lines, Matrix, Series, Table, Text, View
from pellucid.views.matplotlib import draw, draw_views, select, static_html


def words_in(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Words))


def rendered(figure: Figure) -> np.ndarray:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=60)
    return np.asarray(Image.open(content).convert("RGB"))


def test_every_kind_is_drawn_with_title_and_caption(each_kind: list[View]) -> None:
    figure = draw_views(each_kind)
    words = words_in(figure)
    for view in each_kind:
        assert view.title in words
        assert view.caption in words
    assert (rendered(figure) < 128).any()


def test_an_empty_view_says_so(empty: list[View]) -> None:
    for view in empty:
        figure = draw_views([view])
        assert "Nothing to show" in words_in(figure), view.title
        rendered(figure)


def test_no_views_at_all_is_no_error() -> None:
    assert "Nothing to show" in words_in(draw_views([]))


def test_settings_of_matplotlib_stay_as_they_were(each_kind: list[View]) -> None:
    names = [name for name in mpl.rcParams if name != "backend"]  # found out when asked for
    before = {name: mpl.rcParams[name] for name in names}
    rendered(draw_views(each_kind))
    assert {name: mpl.rcParams[name] for name in names} == before


def test_pyplot_is_left_alone() -> None:
    code = """
        import sys
        from pellucid.views import Text
        from pellucid.views.matplotlib import static_html
        static_html("summary", [Text(title="title", paragraphs=("words",))])
        sys.exit("matplotlib.pyplot" in sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_a_view_is_drawn_into_a_given_figure(each_kind: list[View]) -> None:
    figure = Figure(figsize=(5, 3))
    draw(each_kind[0], figure)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "epoch"
    assert axes.get_ylabel() == "loss (nats)"
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), each_kind[0].series[0].y)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "training",
        "validation",
        "best possible",
    ]


def test_bars_have_the_values_beside_them(each_kind: list[View]) -> None:
    (axes,) = draw_views([each_kind[1]]).axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.75, 1.0]
    assert [text.get_text() for text in axes.texts] == ["50 %", "75 %", "100 %"]


def test_cells_of_a_small_matrix_have_numbers(each_kind: list[View]) -> None:
    axes = draw_views([each_kind[3]]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["8", "2", "1", "9"]


def test_missing_entries_of_a_table_are_dashes(each_kind: list[View]) -> None:
    words = words_in(draw_views([each_kind[7]])).split("\n")
    assert words.count("–") == 3
    assert "50.0%" in words
    assert "samples" in words
    assert "(n)" in words


def test_forty_labels_do_not_overlap() -> None:
    names = tuple(f"a class with a long name {index}" for index in range(40))
    axis = Axis(label="class")
    view = Matrix(
        title="m", values=np.eye(40), rows=names, columns=names, x=axis, y=axis, value=axis
    )
    figure = draw_views([view])
    rendered(figure)
    axes = figure.axes[0]
    for labels, side in ((axes.get_yticklabels(), "y"), (axes.get_xticklabels(), "x")):
        boxes = [label.get_window_extent() for label in labels]
        edges = sorted((box.y0, box.y1) if side == "y" else (box.x0, box.x1) for box in boxes)
        overlap = [low[1] - high[0] for low, high in pairwise(edges)]
        assert max(overlap) < 1.0, side
    assert all(len(label.get_text()) <= 18 for label in axes.get_yticklabels())


def test_labels_are_thinned_out() -> None:
    names = tuple(str(index) for index in range(200))
    axis = Axis(label="class")
    view = Matrix(
        title="m", values=np.eye(200), rows=names, columns=names, x=axis, y=axis, value=axis
    )
    assert len(draw_views([view]).axes[0].get_yticklabels()) == 40


@pytest.mark.parametrize(
    "hostile", [r"$\frac{", "$x$", "<script>", "a\nb", "\N{SNOWMAN}" * 3, "x" * 500]
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_no_text_is_taken_as_a_formula_or_breaks_the_layout(hostile: str) -> None:
    axis = Axis(label=hostile[:40])
    views: list[View] = [
        Text(title=hostile[:40], paragraphs=(hostile,)),
        Bars(
            title="b",
            categories=(hostile, "dog"),
            series=(BarSeries(name=hostile, values=np.ones(2)),),
            value=axis,
        ),
        Lines(
            title="l",
            caption=hostile,
            series=tuple(Series(name=hostile, x=np.arange(3.0), y=np.ones(3)) for _ in range(2)),
            x=axis,
            y=axis,
        ),
        Table(title="t", columns=(Column(name=hostile, values=(hostile,)),)),
    ]
    figure = draw_views(views)
    rendered(figure)
    assert figure.axes[1].get_position().width > 0.3


@pytest.mark.parametrize(
    ("scale", "values"),
    [("log", [0.0, -1.0, -2.0]), ("log", [0.0, 1.0, 10.0]), ("linear", [5.0, 5.0, 5.0])],
)
@pytest.mark.parametrize("limits", [None, (1.0, 1.0), (-1.0, 5.0)])
def test_axes_that_make_no_sense_are_drawn_without_a_warning(
    scale: str, values: list[float], limits: tuple[float, float] | None
) -> None:
    series = Series(name="s", x=np.arange(3.0), y=np.array(values))
    axis = Axis(label="y", scale=scale, limits=limits)
    rendered(draw_views([Lines(title="", series=(series,), x=Axis(label="x"), y=axis)]))


def test_long_tables_and_many_bars_say_what_is_left_out() -> None:
    table = Table(title="t", columns=(Column(name="n", values=tuple(range(100))),))
    assert "The first 40 of 100 rows are shown." in words_in(draw_views([table]))
    bars = Bars(
        title="b",
        categories=tuple(map(str, range(80))),
        series=(BarSeries(name="v", values=np.arange(80.0)),),
        value=Axis(label="v"),
    )
    assert "The first 60 of 80 are shown." in words_in(draw_views([bars]))


def test_views_are_selected(each_kind: list[View]) -> None:
    assert select(each_kind, None) == each_kind
    assert select(each_kind, 1) == [each_kind[1]]
    assert select(each_kind, -1) == [each_kind[-1]]
    assert select(each_kind, "Mistakes") == [each_kind[4]]


def test_views_that_are_not_there_are_told(each_kind: list[View]) -> None:
    with pytest.raises(ResultError, match=r"no view 'Mistake'. Closest: 'Mistakes'"):
        select(each_kind, "Mistake")
    with pytest.raises(ResultError, match="no view 13; there are 13, counted from 0"):
        select(each_kind, 13)


def test_a_result_is_plotted_and_shown_in_a_notebook() -> None:
    data = xr.Dataset({"loss": ("step", np.zeros(3))})
    result = Result(data=data, meta=Provenance(kind="thing"))
    assert "loss" in words_in(result.plot("Contents"))
    assert "kind &#x27;thing&#x27; with 3 × step" in result._repr_html_()


def test_static_html_holds_its_pictures_and_escapes_its_text(each_kind: list[View]) -> None:
    hostile = Text(title='"><script>alert(1)</script>', paragraphs=("x",))
    page = static_html("Summary <b>", [hostile, *each_kind])
    assert "Summary &lt;b&gt;" in page
    assert "<script>" not in page
    assert page.count('src="data:image/png;base64,') == 8
    assert "6 more: draw them with" in page
