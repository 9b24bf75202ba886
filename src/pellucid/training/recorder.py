"""Write a Run while training: its record, its metrics line by line, its checkpoints."""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pellucid.files import replacing, write_json
from pellucid.workspace.run import Run, read_lines

FLUSH_SECONDS = 1.0


class Recorder:
    """Keeps a run's folder; use in a `with` block, so that how it ended is recorded.

    Metrics reach the disk within a second. A killed process leaves the record at "running", which
    readers show as stopped.
    """

    def __init__(self, run: Run, record: dict[str, Any]) -> None:
        self.run, self.record = run, record
        self._pending: list[str] = []
        self._flushed = time.monotonic()

    @classmethod
    def create(cls, path: Path, record: dict[str, Any], samples: dict[str, list[str]]) -> Recorder:
        """Start a new run's folder."""
        path.mkdir(parents=True, exist_ok=True)
        record = {
            "format": 1,
            "id": uuid.uuid4().hex[:12],
            "name": path.name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": "running",
            "why": "",
            "seconds": 0.0,
            "best": None,
            "notes": [],
            **_process(),
            **record,
        }
        write_json(path / "samples.json", samples)
        write_json(path / "run.json", record)
        return cls(Run(path), record)

    @classmethod
    def resume(cls, run: Run, *, last_step: int, last_epoch: int) -> Recorder:
        """Go on with a run; metrics after its last checkpoint are dropped, they come again."""
        lines = [
            line
            for line in read_lines(run.path / "metrics.jsonl")
            if (line["step"] if line["kind"] == "step" else line["epoch"])
            <= (last_step if line["kind"] == "step" else last_epoch)
        ]
        with replacing(run.path / "metrics.jsonl") as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        recorder = cls(run, run.record)
        recorder.update(status="running", why="", **_process())
        return recorder

    def update(self, **changes: Any) -> None:
        """Change fields of the run's record."""
        self.record.update(changes)
        write_json(self.run.path / "run.json", self.record)

    def log(self, kind: str, **values: Any) -> None:
        """Append one line of metrics."""
        self._pending.append(json.dumps({"kind": kind, **values}))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        with (self.run.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in self._pending))
        self._pending.clear()
        self._flushed = time.monotonic()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self.flush()
        if kind is None:
            self.update(status="finished")
        elif issubclass(kind, KeyboardInterrupt):
            self.update(status="stopped", why="interrupted by the user")
        else:
            self.update(status="failed", why=str(error))


def _process() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": platform.node()}
