"""Marks on routes, which the guard reads: what is open to everybody, what takes large bodies.

A mark belongs to a whole path, so a marked route must have a fixed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

PUBLIC, UPLOAD = "__studio_public__", "__studio_upload__"
F = TypeVar("F", bound=Callable[..., Any])


def public(endpoint: F) -> F:
    """Open a route to callers without a token. Host and origin are still checked."""
    setattr(endpoint, PUBLIC, True)
    return endpoint


def takes_upload(endpoint: F) -> F:
    """Let a route take bodies up to `Settings.max_upload_bytes` instead of `max_body_bytes`."""
    setattr(endpoint, UPLOAD, True)
    return endpoint


def marked(routes: Iterable[tuple[str, Any]], mark: str) -> frozenset[str]:
    """Paths among (path, endpoint) that carry a mark. Raises ValueError for one with parameters."""
    paths = frozenset(path for path, endpoint in routes if getattr(endpoint, mark, False))
    loose = [path for path in paths if "{" in path]
    if loose:
        raise ValueError(f"a mark needs a fixed path, and {loose[0]} has parameters.")
    return paths
