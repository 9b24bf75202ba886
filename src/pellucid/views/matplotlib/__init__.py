"""Views drawn with matplotlib, for papers and static notebooks.

One drawer per kind of view, chosen by its type. Only matplotlib's objects are used, never pyplot,
and its settings hold for the drawing alone.
"""

from pellucid.views.matplotlib import (
    bars,
    charts,
    flow,
    graph,
    matrix,
    pictures,
    scatter,
    surface,
    tables,
    words,
)
from pellucid.views.matplotlib.drawing import draw
from pellucid.views.matplotlib.figure import draw_views, select, static_html

DRAWERS = (bars, charts, flow, graph, matrix, pictures, scatter, surface, tables, words)

__all__ = ["draw", "draw_views", "select", "static_html"]
