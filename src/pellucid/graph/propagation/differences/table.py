"""DeepLIFT's table, with what is linear; other files add to it."""

from __future__ import annotations

from pellucid.graph.propagation.canonical import BATCH_NORM
from pellucid.graph.propagation.kinds import MOVES, SUMS
from pellucid.graph.propagation.rules import Rules

rules = Rules("deeplift", plain=MOVES | SUMS | {BATCH_NORM})
