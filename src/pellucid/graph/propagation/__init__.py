"""Propagation by operator rules: a table from ATen operator to what is sent back through it."""

from pellucid.graph.propagation.machine import Propagation
from pellucid.graph.propagation.rules import Curve, Rules, Step, bend, moves

__all__ = ["Curve", "Propagation", "Rules", "Step", "bend", "moves"]
