"""Results: their words, their views, pictures of them, and the data behind them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from pellucid.errors import closest
from pellucid.studio.answers import download, of_type, tagged, unchanged
from pellucid.studio.contents import ResultItem
from pellucid.studio.datasets import DataSets
from pellucid.studio.export import as_arrow, as_csv, as_json
from pellucid.studio.opened import FigureFormat, Opened, explained
from pellucid.studio.plain import plain
from pellucid.studio.problems import NotThere
from pellucid.studio.schemas import Change, ResultDetail, ViewSummary
from pellucid.studio.state import Current, Studio
from pellucid.studio.summaries import figures, readable, result_summary
from pellucid.views import ImageGrid, Matrix, Overlay, Scatter, Tokens, View

router = APIRouter(prefix="/api", tags=["results"])
VIEW = "application/vnd.pellucid.view"
PICTURES: dict[FigureFormat, str] = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
DATA = {
    "arrow": (as_arrow, "application/vnd.apache.arrow.stream"),
    "csv": (as_csv, "text/csv"),
    "json": (as_json, "application/json"),
}
MOST_SAMPLES = 200
Index = Annotated[int, Path(ge=0, le=100_000)]


@router.get("/results/{id}")
def get_result(id: str, studio: Current) -> ResultDetail:  # noqa: A002
    """A result with its provenance, its words, and the views it has."""
    return _detail(studio, studio.contents.result(id))


@router.patch("/results/{id}")
def change_result(id: str, change: Change, studio: Current) -> ResultDetail:  # noqa: A002
    """Write tags and a note on a result."""
    studio.contents.mark(studio.contents.result(id), change.tags, change.note)
    return _detail(studio, studio.contents.result(id))


@router.get("/results/{id}/views/{n}", response_class=Response, responses=of_type(VIEW, "A view"))
def get_view(id: str, n: Index, request: Request, studio: Current) -> Response:  # noqa: A002
    """One view, packed."""
    item = studio.contents.result(id)
    tag = f"{studio.opened.tag(item)}-{n}"
    return unchanged(request, tag) or Response(
        studio.opened.packed(item, n), media_type=VIEW, headers=tagged(tag)
    )


@router.get(
    "/results/{id}/views/{n}/figure.{suffix}",
    response_class=Response,
    responses=of_type(PICTURES.values(), "A picture, as its suffix says"),
)
def get_figure(
    id: str,  # noqa: A002
    n: Index,
    suffix: Literal["png", "svg", "pdf"],
    request: Request,
    studio: Current,
) -> Response:
    """One view drawn for paper."""
    item = studio.contents.result(id)
    tag = f"{studio.opened.tag(item)}-{n}-{suffix}"
    if answer := unchanged(request, tag):
        return answer
    name = f"{_slug(studio.opened.view(item, n).title) or f'view-{n}'}.{suffix}"
    return download(studio.opened.drawn(item, n, suffix), PICTURES[suffix], name, tag)


@router.get(
    "/results/{id}/data/{variable}.{suffix}",
    response_class=Response,
    responses=of_type(
        [media_type for _, media_type in DATA.values()], "A table, as its suffix says"
    ),
)
def get_data(
    id: str,  # noqa: A002
    variable: str,
    suffix: Literal["arrow", "csv", "json"],
    request: Request,
    studio: Current,
) -> Response:
    """One variable of a result, whole."""
    item = studio.contents.result(id)
    tag = f"{studio.opened.tag(item)}-data-{suffix}"
    if answer := unchanged(request, tag):
        return answer
    data = studio.opened.open(item).result.data
    if variable not in data.variables:
        known = [str(name) for name in data.variables]
        raise NotThere(f"this result has no variable {variable!r}. {closest(variable, known)}")
    write, media_type = DATA[suffix]
    return download(write(data[variable]), media_type, f"{variable}.{suffix}", tag)


def _detail(studio: Studio, item: ResultItem) -> ResultDetail:
    opened = studio.opened.open(item)
    with explained(item):
        layers = _layers(opened)
        meta = plain(opened.result.meta.to_json())
        about = result_summary(item, studio.part(DataSets).titles())
        return ResultDetail(
            **about.model_dump(),
            summary=readable(opened.result.summary(), about.data_source, about.data),
            headline=figures(opened.result),
            meta=meta | {"variables": [str(name) for name in opened.result.data.variables]},
            views=[view_summary(view, n, layers) for n, view in enumerate(opened.views)],
        )


def view_summary(view: View, index: int, layers: tuple[str, ...] = ()) -> ViewSummary:
    """A view without its contents; `layers` are those that a result tells of."""
    return ViewSummary(
        index=index,
        kind=type(view).__name__,
        title=view.title,
        caption=view.caption,
        samples=_samples(view),
        layer=_layer(view.title, layers),
    )


def _samples(view: View) -> list[str]:
    """Ids of the samples in a view, if they are few."""
    match view:
        case Overlay():
            found = [view.picture.sample]
        case Tokens():
            found = [view.sample]
        case ImageGrid():
            found = [picture.sample for picture in view.pictures]
        case Scatter() if len(view.samples) <= MOST_SAMPLES:
            found = list(view.samples)
        case Matrix():
            found = [sample for samples in view.members.values() for sample in samples]
        case _:
            found = []
    known = [sample for sample in dict.fromkeys(found) if sample]
    return known if len(known) <= MOST_SAMPLES else []


def _layers(opened: Opened) -> tuple[str, ...]:
    """Names of the layers that a result tells of, the longest first."""
    data: Any = opened.result.data
    names = data["layer"].values.reshape(-1).tolist() if "layer" in data.variables else []
    own = opened.result.meta.parameters.get("layer")
    names += [own] if isinstance(own, str) else []
    return tuple(sorted({str(name) for name in names if name}, key=len, reverse=True))


def _layer(title: str, layers: tuple[str, ...]) -> str:
    """The layer that a view is about: the only one there is, or the one that its title names."""
    if len(layers) == 1:
        return layers[0]
    words = re.split(r"[\s,:;()]+", title)
    return next((layer for layer in layers if layer in words), "")


def _slug(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:60]
