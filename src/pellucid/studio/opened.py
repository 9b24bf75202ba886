"""Results, opened and kept: their views, packed for the page or drawn for paper."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from pellucid.errors import PellucidError, ResultError
from pellucid.studio.cache import Cache
from pellucid.studio.confined import Bounds
from pellucid.studio.contents import ResultItem
from pellucid.studio.declared import check_declared
from pellucid.studio.problems import NotThere
from pellucid.views import View

if TYPE_CHECKING:
    from pellucid.result import Result

LOG = logging.getLogger("pellucid.studio")
FigureFormat = Literal["png", "svg", "pdf"]
DPI = 200
# matplotlib's settings are one for the whole process, and drawing changes them.
DRAWING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A result in memory, with all its views; `tag` changes whenever its files do."""

    result: Result
    views: tuple[View, ...]
    tag: str
    num_bytes: int


class OpenedResults:
    """Opens results within bounds, and keeps what was opened, packed and drawn last."""

    def __init__(self, bounds: Bounds, most_bytes: int) -> None:
        self._bounds = bounds
        self._opened: Cache[Opened] = Cache(most_bytes // 2, lambda opened: opened.num_bytes)
        self._made: Cache[bytes] = Cache(most_bytes // 2, len)

    def tag(self, item: ResultItem) -> str:
        """A fingerprint of a result's files, from their names, sizes and times of change."""
        return _tag(self._bounds.tree(item.path))

    def open(self, item: ResultItem) -> Opened:
        """The result in memory. Raises ResultError for one that is damaged."""
        files = self._bounds.tree(item.path)
        tag = _tag(files)
        return self._opened.get((item.id, tag), lambda: self._open(item, files, tag))

    def view(self, item: ResultItem, index: int) -> View:
        """One view. Raises NotThere where there are not as many."""
        views = self.open(item).views
        if index >= len(views):
            raise NotThere(
                f"this result has {len(views)} views, counted from 0; {index} was asked."
            )
        return views[index]

    def packed(self, item: ResultItem, index: int) -> bytes:
        """One view as bytes for the page."""
        from pellucid.views.pack import pack

        def make() -> bytes:
            with explained(item):
                return pack(self.view(item, index))

        return self._made.get((item.id, self.tag(item), index, "pack"), make)

    def drawn(self, item: ResultItem, index: int, suffix: FigureFormat) -> bytes:
        """One view as a picture file."""

        def make() -> bytes:
            with explained(item):
                return draw(self.view(item, index), suffix)

        return self._made.get((item.id, self.tag(item), index, suffix), make)

    def _open(self, item: ResultItem, files: list[tuple[str, os.stat_result]], tag: str) -> Opened:
        from pellucid.result.store import open_result

        check_declared(item.path, [name for name, _ in files], self._bounds)
        with explained(item):
            result = open_result(item.path)
            views = tuple(result.views())
        # Views hold arrays of their own beside the result's.
        return Opened(result=result, views=views, tag=tag, num_bytes=2 * int(result.data.nbytes))


def draw(view: View, suffix: FigureFormat) -> bytes:
    """Draw a view with matplotlib, one at a time in this process."""
    from pellucid.views.matplotlib import draw_views

    content = io.BytesIO()
    with DRAWING:
        draw_views([view]).savefig(content, format=suffix, dpi=DPI)
    return content.getvalue()


@contextmanager
def explained(item: ResultItem) -> Iterator[None]:
    """Turn what foreign files cause into a ResultError; the log tells the whole story."""
    try:
        yield
    except PellucidError:
        raise
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        OSError,
        TypeError,
    ) as error:
        raise _damaged(item, error) from error
    except (MemoryError, RuntimeError, ValueError) as error:
        raise _damaged(item, error) from error


def _damaged(item: ResultItem, error: Exception) -> ResultError:
    LOG.warning("the result %s cannot be shown", item.path, exc_info=error)
    return ResultError(
        f"the result {item.path.name!r} cannot be shown ({type(error).__name__}: {error}). It is "
        "damaged, or made by another version of Pellucid; make it again."
    )


def _tag(files: list[tuple[str, os.stat_result]]) -> str:
    digest = hashlib.sha256(version("pellucid").encode())
    for name, facts in files:
        digest.update(f"\0{name}\0{facts.st_size}\0{facts.st_mtime_ns}".encode("utf-8", "replace"))
    return digest.hexdigest()[:32]
