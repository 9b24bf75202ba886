"""Where a section comes from: its record as rows, and the commands that make it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pellucid.reporting.html import Markup, element, join, prose
from pellucid.reporting.sections import Section

ORDER = ("model", "data", "method", "target", "parameters", "config", "seed", "created", "seconds")
PRIVATE = ("format", "pid", "host", "workspace")  # of the machine, and nobody else's business
WORDS = {
    ("model", "source"): "model",
    ("model", "weights"): "fingerprint of its weights",
    ("model", "run"): "run that made it",
    ("data", "source"): "data",
    ("data", "split"): "split",
    ("data", "num_samples"): "number of samples",
    ("data", "samples"): "fingerprint of the samples",
    ("seconds",): "time taken",
    ("created",): "made on",
}
VERBS = {"evaluation": "evaluate", "explanation": "explain"}
MOST_LISTED = 12


def rows_of(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The record as names and values, most important first; empty entries are left out."""
    known = [name for name in ORDER if name in record]
    rest = [name for name in record if name not in (*ORDER, *PRIVATE, "versions")]
    for name in (*known, *rest, *(["versions"] if "versions" in record else [])):
        yield from _rows((name,), record[name])


def _rows(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, str]]:
    if value is None or value in ("", [], {}, ()):
        return
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _rows((*path, str(name)), part)
    elif isinstance(value, list | tuple) and any(
        isinstance(part, Mapping | list) for part in value
    ):
        for number, part in enumerate(value[:MOST_LISTED], 1):
            yield from _rows((*path, str(number)), part)
    else:
        yield _name(path), _words(path[-1], value)


def _name(path: tuple[str, ...]) -> str:
    if path in WORDS:
        return WORDS[path]
    if path[0] == "versions":
        return f"version of {path[-1]}"
    shown = path[1:] if path[0] in ("parameters", "config") else path
    return ", ".join(name.replace("_", " ") for name in shown or path)


def _words(name: str, value: Any) -> str:
    if name in ("created", "started", "finished"):
        return moment(str(value))
    if name == "seconds" and isinstance(value, int | float):
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        shown = ", ".join(str(part) for part in value[:MOST_LISTED])
        return shown if len(value) <= MOST_LISTED else f"{shown}, … ({len(value)} in all)"
    return str(value)


def commands(section: Section) -> list[str]:
    """What to type to make the section again, as far as the record tells."""
    versions = section.record.get("versions") or {}
    pinned = [f"{name}=={version}" for name, version in versions.items() if name != "python"]
    install = ["pip", "install", *pinned] if pinned else []
    command = _training(section.record) if section.kind == "run" else _analysis(section)
    return [" ".join(map(_quoted, words)) for words in (install, command) if words]


def _training(record: Mapping[str, Any]) -> list[str]:
    """The fine-tuning with all its settings, since defaults change."""
    model, data = _entry(record, "model", "source"), _entry(record, "data", "train", "source")
    if not (model and data):
        return []
    words = ["pellucid", "finetune", model, data]
    for name, value in (record.get("config") or {}).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words += [option] if value else []
        elif value not in ("", []):
            words += [option, ",".join(value) if isinstance(value, list) else str(value)]
    return words


def _analysis(section: Section) -> list[str]:
    record = section.record
    model, data = _entry(record, "model", "source"), _entry(record, "data", "source")
    if section.kind not in VERBS or not (model and data):
        return []
    split, limit = _entry(record, "data", "split"), _entry(record, "parameters", "limit")
    words = ["pellucid", VERBS[section.kind], model, data]
    words += ["--split", split] if split else []
    if section.kind == "explanation":
        words += [
            w for m in str(record.get("method", "")).split(", ") if m for w in ("--method", m)
        ]
        words += ["--limit", limit] if limit else []
        words += ["--target", str(record["target"])] if record.get("target") else []
    return words


def _entry(record: Any, *path: str) -> str:
    """What lies at `path` in nested mappings, as text; "" where there is nothing."""
    for name in path:
        record = record.get(name) if isinstance(record, Mapping) else None
    return "" if record is None else str(record)


def _quoted(word: str) -> str:
    return shlex.quote(re.sub(r"[\x00-\x1f]", " ", word))


def moment(stamp: str) -> str:
    """An ISO time as a date that everybody reads: ``1 June 2025, 09:14 UTC``."""
    try:
        time = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.4 s``, ``84 s``, ``12 min``, ``3 h 5 min``."""
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def paragraphs(text: str) -> Markup:
    """Lines of text as paragraphs."""
    return join(element("p", prose(line)) for line in text.splitlines() if line.strip())
