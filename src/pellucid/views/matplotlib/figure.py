"""Several views in one figure, and as static HTML."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pellucid.errors import ResultError, closest
from pellucid.views import Text, View
from pellucid.views.matplotlib.drawing import STYLE, WIDTH, draw, view_height

MOST_IN_HTML = 8
DPI, HTML_DPI = 110, 150


def select(views: Sequence[View], which: int | str | None) -> list[View]:
    """Choose views: all for None, else one by position or by title.

    Raises ResultError with the nearest titles.
    """
    if which is None:
        return list(views)
    if isinstance(which, int):
        if -len(views) <= which < len(views):
            return [views[which]]
        raise ResultError(f"There is no view {which}; there are {len(views)}, counted from 0.")
    found = [view for view in views if view.title == which]
    if not found:
        known = [view.title for view in views]
        raise ResultError(f"There is no view {which!r}. {closest(which, known)}")
    return found


def draw_views(views: Sequence[View]) -> Figure:
    """Draw views under each other in one figure, each as high as it needs."""
    views = views or [Text(title="", paragraphs=())]
    heights = [view_height(view) for view in views]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, sum(heights)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(views), 1, height_ratios=heights, squeeze=False)
    for view, part in zip(views, parts[:, 0], strict=True):
        draw(view, part)
    return figure


def static_html(summary: str, views: Sequence[View]) -> str:
    """Summary and pictures of the first views, as HTML that lives on in exported notebooks."""
    parts = [f"<p>{html.escape(summary)}</p>"]
    parts += [_picture(view) for view in views[:MOST_IN_HTML]]
    if len(views) > MOST_IN_HTML:
        rest = len(views) - MOST_IN_HTML
        parts.append(f"<p>{rest} more: draw them with <code>.plot(number or title)</code>.</p>")
    return f'<div style="max-width: 52rem">{"".join(parts)}</div>'


def _picture(view: View) -> str:
    content = io.BytesIO()
    draw_views([view]).savefig(content, format="png", dpi=HTML_DPI)
    encoded = base64.b64encode(content.getvalue()).decode()
    alternative = html.escape(f"{view.title}. {view.caption}".strip())
    return (
        f'<img alt="{alternative}" src="data:image/png;base64,{encoded}" '
        'style="width: 100%; background: white; margin-bottom: 1rem">'
    )
