"""The closed vocabulary of views, and how they are drawn."""

from pellucid.views.kinds import (
    Axis,
    Bars,
    BarSeries,
    Column,
    Heatmap,
    Histogram,
    ImageGrid,
    Lines,
    Matrix,
    Overlay,
    Picture,
    Series,
    Table,
    Text,
    Tokens,
    View,
)

__all__ = [
    "Axis",
    "BarSeries",
    "Bars",
    "Column",
    "Heatmap",
    "Histogram",
    "ImageGrid",
    "Lines",
    "Matrix",
    "Overlay",
    "Picture",
    "Series",
    "Table",
    "Text",
    "Tokens",
    "View",
]
