"""From a sample that a result shows to the data set that it came from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pellucid.studio.datasets import DataSets
from pellucid.studio.problems import NotThere
from pellucid.studio.routes.data import item
from pellucid.studio.schemas import Id, SamplePlace
from pellucid.studio.state import Current

router = APIRouter(prefix="/api/samples", tags=["data"])


@router.get("")
def find_sample(
    result: Id, sample: Annotated[str, Query(min_length=1, max_length=2000)], studio: Current
) -> SamplePlace:
    """Where a sample lies that a result shows by its id, so that it can be asked about."""
    identity = studio.contents.result(result).meta.get("data")
    source = str(identity.get("source", "")) if isinstance(identity, dict) else ""
    sets = studio.part(DataSets)
    known = sets.of_spec(source) if source else None
    if known is None or not isinstance(identity, dict):
        raise NotThere(
            f"this result was made on {source or 'no data'}, which this studio may not read. "
            "Start it with --data and the folder or table."
        )
    split = str(identity.get("split") or "") or None
    data = sets.open(known.id, split)
    if sample not in data.ids:
        raise NotThere(f"{known.title} has no sample {sample!r} any more.")
    found = item(data, data.ids.index(sample))
    return SamplePlace(**found.model_dump(), data=known.id, split=split)
