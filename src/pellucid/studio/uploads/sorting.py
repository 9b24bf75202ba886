"""What arrived becomes a data set or weights; files that are no good are named and left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pellucid.errors import DataError, UnreadableSample, WeightsError
from pellucid.studio.uploads.names import UnsafeName, is_left_behind, safe_path
from pellucid.studio.uploads.receiving import Arrived, Form
from pellucid.studio.uploads.store import CONTENT, Record, Uploads, now

TABLES = (".csv", ".tsv")
WEIGHTS = ".safetensors"
LONGEST_TITLE = 100
MOST_PROBLEMS = 100
Found = list[tuple[PurePosixPath, Arrived]]


def keep_data(uploads: Uploads, upload: str, folder: Path, form: Form) -> Record:
    """Make a data set of pictures or of tables, and keep it. Raises DataError if none is usable."""
    from pellucid.data.pictures import PICTURE_SUFFIXES

    problems: list[str] = []
    named = _named(form.files, problems)
    pictures = _ending(named, PICTURE_SUFFIXES)
    tables = _ending(named, TABLES)
    chosen = _readable(pictures, problems) if pictures else tables
    _tell_others(named, pictures or tables, problems)
    if not chosen:
        raise DataError(_nothing(problems), problems=problems[:MOST_PROBLEMS])
    top, chosen = _without_common_folder(chosen)
    title = (form.fields.get("title", "").strip() or top or _title(chosen))[:LONGEST_TITLE]
    content = folder / _folder_name(title)
    _move(chosen, content, problems)
    kind = "pictures" if pictures else "table"
    record = _described(upload, content, title, kind, chosen, problems)
    uploads.keep(record, folder)
    return record


def keep_weights(uploads: Uploads, upload: str, folder: Path, form: Form) -> Record:
    """Keep a file of weights. Raises WeightsError for anything but one whole safetensors file."""
    import safetensors

    problems: list[str] = []
    named = _named(form.files, problems)
    if len(named) != 1 or not named[0][0].name.lower().endswith(WEIGHTS):
        raise WeightsError(
            "weights are taken as one .safetensors file, since other formats can hold code. "
            "Convert them where you trust them: safetensors.torch.save_file(model.state_dict(), …)."
        )
    (path, arrived), *_ = named
    try:
        with safetensors.safe_open(arrived.path, framework="pt", device="cpu") as file:
            num_tensors = len(list(file.keys()))
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file: {error}.") from error
    if not num_tensors:
        raise WeightsError(f"{path} holds no weights; expected at least one tensor.")
    _move(named, folder / CONTENT, problems)
    record = Record(
        id=upload,
        title=(form.fields.get("title", "").strip() or path.stem)[:LONGEST_TITLE],
        kind="weights",
        created=now(),
        content=f"{CONTENT}/{path}",
        num_files=1,
        num_bytes=arrived.num_bytes,
    )
    uploads.keep(record, folder)
    return record


def _named(files: Sequence[Arrived], problems: list[str]) -> Found:
    """Files with a safe path, each path once; what systems leave in folders is passed over."""
    found: dict[str, tuple[PurePosixPath, Arrived]] = {}
    for arrived in files:
        try:
            path = safe_path(arrived.name)
        except UnsafeName as error:
            problems.append(f"{_shown(arrived.name)}: {error}")
            continue
        if is_left_behind(path):
            continue
        if arrived.problem:
            problems.append(f"{path}: {arrived.problem}")
        elif str(path).lower() in found:
            problems.append(f"{path}: a second file of this name")
        else:
            found[str(path).lower()] = path, arrived
    return list(found.values())


def _ending(named: Found, suffixes: tuple[str, ...]) -> Found:
    return [pair for pair in named if pair[0].name.lower().endswith(suffixes)]


def _readable(pictures: Found, problems: list[str]) -> Found:
    """Pictures whose headers are sound, and which are not too large to decode."""
    from pellucid.data.pictures import check_picture

    kept = []
    for path, arrived in pictures:
        try:
            check_picture(arrived.path, str(path))
        except UnreadableSample as error:
            problems.append(f"{path}: {error.reason}")
        else:
            kept.append((path, arrived))
    return kept


def _tell_others(named: Found, taken: Found, problems: list[str]) -> None:
    known = {path for path, _ in taken}
    what = "left out beside pictures" if taken else "neither a picture nor a table (.csv, .tsv)"
    problems.extend(f"{path}: {what}" for path, _ in named if path not in known)


def _nothing(problems: list[str]) -> str:
    told = "; ".join(problems[:3]) or "there was no file"
    return (
        f"none of what was uploaded can be used: {told}. Expected pictures, in one folder for each "
        "class if they have labels, or a table (.csv, .tsv) of texts."
    )


def _without_common_folder(chosen: Found) -> tuple[str, Found]:
    """Leave out the folder that was chosen in the browser, in which everything lies."""
    tops = {path.parts[0] for path, _ in chosen}
    if len(tops) > 1 or any(len(path.parts) < 2 for path, _ in chosen):
        return "", chosen
    return tops.pop(), [(PurePosixPath(*path.parts[1:]), arrived) for path, arrived in chosen]


def _move(chosen: Found, content: Path, problems: list[str]) -> None:
    """Put the files where they belong; one that is named as a folder of others cannot be."""
    for path, arrived in chosen:
        target = content.joinpath(*path.parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            arrived.path.rename(target)
        except OSError as error:
            problems.append(f"{path}: cannot be kept ({error.strerror})")
    for rest in content.parent.glob("[0-9]" * 6):
        rest.unlink()


def _described(
    upload: str, folder: Path, title: str, kind: str, chosen: Found, problems: list[str]
) -> Record:
    """The record of a data set in `folder`; opening it shows whether it can be used."""
    from pellucid.data.source import load_data

    whole = len(chosen) > 1 or kind == "pictures"
    content = folder if whole else folder / str(chosen[0][0])
    try:
        data = load_data(f"{'folder' if kind == 'pictures' else 'table'}:{content}")
    except DataError as error:
        said = str(error).replace(f"{folder}/", "").replace(str(folder), title)
        raise DataError(f"what was uploaded cannot be used as data: {said}") from error
    told = [f"{each.what}: {each.reason}" for each in data.report.problems]
    return Record(
        id=upload,
        title=title,
        kind="pictures" if kind == "pictures" else "table",
        created=now(),
        content=content.relative_to(folder.parent).as_posix(),
        num_files=len(chosen),
        num_bytes=sum(arrived.num_bytes for _, arrived in chosen),
        data_kind=data.kind,
        num_samples=len(chosen) if kind == "pictures" else len(data),
        labels=data.labels,
        problems=tuple(dict.fromkeys([*problems, *told]))[:MOST_PROBLEMS],
    )


def _folder_name(title: str) -> str:
    """What people see where data is named by its place."""
    slug = re.sub(r"[^\w-]+", "-", title).strip("-_")[:40]
    return slug if slug and not slug[0].isdigit() else f"{CONTENT}-{slug}".rstrip("-")


def _title(chosen: Found) -> str:
    return chosen[0][0].stem if len(chosen) == 1 else "Pictures"


def _shown(name: str) -> str:
    """A name that is not taken, for people to read."""
    return repr(name[:80])[1:-1] or "a file without a name"
