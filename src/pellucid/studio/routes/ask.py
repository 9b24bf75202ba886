"""Questions to a model about one input, answered by the warm worker while the caller waits."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from pellucid.studio.answers import of_type
from pellucid.studio.asking.inputs import Given
from pellucid.studio.asking.whys import Whys
from pellucid.studio.asking.wishes import Wish
from pellucid.studio.inputs import Inputs
from pellucid.studio.problems import Conflict
from pellucid.studio.references import open_reference
from pellucid.studio.schemas import Ask, AskWhy, Predictions, Why
from pellucid.studio.state import Current, Studio
from pellucid.studio.workers import TaskCancelled, Ticket
from pellucid.studio.workers.opening import Opening
from pellucid.studio.workers.parts import Workers

router = APIRouter(prefix="/api", tags=["ask"])
LOOK = 0.1  # seconds between looks at whether the caller still waits
VIEW = "application/vnd.pellucid.view"


@router.post("/predict")
async def predict(ask: Ask, request: Request, studio: Current) -> Predictions:
    """What does a model answer for one input, with parts of it hidden?"""
    home = "pellucid.studio.asking.predicting:predict"
    return Predictions(**await _asked(request, studio, ask, home))


@router.post("/why")
async def why(ask: AskWhy, request: Request, studio: Current) -> Why:
    """Why does it answer so? Maps by several methods; those not defined here are refused."""
    wish = Wish(
        methods=tuple(ask.methods),
        target=ask.target,
        against=ask.against,
        layer=ask.layer,
        parameters=ask.parameters,
        faithfulness=ask.faithfulness,
    )
    home = "pellucid.studio.asking.explaining:explain"
    found = await _asked(request, studio, ask, home, wish=wish)
    packed = found.pop("packed")
    return Why(id=studio.part(Whys).keep(packed), **found)


@router.get(
    "/why/{why_id}/views/{index}", response_class=Response, responses=of_type(VIEW, "A view")
)
def why_view(why_id: str, index: int, studio: Current) -> Response:
    """One view of an explanation, packed."""
    packed = studio.part(Whys).view(why_id, index)
    return Response(packed, media_type=VIEW, headers={"cache-control": "private, max-age=3600"})


async def outcome(request: Request, ticket: Ticket) -> Any:
    """Wait for a task; it is cancelled when the caller has gone."""
    future = asyncio.wrap_future(ticket.future)
    try:
        while not (await asyncio.wait({future}, timeout=LOOK))[0]:
            if await request.is_disconnected():
                ticket.cancel()
        return future.result()
    except TaskCancelled as error:
        raise Conflict("this question was taken back before it was answered.") from error
    except asyncio.CancelledError:
        ticket.cancel()
        raise


async def _asked(request: Request, studio: Studio, ask: Ask, home: str, **more: Any) -> Any:
    opening, given = await anyio.to_thread.run_sync(_opened, studio, ask)
    arguments = {"model": opening, "given": given, **more}
    return await outcome(request, studio.part(Workers).questions.submit(home, arguments))


def _opened(studio: Studio, ask: Ask) -> tuple[Opening, Given]:
    return open_reference(studio, ask.model), studio.part(Inputs).given(ask)
