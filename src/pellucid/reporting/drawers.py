"""How each kind of view looks on the page: one drawer per kind, chosen by its type."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from pellucid.reporting.html import Markup, element, join, prose
from pellucid.reporting.pictures import Embedded, Pictures
from pellucid.views import Bars, Histogram, Lines, Overlay, Scatter, Tokens, View
from pellucid.views.wording import NOTHING

FEW_BARS = 12


@dataclass
class Sample:
    """Where a sample can be seen: classes and proportions of its picture, its label, and the
    anchor of its explanation.
    """

    picture: str = ""
    ratio: str = ""
    label: str = ""
    explanation: str = ""


@dataclass
class Sheet:
    """What the drawers of one page share: the pictures embedded so far, and who is on them."""

    pictures: Pictures = field(default_factory=Pictures)
    samples: dict[str, Sample] = field(default_factory=dict)

    def meet(
        self,
        sample: str,
        *,
        picture: Embedded | None = None,
        label: str = "",
        explanation: str = "",
    ) -> None:
        """Remember the first picture, and the first explanation, of a sample."""
        if sample:
            known = self.samples.setdefault(sample, Sample())
            known.label = known.label or prose(label)
            if picture and not known.picture:
                known.picture, known.ratio = picture.classes, picture.ratio
            known.explanation = known.explanation or explanation


@functools.singledispatch
def draw(view: View, sheet: Sheet, anchor: str) -> Markup:
    """Draw the content of a view; `anchor` is the id of its card. Each kind registers its own."""
    raise NotImplementedError(f"{type(view).__name__} has no drawer for the page.")


def card(view: View, sheet: Sheet, anchor: str, width: str) -> Markup:
    """A view with title and caption; `width` is half, wide, or alone (a chart beside its text)."""
    caption = element("p", prose(view.caption), class_="caption") if view.caption else None
    heading = element("h3", view.title or "Untitled", id=f"{anchor}-title")
    return element(
        "figure",
        element("figcaption", heading, caption),
        element("div", draw(view, sheet, anchor), class_="body"),
        class_=f"card {width}",
        data_kind=type(view).__name__.lower(),
        id=anchor,
        aria_labelledby=f"{anchor}-title",
    )


def is_narrow(view: View) -> bool:
    """Say whether two such views fit side by side."""
    if isinstance(view, Bars) and view.horizontal:
        return len(view.categories) * max(len(view.series), 1) <= FEW_BARS
    return isinstance(view, Bars | Lines | Histogram | Scatter)


def explains(view: View) -> bool:
    """Say whether a view explains one sample."""
    return isinstance(view, Overlay | Tokens)


def nothing() -> Markup:
    """The words for an empty view."""
    return element("p", NOTHING, class_="nothing")


def listing(tag: str, items: list[Markup], **attributes: str) -> Markup:
    """A list of finished items."""
    return element(tag, join(element("li", item) for item in items), **attributes)
