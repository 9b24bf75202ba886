"""Tokens and text."""

from __future__ import annotations

import math

from pellucid.reporting.drawers import Sheet, draw, nothing
from pellucid.reporting.drawers_pictures import answers, scale
from pellucid.reporting.html import Markup, element, join, prose
from pellucid.views import Text, Tokens
from pellucid.views.wording import formatted, readable_tokens


@draw.register
def _(view: Tokens, sheet: Sheet, anchor: str) -> Markup:
    if not view.tokens:
        return nothing()
    sheet.meet(view.sample, explanation=anchor)
    limit = view.limit if math.isfinite(view.limit) and view.limit > 0 else 1.0
    special = view.special or (False,) * len(view.tokens)
    pieces: list[Markup | str] = []
    readable = readable_tokens(view.tokens)
    for (word, apart), value, added in zip(readable, view.values, special, strict=True):
        part = float(value) / limit if math.isfinite(value) else 0.0
        words = "added by the tokenizer" if added else _said(float(value), signed=view.signed)
        pieces += [" " if apart else "", _token(word, part, words, special=added)]
    text = element("p", *pieces, class_="tokens")
    bar = scale(view.signed, reds=not view.signed)
    return join([text, bar, answers(view.probabilities)])


@draw.register
def _(view: Text, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    if not view.paragraphs:
        return nothing()
    return join(element("p", prose(paragraph)) for paragraph in view.paragraphs)


def _token(text: str, part: float, words: str, *, special: bool) -> Markup:
    if special:
        return element("span", text, class_="special", title=words)
    side = "for" if part > 0 else "against"
    shade = f"--s:{min(abs(part), 1.0):.2f}"
    return element("mark", text, class_=side if part else None, style=shade, title=words)


def _said(value: float, *, signed: bool) -> str:
    """A value in words."""
    if not math.isfinite(value) or not value:
        return "no influence"
    if not signed:
        return f"importance: {formatted(value, '.3g')}"
    return f"speaks {'for' if value > 0 else 'against'}: {formatted(value, '+.3g')}"
