"""Results in notebooks: the studio's components as a widget, where anywidget and a kernel are there.

Views are packed when the page asks for them, so that a result with hundreds of views shows at once.
Everywhere else, as in exported notebooks, the static pictures of `_repr_html_` are what is shown.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from pellucid.front import BUILT, asset
from pellucid.views.kinds import View
from pellucid.views.pack import pack


def widget_bundle(summary: str, views: Sequence[View]) -> Mapping[str, Any]:
    """What `_repr_mimebundle_` returns: the widget's view, or nothing where none can be shown."""
    if not (_has_kernel() and find_spec("anywidget") and (BUILT / "widget").is_dir()):
        return {}
    shown = widget(summary, views)
    bundle = shown._repr_mimebundle_()
    data: Mapping[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
    return {kind: value for kind, value in data.items() if kind != "text/plain"}


def widget(summary: str, views: Sequence[View]) -> Any:
    """An anywidget that shows `summary` and `views` with the studio's components.

    Raises ModuleNotFoundError without anywidget (``pip install 'pellucid[notebook]'``).
    """
    entries = [{"kind": type(view).__name__, "title": view.title} for view in views]
    shown = _widget_class()(summary=summary, entries=entries)

    def answer(_: Any, message: Any, __: Any) -> None:
        number = message.get("want") if isinstance(message, dict) else None
        if isinstance(number, int) and 0 <= number < len(views):
            shown.send({"view": number}, buffers=[pack(views[number], compact=True)])

    shown.on_msg(answer)
    return shown


def _has_kernel() -> bool:
    """Whether this is a notebook's kernel; nothing is imported to find out."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@functools.cache
def _widget_class() -> Any:
    import anywidget
    import traitlets

    class ResultWidget(anywidget.AnyWidget):
        """A result's words, the list of its views, and the style of the components."""

        _esm = asset("widget/widget.js")
        # Not "style": notebooks take that for a widget of its own.
        stylesheet = traitlets.Unicode(asset("widget/widget.css")).tag(sync=True)
        summary = traitlets.Unicode().tag(sync=True)
        entries = traitlets.List(traitlets.Dict()).tag(sync=True)

    return ResultWidget
