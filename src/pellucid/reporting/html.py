"""HTML that is safe by construction: text is escaped unless it was made here."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Iterable
from typing import Any


class Markup(str):
    """A piece of finished HTML. Any other string is text, and is escaped where it is put."""

    __slots__ = ()


Child = str | Markup | None
VOID = frozenset({"meta", "link", "br", "hr", "input", "img", "col"})


def text(value: str) -> Markup:
    """Escape text for use between tags and in quoted attributes; control characters are shown."""
    return Markup(html.escape("".join(map(_printed, value)), quote=True))


def _printed(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
    return "\N{REPLACEMENT CHARACTER}" if hidden else character


def prose(value: str) -> str:
    """Text whose numbers stay on one line with their per cent sign."""
    return value.replace(" %", "\N{NO-BREAK SPACE}%")


def element(tag: str, *children: Child, **attributes: Any) -> Markup:
    """Make ``<tag …>children</tag>``.

    Attributes drop a trailing underscore and turn others into hyphens (``class_``,
    ``aria_label``); None and False leave one out, True writes its bare name.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Markup:
    """Put pieces side by side, escaping what is plain text."""
    pieces = (child for child in children if child is not None)
    return Markup("".join(p if isinstance(p, Markup) else text(p) for p in pieces))


def data_block(record: Any, **attributes: Any) -> Markup:
    """Embed JSON for the page's script; no character in it can end the block."""
    written = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return element("script", Markup(written), type="application/json", **attributes)


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    return f" {spelled}" if value is True else f' {spelled}="{text(str(value))}"'
