"""Any map-style torch dataset as Data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset, Subset

from pellucid.data.pictures import as_rgb
from pellucid.data.protocol import UNLABELLED, Data, InputKind
from pellucid.data.report import DataReport
from pellucid.errors import DataError, UnreadableSample, closest

INPUT_KEYS = ("image", "img", "pixel_values", "text", "sentence", "input", "inputs", "x")
LABEL_KEYS = ("label", "labels", "target", "targets", "class", "y")
MOST_TRIED = 100

Value = int | str | None


@dataclass(frozen=True, eq=False)
class Wrapped:
    """Reads inputs of a torch dataset by position, as one kind; any failure is UnreadableSample."""

    dataset: Any
    kind: InputKind
    ids: tuple[str, ...]

    def __call__(self, index: int) -> Any:
        try:
            raw, _ = _parts(self.dataset[index])
            return _AS_KIND[self.kind](raw)
        except UnreadableSample:
            raise
        except Exception as error:  # the dataset's own code may raise anything
            raise UnreadableSample(self.ids[index], _reason(error)) from error


def wrap_data(
    dataset: Any,
    *,
    labels: Sequence[str] = (),
    kind: InputKind | None = None,
    name: str = "wrapped",
    split: str = "",
) -> Data:
    """Make Data of a map-style dataset that yields inputs, (input, label) pairs, or dicts of them.

    Labels are class indices or strings, and None or -1 for none. They come from the dataset's
    `targets` or `labels` where those are what it yields, else from reading every sample once.
    `labels` names the classes; without it the dataset's `classes` do, or the label values. `kind`
    is found from the first sample: a PIL picture is an image, a string a text, anything else an
    array. Inputs stay as the dataset yields them; pictures become RGB, and arrays given as images
    (uint8, or floats from 0 to 1) become pictures. A sample that raises when it is read is skipped
    and reported.

    Raises DataError for a dataset that has no indices, or yields something else.
    """
    ids = tuple(f"sample-{index:06d}" for index in range(_size(dataset)))
    report = DataReport()
    first, sample = _first_readable(dataset, ids)
    raw, label = _parts(sample)
    values = _stored_labels(dataset)
    if values is None or values[first] != _value(label):
        values = _labels_by_reading(dataset, ids, report)
    classes, targets = _indices(name, tuple(labels) or _class_names(dataset), values)
    kind = kind or _kind(raw)
    read = Wrapped(dataset, kind, ids)
    data = Data(
        source=name,
        split=split,
        kind=kind,
        labels=classes,
        ids=ids,
        targets=targets,
        read=read,
        report=report,
    )
    lost = {problem.what for problem in report.problems}
    return data.subset([i for i, each in enumerate(ids) if each not in lost]) if lost else data


def _size(dataset: Any) -> int:
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__"):
        raise DataError(
            f"{type(dataset).__name__} cannot be indexed; expected a map-style dataset with "
            "__len__ and __getitem__. For a stream, take the samples you need first: "
            "wrap_data(list(itertools.islice(dataset, 1000)))."
        )
    if not hasattr(dataset, "__len__") or not len(dataset):
        raise DataError(f"{type(dataset).__name__} has no samples, or no __len__ to count them.")
    return len(dataset)


def _first_readable(dataset: Any, ids: Sequence[str]) -> tuple[int, Any]:
    reason = ""
    for index, _ in enumerate(ids[:MOST_TRIED]):
        try:
            return index, dataset[index]
        except Exception as error:  # noqa: BLE001 - reported below if no sample can be read
            reason = reason or _reason(error)
    raise DataError(
        f"{type(dataset).__name__}: none of its first {min(len(ids), MOST_TRIED)} samples can be "
        f"read ({reason}). Try dataset[0]."
    )


def _parts(sample: Any) -> tuple[Any, Any]:
    """Input and label of a sample; None for no label."""
    if isinstance(sample, Mapping):
        found = next((key for key in INPUT_KEYS if key in sample), None)
        if found is None:
            keys = ", ".join(repr(key) for key in sample)
            raise DataError(f"a sample has the keys {keys}; expected one of {INPUT_KEYS}.")
        return sample[found], next((sample[key] for key in LABEL_KEYS if key in sample), None)
    if not isinstance(sample, tuple | list):
        return sample, None
    if len(sample) not in (1, 2):
        raise DataError(
            f"a sample has {len(sample)} parts; expected (input, label), or the input alone. "
            "Wrap the dataset so that it yields these."
        )
    return sample[0], sample[1] if len(sample) == 2 else None


def _value(label: Any) -> Value:
    """Turn one label into an int, a string or None."""
    if isinstance(label, Tensor | np.ndarray | np.generic) and np.ndim(label) == 0:
        label = label.item()
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if label is None or isinstance(label, int | str):
        return label
    raise DataError(
        f"a label is of type {type(label).__name__} ({str(label)[:60]}); expected one class index "
        "or one class name for each sample."
    )


def _stored_labels(dataset: Any) -> list[Value] | None:
    """Labels a dataset keeps beside its samples, or None if it has none that are safe to use."""
    positions = np.arange(len(dataset))
    while isinstance(dataset, Subset):
        positions = np.asarray(dataset.indices)[positions]
        dataset = dataset.dataset
    joint = getattr(dataset, "transforms", None)
    if getattr(joint, "target_transform", joint) or getattr(dataset, "target_transform", None):
        return None
    for name in ("targets", "labels"):
        stored = getattr(dataset, name, None)
        if isinstance(stored, Tensor | np.ndarray):
            stored = stored.tolist()
        if isinstance(stored, list | tuple) and len(stored) == len(dataset):
            chosen = [stored[position] for position in positions]
            if all(isinstance(value, int | str) for value in chosen):
                return chosen
    return None


def _labels_by_reading(dataset: Any, ids: Sequence[str], report: DataReport) -> list[Value]:
    values: list[Value] = []
    for index, each in enumerate(ids):
        try:
            sample = dataset[index]
        except Exception as error:  # noqa: BLE001 - goes into the report
            report.add(each, _reason(error))
            values.append(None)
        else:
            values.append(_value(_parts(sample)[1]))
    return values


def _class_names(dataset: Any) -> tuple[str, ...]:
    """Names from `classes`, or from a Hugging Face ClassLabel; empty if there are none."""
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    features = getattr(dataset, "features", None)
    if isinstance(features, Mapping):
        for feature in (features[key] for key in LABEL_KEYS if key in features):
            if hasattr(feature, "names"):
                return tuple(feature.names)
    names = getattr(dataset, "classes", ())
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


def _indices(
    source: str, classes: tuple[str, ...], values: list[Value]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Classes and the class index (samples,) of each label, -1 for none."""
    names = {value for value in values if isinstance(value, str)}
    numbers = {int(value) for value in values if isinstance(value, int)}
    if names and numbers:
        raise DataError(f"{source}: some labels are strings and some numbers; expected one kind.")
    if names:
        classes = classes or tuple(sorted(names))
        for unknown in sorted(names - set(classes)):
            raise DataError(f"{source}: label {unknown!r} is no class. {closest(unknown, classes)}")
        position = {label: index for index, label in enumerate(classes)}
        indices = [UNLABELLED if value is None else position[str(value)] for value in values]
        return classes, np.array(indices, dtype=np.int64)
    greatest, least = max(numbers, default=UNLABELLED), min(numbers, default=UNLABELLED)
    classes = classes or tuple(map(str, range(greatest + 1)))
    if least < UNLABELLED or greatest >= len(classes) > 0:
        wrong = least if least < UNLABELLED else greatest
        raise DataError(
            f"{source}: label {wrong} is no index into {len(classes)} classes; expected 0 to "
            f"{len(classes) - 1}, or -1 for no label."
        )
    indices = [UNLABELLED if value is None else int(value) for value in values]
    return classes, np.array(indices, dtype=np.int64)


def _kind(raw: Any) -> InputKind:
    if isinstance(raw, Image.Image):
        return "image"
    if isinstance(raw, str):
        return "text"
    if isinstance(raw, Tensor | np.ndarray | np.generic | int | float | list | tuple):
        return "array"
    raise DataError(
        f"an input is of type {type(raw).__name__}; expected a PIL picture, a string, a tensor or "
        "an array."
    )


def _picture(raw: Any) -> Image.Image:
    if isinstance(raw, Image.Image):
        return as_rgb(raw)
    pixels = _array(raw)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.shape[2] not in (1, 3):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim != 2 and not (pixels.ndim == 3 and pixels.shape[2] in (1, 3)):
        raise DataError(f"shape {pixels.shape} is no picture; expected (height, width[, 3])")
    if pixels.dtype != np.uint8:
        if pixels.min() < 0 or pixels.max() > 1:
            raise DataError(
                f"values from {pixels.min():.3g} to {pixels.max():.3g}; expected 0 to 1 or uint8, "
                "so leave Normalize out"
            )
        pixels = np.round(pixels.astype(np.float64) * 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).convert("RGB")


def _array(raw: Any) -> NDArray[Any]:
    return raw.detach().cpu().numpy() if isinstance(raw, Tensor) else np.asarray(raw)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise DataError(f"a {type(raw).__name__}, expected a string")
    return raw


_AS_KIND = {"image": _picture, "text": _text, "array": _array}


def _reason(error: Exception) -> str:
    if isinstance(error, DataError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
