"""A layout of graphs in groups: only what is open is laid out, layer by layer, in linear time."""

from pellucid.views.layered.hierarchy import Hierarchy, hierarchy_of
from pellucid.views.layered.layout import Drawing, Route, Spot, lay_out

__all__ = ["Drawing", "Hierarchy", "Route", "Spot", "hierarchy_of", "lay_out"]
