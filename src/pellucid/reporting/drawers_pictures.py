"""Pictures, and the maps that explain them."""

from __future__ import annotations

from pellucid.reporting.drawers import Sheet, draw, nothing
from pellucid.reporting.drawers_bars import bar_list
from pellucid.reporting.html import Markup, element, join, prose
from pellucid.reporting.pictures import Embedded
from pellucid.views import Bars, Heatmap, ImageGrid, Overlay, Picture
from pellucid.views.wording import bar_words

LARGE = 160  # pixels of a picture that is worth a closer look
MARKS = {"good": "✓", "bad": "✗"}


@draw.register
def _(view: ImageGrid, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    if not view.pictures:
        return nothing()
    large = min(picture.pixels.shape[1] for picture in view.pictures) >= LARGE
    thumbnails = (_thumbnail(picture, sheet) for picture in view.pictures)
    return element("ul", *thumbnails, class_="grid large" if large else "grid")


@draw.register
def _(view: Overlay, sheet: Sheet, anchor: str) -> Markup:
    if not view.picture.pixels.size:
        return nothing()
    original = sheet.pictures.add(view.picture.pixels)
    sheet.meet(
        view.picture.sample,
        picture=original,
        label=view.picture.label,
        explanation=anchor,
    )
    methods = [_method(heatmap, original, sheet) for heatmap in view.maps]
    shown = element(
        "div",
        element("h4", "Picture"),
        original.draw(f"Picture: {described(view.picture)}"),
        label(view.picture),
    )
    first = element("div", shown, answers(view.probabilities), class_="original")
    layout = f"panels of-{min(len(methods), 4)}"
    return element("div", first, *methods, class_=layout, style=f"--n:{len(methods) + 1}")


def answers(bars: Bars | None) -> Markup | None:
    """What the model answered, as bars."""
    if bars is None or not bars.categories or not bars.series:
        return None
    return element("div", element("h4", bars.title), bar_list(bars), class_="answers")


def scale(signed: bool, *, reds: bool = False) -> Markup:
    """A colour bar with words at its ends; with `reds`, the upper half of the signed one."""
    low, high, arrow = bar_words(signed)
    ramp = "ramp signed upper" if reds else "ramp signed" if signed else "ramp"
    return element(
        "p",
        element("span", low),
        element("i", class_=ramp, aria_hidden="true"),
        element("span", high),
        class_="scale",
        aria_label=f"Colours: {low} {arrow} {high}",
    )


def described(picture: Picture) -> str:
    """A picture in words, for those who cannot see it."""
    return picture.label or picture.sample or "a sample"


def label(picture: Picture) -> Markup | None:
    """The words under a picture; a mark as well as a colour tells right from wrong."""
    if not picture.label:
        return None
    mark = element("b", MARKS[picture.tone], aria_hidden="true") if picture.tone in MARKS else None
    return element(
        "span", mark, prose(picture.label), class_=f"label {picture.tone}", title=picture.sample
    )


def _thumbnail(picture: Picture, sheet: Sheet) -> Markup:
    if not picture.pixels.size:
        return element("li", nothing())
    embedded = sheet.pictures.add(picture.pixels)
    sheet.meet(picture.sample, picture=embedded, label=picture.label)
    return element("li", embedded.draw(described(picture)), label(picture), class_=picture.tone)


def _method(heatmap: Heatmap, original: Embedded, sheet: Sheet) -> Markup:
    if not heatmap.values.size:
        return element("div", element("h4", heatmap.name), nothing(), class_="method")
    drawn = sheet.pictures.add_map(heatmap)
    ground = "ground signed" if heatmap.signed else "ground"
    alone = Embedded(drawn.name, original.width, original.height)
    said = f"{heatmap.name}. {heatmap.caption}".strip()
    veil = element("i", class_=f"veil {drawn.name}", aria_hidden="true")
    return element(
        "div",
        element("h4", heatmap.name),
        join(
            [
                alone.draw(f"Heat map of {said}", extra=ground),
                original.draw(f"The picture under the heat map of {heatmap.name}.", veil),
            ]
        ),
        scale(heatmap.signed),
        element("p", prose(heatmap.caption), class_="caption") if heatmap.caption else None,
        class_="method",
    )
