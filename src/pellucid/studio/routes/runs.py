"""Runs: their record, their curves, and word of how they go on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pellucid.errors import SpecError
from pellucid.studio.answers import EVENT_STREAM, Event, events
from pellucid.studio.contents import RunItem
from pellucid.studio.curves import MetricsLog
from pellucid.studio.curves.log import Line
from pellucid.studio.running import detail, status
from pellucid.studio.schemas import Change, Curve, Curves, RunDetail
from pellucid.studio.state import Current, Studio

router = APIRouter(prefix="/api", tags=["runs"])
ARROW = "application/vnd.apache.arrow.stream"
MOST_POINTS, LIVE_POINTS = 100_000, 2_000
MOST_RUNS, MOST_CURVES = 50, 400
AS_ARROW: dict[int | str, dict[str, Any]] = {200: {"model": Curves, "content": {ARROW: {}}}}

Names = Annotated[
    str, Query(description="Metrics, commas between; all if empty.", max_length=20_000)
]
Points = Annotated[int, Query(ge=10, le=MOST_POINTS, description="Points per curve at most.")]
Start = Annotated[float | None, Query(allow_inf_nan=False, description="x from here on.")]
End = Annotated[float | None, Query(allow_inf_nan=False, description="x up to here.")]


@router.get("/runs/{id}")
def get_run(id: str, studio: Current) -> RunDetail:  # noqa: A002
    """A run with its record, its results and the metrics it has."""
    return detail(studio, studio.contents.run(id))


@router.patch("/runs/{id}")
def change_run(id: str, change: Change, studio: Current) -> RunDetail:  # noqa: A002
    """Write tags and a note on a run."""
    studio.contents.mark(studio.contents.run(id), change.tags, change.note)
    return detail(studio, studio.contents.run(id))


@router.get("/runs/{id}/metrics", response_model=Curves, responses=AS_ARROW)
def get_metrics(
    id: str,  # noqa: A002
    request: Request,
    studio: Current,
    names: Names = "",
    points: Points = LIVE_POINTS,
    start: Start = None,
    end: End = None,
) -> Curves | Response:
    """Curves of one run: exact where they have few points, else their extremes."""
    run = studio.contents.run(id)
    return _answer(request, _curves(studio, [run], names, points, start, end))


@router.get("/metrics", response_model=Curves, responses=AS_ARROW)
def get_metrics_of_runs(
    request: Request,
    studio: Current,
    runs: Annotated[str, Query(description="Ids of runs, commas between.", max_length=5_000)],
    names: Names = "",
    points: Points = LIVE_POINTS,
    start: Start = None,
    end: End = None,
) -> Curves | Response:
    """Curves of several runs, to be laid over one another."""
    ids = [id for id in runs.split(",") if id]  # noqa: A001
    if len(ids) > MOST_RUNS:
        raise SpecError(f"{len(ids)} runs were asked for; at most {MOST_RUNS} can be.")
    found = [studio.contents.run(id) for id in dict.fromkeys(ids)]  # noqa: A001
    return _answer(request, _curves(studio, found, names, points, start, end))


@router.get("/runs/{id}/events", response_class=Response, responses=EVENT_STREAM)
async def get_run_events(
    id: str,  # noqa: A002
    studio: Current,
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> Response:
    """How a run goes on: `metrics` (Curves, and whether to `reset`) and `status` (RunSummary).

    It begins with all there is, or after `Last-Event-ID`.
    """
    run = await run_in_threadpool(studio.contents.run, id)
    mark, told = last_event_id, ""

    def look_now() -> list[Event]:
        nonlocal mark, told
        found: list[Event] = []
        # The status first: what a run that has ended wrote last is read, and told, before its end.
        state = status(studio, run).model_dump_json()
        log = studio.logs.of(run.path)
        now = log.refresh()
        if now != mark:
            found.append((now, "metrics", _news(run, log, mark)))
            mark = now
        if state != told:
            found.append((mark, "status", json.loads(state)))
            told = state
        return found

    async def look() -> list[Event]:
        return await run_in_threadpool(look_now)

    return events(studio, look)


def _news(run: RunItem, log: MetricsLog, mark: str) -> dict[str, object]:
    """What came after `mark`; everything, if it stands for another file."""
    since = log.since(mark)
    lines = [log.line(name, points=LIVE_POINTS, since=since or 0) for name in log.names()]
    curves = Curves(curves=[_curve(run, line) for line in lines if line and len(line.x)])
    return {"reset": since is None, **curves.model_dump()}


def _curves(
    studio: Studio,
    runs: Iterable[RunItem],
    names: str,
    points: int,
    start: float | None,
    end: float | None,
) -> list[tuple[RunItem, Line]]:
    wanted = [name for name in dict.fromkeys(names.split(",")) if name]
    found = []
    for run in runs:
        log = studio.logs.of(run.path)
        for name in wanted or log.names():
            line = log.line(name, points=points, start=start, end=end)
            if line is not None:
                found.append((run, line))
            if len(found) > MOST_CURVES:
                raise SpecError(
                    f"more than {MOST_CURVES} curves were asked for; name fewer metrics or runs."
                )
    return found


def _answer(request: Request, found: list[tuple[RunItem, Line]]) -> Curves | Response:
    if ARROW in request.headers.get("accept", ""):
        return Response(_as_arrow(found), media_type=ARROW)
    return Curves(curves=[_curve(run, line) for run, line in found])


def _curve(run: RunItem, line: Line) -> Curve:
    return Curve(
        run=run.id,
        name=line.name,
        x=line.x.tolist(),
        y=[None if math.isnan(value) else value for value in line.y.tolist()],
        total=line.total,
        exact=line.exact,
    )


def _as_arrow(found: list[tuple[RunItem, Line]]) -> bytes:
    """A row per point: run, name, x, y. The schema's metadata tells total and exact per curve."""
    sizes = [len(line.x) for _, line in found]
    told = [
        {"run": run.id, "name": line.name, "total": line.total, "exact": line.exact}
        for run, line in found
    ]
    table = pa.table(
        {
            "run": _repeated([run.id for run, _ in found], sizes),
            "name": _repeated([line.name for _, line in found], sizes),
            "x": np.concatenate([line.x for _, line in found]) if found else np.empty(0),
            "y": np.concatenate([line.y for _, line in found]) if found else np.empty(0),
        }
    ).replace_schema_metadata({"curves": json.dumps(told)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _repeated(values: list[str], sizes: list[int]) -> pa.DictionaryArray:
    places = np.repeat(np.arange(len(values), dtype=np.int32), sizes)
    return pa.DictionaryArray.from_arrays(pa.array(places), pa.array(values, pa.string()))
