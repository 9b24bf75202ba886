"""What a worker does for each kind of job: open what is named, call the verb, keep what comes out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.data.source import load_data, splits
from pellucid.errors import DataError
from pellucid.studio.jobs.home import Home
from pellucid.studio.workers.opening import DataOpening, Opening
from pellucid.studio.workers.warm import Warm
from pellucid.workspace.run import Run
from pellucid.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pellucid.data import Data
    from pellucid.result import Result

HELD_OUT = ("test", "val")
FEW_SAMPLES, FEW_RANKED = 16, 32  # are explained, or ranked by, where no number is given


def finetune(
    warm: Warm,
    *,
    home: Home,
    model: Opening,
    data: DataOpening,
    out: Path,
    resume: bool,
    options: Mapping[str, Any],
) -> list[str]:
    """Fine-tune into the folder `out`; goes on with what lies there if `resume`."""
    from pellucid.training.finetune import finetune as train

    if data.split is None and data.limit is None:
        chosen: Data | str = data.spec
    else:
        chosen = load_data(data.spec, split=data.split or "train", limit=data.limit)
    begun = resume and (out / "run.json").is_file()
    # A worker is a daemon, which may not have processes of its own to read data.
    settings = dict(options) | {"num_workers": 0}
    train(warm.model(model), chosen, out=out, resume=begun, workspace=home.workspace, **settings)
    return []


def evaluate(warm: Warm, *, home: Home, model: Opening, data: DataOpening) -> list[str]:
    """Evaluate on labelled data that was held out, as far as that is known."""
    from pellucid.analysis.evaluation import evaluate as measure

    samples = _held_out(data, home.run)
    known = _seen_in_training(samples, home.run)
    return _kept(home, [measure(warm.model(model), samples, training_ids=known)])


def explain(
    warm: Warm,
    *,
    home: Home,
    model: Opening,
    data: DataOpening,
    samples: tuple[str, ...],
    **options: Any,
) -> list[str]:
    """Explain the samples that are named, or as many as the data's limit says."""
    from pellucid.attribution.explain import explain as attribute

    chosen = _named(data, samples, home.run) if samples else _held_out(data, home.run)
    limit = None if samples or data.limit else FEW_SAMPLES
    return _kept(home, [attribute(warm.model(model), chosen, limit=limit, **options)])


def inspect(
    warm: Warm, *, home: Home, model: Opening, data: DataOpening | None, **options: Any
) -> list[str]:
    """Look inside: each part is a result of its own."""
    from pellucid.inside.inspecting import inspect as look

    samples = None if data is None else _held_out(data, home.run)
    return _kept(home, look(warm.model(model), samples, **options).results())


def visualize_feature(
    warm: Warm,
    *,
    home: Home,
    model: Opening,
    layer: str,
    units: tuple[int, ...],
    steps: int | None,
) -> list[str]:
    """Make a picture for each of some units of a layer."""
    from pellucid.inside.features.visualize import STEPS
    from pellucid.inside.features.visualize import visualize_feature as make

    objectives = [f"{layer}:{unit}" for unit in units]
    made = make(warm.model(model), objectives, steps=steps or STEPS)
    return _kept(home, [made])


def compare(
    warm: Warm,
    *,
    home: Home,
    model: Opening,
    other: Opening,
    data: DataOpening,
    methods: tuple[str, ...],
) -> list[str]:
    """Compare two models on the same samples."""
    from pellucid.analysis.comparison import compare as side_by_side

    samples = _held_out(data, home.run)
    known = _seen_in_training(samples, home.run)
    found = side_by_side(
        warm.model(model), warm.model(other), samples, methods=methods or None, training_ids=known
    )
    return _kept(home, [found])


def benchmark_methods(
    warm: Warm,
    *,
    home: Home,
    model: Opening,
    data: DataOpening,
    methods: tuple[str, ...] | None,
) -> list[str]:
    """Rank methods on a model and data."""
    from pellucid.analysis.method_ranking import benchmark_methods as rank

    samples = _held_out(data, home.run)
    limit = None if data.limit else FEW_RANKED
    return _kept(home, [rank(warm.model(model), samples, methods=methods, limit=limit)])


def _kept(home: Home, results: Iterable[Result]) -> list[str]:
    """Save results in the run's folder or the workspace's, enter them, and tell where each lies.

    The run's record may name another workspace; it is in this one that it was found.
    """
    workspace = Workspace(home.workspace)
    if home.run is None:
        return [str(workspace.add(result)) for result in results]
    run = Run.open(home.run)
    kept = []
    for result in results:
        name = f"{result.meta.kind}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}.zarr"
        path = result.save(home.run / "results" / name)
        workspace.register_result(result.meta, path, run_id=run.id)
        kept.append(str(path))
    return kept


def _held_out(data: DataOpening, run: Path | None) -> Data:
    """The split that is asked for; else one held out from training, else everything."""
    split = data.split
    if split is None:
        own = splits(data.spec)
        split = next((name for name in HELD_OUT if name in own), None)
        trained = Run.open(run).record["data"]["train"] if run and not own else {}
        if trained.get("source") == data.spec and trained.get("split") == "train":
            split = "test"
    return load_data(data.spec, split=split, limit=data.limit)


def _seen_in_training(data: Data, run: Path | None) -> frozenset[str]:
    """Ids of samples that the run was trained on, if this is the same data."""
    if run is None:
        return frozenset()
    opened = Run.open(run)
    same = opened.record["data"]["train"]["source"] == data.source
    return opened.training_ids if same else frozenset()


def _named(data: DataOpening, samples: tuple[str, ...], run: Path | None) -> Data:
    """The samples of these ids, wherever they lie if no split is named."""
    tried = [_held_out(replace(data, limit=None), run)]
    if data.split is None:
        tried += [load_data(data.spec, split=split) for split in splits(data.spec) or (None,)]
    for found in tried:
        places = {name: position for position, name in enumerate(found.ids)}
        if all(name in places for name in samples):
            return found.subset([places[name] for name in samples])
    missing = next(name for name in samples if name not in tried[0].ids)
    raise DataError(
        f"{data.title} has no sample {missing!r} in its split {tried[0].split or 'all'!r}. "
        "Choose samples of one split, and name it.",
        samples=list(samples),
    )
