"""Tokens and text."""

from __future__ import annotations

import math

from pellucid.report.drawers import Sheet, draw, nothing
from pellucid.report.drawers_pictures import answers, scale
from pellucid.report.html import Markup, element, join, prose
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
    for (text, apart), value, added in zip(readable, view.values, special, strict=True):
        pieces += [" " if apart else "", _token(text, float(value), limit, special=added)]
    words = element("p", *pieces, class_="tokens")
    return join([words, scale(signed=True), answers(view.probabilities)])


@draw.register
def _(view: Text, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    if not view.paragraphs:
        return nothing()
    return join(element("p", prose(paragraph)) for paragraph in view.paragraphs)


def _token(text: str, value: float, limit: float, *, special: bool) -> Markup:
    part = max(-1.0, min(1.0, value / limit)) if math.isfinite(value) else 0.0
    if special:
        return element("span", text, class_="special", title="added by the tokenizer")
    side = "for" if part > 0 else "against"
    words = f"speaks {side}: {formatted(value, '+.3g')}" if part else "no influence"
    shade = f"--s:{abs(part):.2f}"
    return element("mark", text, class_=side if part else None, style=shade, title=words)
