"""``folder:DIR``: pictures in one folder per class, with or without folders for splits above.

The classes are the folders, in alphabetical order, and an id is the path below DIR, as in
``cat/0001.jpg`` or ``train/cat/0001.jpg``. Pictures are found at any depth by their suffix (`PICTURE_SUFFIXES`); hidden files
and all other files are ignored. Pictures that lie directly in DIR, without class folders, load as
unlabelled data.

A folder named like a split (``train``, ``val``, ``valid``, ``validation``, ``dev``, ``test``) is
one when it holds class folders. If pictures lie directly in it, it is a class; unless all folders
beside it are named like splits too and one of them holds class folders: then it is an unlabelled
split. All splits share one list of classes, so that indices agree between them.

When a split is opened, the header of each picture is checked; what cannot be read is left out and
named in the report. A class without readable pictures is left out too, or kept without samples if
another split has pictures of it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.pictures import PICTURE_SUFFIXES, check_picture, read_picture
from pellucid.data.protocol import UNLABELLED, Data
from pellucid.data.report import DataReport
from pellucid.data.source import TABLE_SUFFIXES, Source
from pellucid.data.splits import ALIASES, by_split
from pellucid.errors import DataError, UnreadableSample, closest
from pellucid.progress import progress

IGNORED = frozenset({"__MACOSX"})


@dataclass(frozen=True)
class PictureFiles:
    """Reads picture files by position; `files` are paths below `root`."""

    root: Path
    files: tuple[str, ...]
    ids: tuple[str, ...]

    def __call__(self, index: int) -> Any:
        return read_picture(self.root / self.files[index], self.ids[index])


def load(rest: str) -> Source:
    """Open the folder `rest`; see the module for the layouts."""
    root = Path(rest).expanduser()
    if not root.is_dir():
        beside = _list(root.parent).folders if root.parent.is_dir() else []
        raise DataError(
            f"folder:{rest}: there is no such folder. Expected a folder of pictures. "
            f"{closest(root.name, beside) if beside else ''}".rstrip()
        )
    splits = _split_folders(root)
    return Source(
        splits=tuple(splits), read=functools.partial(_read, f"folder:{rest}", root, splits)
    )


def _read(source: str, root: Path, splits: dict[str, str], split: str) -> Data:
    report = DataReport()
    folder = root / splits[split] if splits else root
    pictures = _by_class(folder, report)
    names = [name for group in pictures.values() for name in group]
    kept = _readable(folder, names, report)
    if not kept:
        raise DataError(_nothing_found(source, root, folder, report, len(names)))
    if splits:
        labels = _shared_labels(root, splits, report)
        _report_beside(root, splits, report)
    else:
        labels = _labels_with(kept, pictures, report)
    ids = tuple(f"{splits[split]}/{name}" if splits else name for name in kept)
    position = {label: index for index, label in enumerate(labels)}
    targets = [position.get(name.partition("/")[0], UNLABELLED) for name in kept]
    return Data(
        source=source,
        split=split,
        kind="image",
        labels=labels,
        ids=ids,
        targets=np.array(targets, dtype=np.int64),
        read=PictureFiles(folder, tuple(kept), ids),
        report=report,
    )


def _by_class(folder: Path, report: DataReport) -> dict[str, list[str]]:
    """Paths below `folder` of each class's pictures; without classes, of all under ""."""
    here = _list(folder, report)
    found = {name: list(_pictures_below(folder, name, report)) for name in here.folders}
    if not any(found.values()):
        return {"": here.pictures}
    for name in here.pictures:
        report.add(name, "lies in no class folder", "left out")
    return found


def _readable(folder: Path, names: list[str], report: DataReport) -> list[str]:
    """Check every header; keep the pictures that can be read, and report what is unusual."""
    kept = []
    with progress("Checking pictures", len(names)) as advance:
        for name in names:
            advance()
            try:
                conversions = check_picture(folder / name, name)
            except UnreadableSample as error:
                report.add(name, error.reason)
                continue
            kept.append(name)
            for conversion in conversions:
                report.add(name, conversion, "converted")
    return kept


def _labels_with(
    kept: list[str], pictures: dict[str, list[str]], report: DataReport
) -> tuple[str, ...]:
    """Classes that have a readable picture; the others are reported."""
    present = {name.partition("/")[0] for name in kept}
    for label, names in pictures.items():
        if label and label not in present:
            reason = "none of its pictures can be read" if names else "has no pictures"
            report.add(label, reason, "left out")
        elif label.lower() in ALIASES:
            report.add(label, "is taken as a class, not as a split", "noted")
    return tuple(label for label in pictures if label and label in present)


def _shared_labels(root: Path, splits: dict[str, str], report: DataReport) -> tuple[str, ...]:
    """Classes that have a picture in any split; the others are reported."""
    folders = [root / name for name in splits.values()]
    classes = sorted({name for folder in folders for name in _list(folder).folders})
    filled = [name for name in classes if any(_holds_pictures(folder, name) for folder in folders)]
    for name in sorted(set(classes) - set(filled)):
        report.add(name, "has no pictures in any split", "left out")
    return tuple(filled)


def _report_beside(root: Path, splits: dict[str, str], report: DataReport) -> None:
    here = _list(root)
    for name in here.folders:
        if name not in splits.values() and _holds_pictures(root, name):
            report.add(name, "lies beside the split folders and is none", "left out")
    for name in here.pictures:
        report.add(name, "lies in no split folder", "left out")


def _split_folders(root: Path) -> dict[str, str]:
    """Folders of `root` that are splits: {split: folder name}."""
    folders = _list(root).folders
    named = [name for name in folders if name.lower() in ALIASES]
    with_classes = [
        name
        for name in named
        if any(_holds_pictures(root / name, below) for below in _list(root / name).folders)
    ]
    if not with_classes:
        return {}
    if any(_holds_pictures(root, name) for name in folders if name not in named):
        named = [name for name in with_classes if not _list(root / name).pictures]
    return by_split(named)


class _Listing(NamedTuple):
    """Names of what lies directly in a folder and counts, sorted."""

    folders: list[str]
    pictures: list[str]


def _list(folder: Path, report: DataReport | None = None) -> _Listing:
    """List a folder; what cannot be opened or named goes into the report."""
    found = _Listing([], [])
    report = DataReport() if report is None else report
    try:
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            if path.name.startswith(".") or path.name in IGNORED:
                continue
            if not _is_text(path.name):
                shown = path.name.encode(errors="backslashreplace").decode()
                report.add(shown, "its name is not valid UTF-8")
            elif path.name.lower().endswith(PICTURE_SUFFIXES):
                found.pictures.append(path.name)
            elif path.is_dir():
                found.folders.append(path.name)
    except OSError as error:
        report.add(folder.name, f"cannot be opened: {error.strerror}")
    return found


def _pictures_below(
    root: Path, name: str, report: DataReport | None = None, above: tuple[Path, ...] = ()
) -> Iterator[str]:
    """Paths below `root` of all pictures in its folder `name`; links are followed, but not round."""
    above = above or (root.resolve(),)
    real = (root / name).resolve()
    if real in above:
        return
    here = _list(root / name, report)
    yield from (f"{name}/{picture}" for picture in here.pictures)
    for folder in here.folders:
        yield from _pictures_below(root, f"{name}/{folder}", report, (*above, real))


def _holds_pictures(root: Path, name: str) -> bool:
    return next(_pictures_below(root, name), None) is not None


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _nothing_found(source: str, root: Path, folder: Path, report: DataReport, tried: int) -> str:
    if tried:
        return f"{source}: none of its {tried} pictures can be read: {report.summary()}."
    tables = [path for path in folder.iterdir() if path.suffix.lower() in TABLE_SUFFIXES]
    saved = [path for path in folder.iterdir() if path.suffix == ".arrow"]
    hint = f" It holds tables; open them with table:{folder}." if tables else ""
    if saved or (root / "dataset_dict.json").exists():
        hint = f" It was saved by Hugging Face datasets; open it with hf:{root}."
    return (
        f"{source}: no pictures in {folder}.{hint} Expected one folder per class with files "
        f"ending in {', '.join(PICTURE_SUFFIXES)}:\n"
        f"  {root.name}/cat/0001.jpg\n"
        f"  {root.name}/dog/0001.jpg\n"
        f"the same below {root.name}/train, {root.name}/val and {root.name}/test, or pictures "
        f"directly in {root.name} if they have no labels."
    )
