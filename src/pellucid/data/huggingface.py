"""``hf:NAME``: a data set of the Hugging Face hub, or a folder that `datasets` can read.

NAME is a folder written by ``save_to_disk``, a folder of data files, or a name on the hub; a
configuration is given as ``hf:NAME?config=CONFIG``. Pictures are found by the type of their column,
texts and labels by name as in ``table:`` (``?text=COLUMN&label=COLUMN``), and labels also by the
type ClassLabel, whose names and order are kept. A ClassLabel of -1 means unlabelled, as on the hub.
Code that comes with a data set is never run.

`datasets` puts data files without splits into one called ``train``; such a data set counts as one
without splits. An id is the position in the split, as in ``train/row-000017``. Texts follow the rules of
``table:``; rows without label are left out and reported; a picture that cannot be decoded is found
when it is read.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns import (
    LABEL_COLUMNS,
    as_strings,
    class_indices,
    class_order,
    find_column,
    find_text_and_label,
    label_names,
    row_id,
    text_data,
)
from pellucid.data.pictures import read_picture
from pellucid.data.protocol import UNLABELLED, Data
from pellucid.data.report import DataReport
from pellucid.data.source import Source, read_options
from pellucid.data.splits import by_split
from pellucid.errors import DataError, UnreadableSample
from pellucid.plugins import require


@dataclass(frozen=True, eq=False)
class DatasetPictures:
    """Reads pictures by position from a dataset's column `name` of undecoded pictures."""

    dataset: Any
    name: str
    ids: tuple[str, ...]

    def __call__(self, index: int) -> Any:
        stored = self.dataset[index][self.name]
        if stored is None:
            raise UnreadableSample(self.ids[index], "no picture")
        file = Path(stored["path"] or "") if stored["bytes"] is None else stored["bytes"]
        return read_picture(file, self.ids[index])


def load(rest: str) -> Source:
    """Open the data set `rest`; see the module for options and rules."""
    name, options = read_options(rest, ("config", "text", "image", "label"))
    source = f"hf:{rest}"
    found = _open(source, name, options.get("config"))
    if "" in found:
        return Source(splits=(), read=functools.partial(_read, source, found, options))
    named = {split: found[own] for split, own in by_split(found).items()}
    return Source(splits=tuple(named), read=functools.partial(_read, source, named, options))


def _open(source: str, name: str, config: str | None) -> dict[str, Any]:
    """Datasets by the name of their split, or the only one under ""."""
    datasets = require("datasets", extra="transformers", why=f"to open {source}")
    folder = Path(name).expanduser()
    saved = any((folder / file).is_file() for file in ("dataset_dict.json", "state.json"))
    try:
        if saved:
            found = datasets.load_from_disk(str(folder))
        else:
            found = datasets.load_dataset(str(folder) if folder.is_dir() else name, config)
    except Exception as error:  # the hub, the network and readers of many formats fail in many ways
        raise DataError(
            f"{source} cannot be opened: {error}. Expected a folder that datasets can read, or the "
            "name of a data set on the hub (with ?config=CONFIG if it has several) and a connection."
        ) from error
    if not isinstance(found, dict):
        return {"": found}
    return {"": found["train"]} if not saved and list(found) == ["train"] else dict(found)


def _read(source: str, found: Mapping[str, Any], options: Mapping[str, str], split: str) -> Data:
    datasets = require("datasets", extra="transformers", why=f"to read {source}")
    features = found[split].features
    pictures = [name for name in features if isinstance(features[name], datasets.Image)]
    image = find_column(source, pictures, (), options.get("image")) or next(iter(pictures), None)
    chosen = None if "text" in options else image
    label = _label_column(source, features, options, {chosen, options.get("text")})
    labels, targets = _targets(source, found, split, label)
    if chosen is not None:
        return _picture_data(source, split, found[split], chosen, labels, targets)
    text, _ = find_text_and_label(
        source, list(features), {**options, **({"label": label} if label else {})}
    )
    return text_data(
        source=source,
        split=split,
        texts=as_strings(source, text, _arrow(found[split], text)),
        labels=labels,
        targets=targets,
        positions=np.arange(len(found[split])),
        report=DataReport(),
    )


def _label_column(
    source: str, features: Mapping[str, Any], options: Mapping[str, str], besides: set[str | None]
) -> str | None:
    """The column asked for, or one named like labels, or the first of type ClassLabel."""
    columns = [name for name in features if name not in besides]
    found = find_column(source, columns, LABEL_COLUMNS, options.get("label"))
    return found or next((name for name in columns if hasattr(features[name], "int2str")), None)


def _targets(
    source: str, found: Mapping[str, Any], split: str, label: str | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Classes, shared by all splits, and the class index (rows,) of each row; -1 without."""
    if label is None:
        return (), np.full(len(found[split]), UNLABELLED, dtype=np.int64)
    feature, column = found[split].features[label], _arrow(found[split], label)
    if hasattr(feature, "int2str"):
        targets = np.asarray(column.fill_null(UNLABELLED), dtype=np.int64)
        return tuple(feature.names), np.maximum(targets, UNLABELLED)
    columns = [_arrow(each, label) for each in found.values() if label in each.features]
    seen = [label_names(source, label, each).unique().to_pylist() for each in columns]
    classes = class_order(name for names in seen for name in names if name is not None)
    return classes, class_indices(label_names(source, label, column), classes)


def _picture_data(
    source: str,
    split: str,
    dataset: Any,
    image: str,
    labels: tuple[str, ...],
    targets: NDArray[np.int64],
) -> Data:
    datasets = require("datasets", extra="transformers", why=f"to read {source}")
    undecoded = dataset.with_format(None).select_columns([image])
    undecoded = undecoded.cast_column(image, datasets.Image(decode=False))
    ids = tuple(row_id(position, split) for position in range(len(dataset)))
    data = Data(
        source=source,
        split=split,
        kind="image",
        labels=labels,
        ids=ids,
        targets=targets,
        read=DatasetPictures(undecoded, image, ids),
    )
    labelled = targets != UNLABELLED
    if labelled.all() or not labelled.any():
        return data
    for index in np.flatnonzero(~labelled):
        data.report.add(ids[index], "no label")
    return data.subset(np.flatnonzero(labelled))


def _arrow(dataset: Any, name: str) -> Any:
    """One column (rows,) as Arrow, in the order of the dataset."""
    return dataset.select_columns([name]).with_format("arrow")[:].column(name)
