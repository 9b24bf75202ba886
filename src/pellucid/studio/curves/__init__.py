"""Metrics of runs: read as they are written, thinned for the screen, exact when zoomed in."""

from pellucid.studio.curves.log import MetricsLog, MetricsLogs
from pellucid.studio.curves.thinning import thinned

__all__ = ["MetricsLog", "MetricsLogs", "thinned"]
