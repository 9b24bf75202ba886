"""Incremental runs: after a local change of a picture, only what depends on it is computed again."""

from __future__ import annotations

from pellucid.graph.incremental.run import Incremental

__all__ = ["Incremental"]
