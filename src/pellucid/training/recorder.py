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

from filelock import FileLock, Timeout

from pellucid.errors import TrainingError
from pellucid.files import replacing, write_json
from pellucid.workspace.run import Run, read_lines

FLUSH_SECONDS = 1.0
SECONDS_TO_END = 30.0  # for a process that was told to stop and still writes its last checkpoint


class Recorder:
    """Keeps a run's folder; use in a `with` block, so that how it ended is recorded.

    Metrics reach the disk within a second. A killed process leaves the record at "running", which
    readers show as stopped. `lock` keeps other processes from the folder, and is let go at the end.
    """

    def __init__(self, run: Run, record: dict[str, Any], lock: FileLock) -> None:
        self.run, self.record, self._lock = run, record, lock
        self._pending: list[str] = []
        self._flushed = time.monotonic()

    @classmethod
    def create(cls, path: Path, record: dict[str, Any], samples: dict[str, list[str]]) -> Recorder:
        """Start a new run's folder."""
        path.mkdir(parents=True, exist_ok=True)
        lock = hold(path)
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
        return cls(Run(path), record, lock)

    @classmethod
    def resume(cls, run: Run, lock: FileLock, *, last_step: int, last_epoch: int) -> Recorder:
        """Go on with a run; metrics after its last checkpoint are dropped, they come again."""
        lines = [
            line
            for line in read_lines(run.path / "metrics.jsonl")
            if (line["step"] if line["kind"] == "step" else line["epoch"])
            <= (last_step if line["kind"] == "step" else last_epoch)
        ]
        with replacing(run.path / "metrics.jsonl") as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        recorder = cls(run, run.record, lock)
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
        try:
            self.flush()
            if kind is None:
                self.update(status="finished")
            elif issubclass(kind, KeyboardInterrupt):
                self.update(status="stopped", why="interrupted by the user")
            else:
                self.update(status="failed", why=str(error))
        finally:
            self._lock.release()


def hold(path: Path, *, seconds: float = SECONDS_TO_END) -> FileLock:
    """Lock a run's folder for this process, once another one that writes there has ended.

    Raises TrainingError where it has not ended after some seconds.
    """
    lock = FileLock(path / "lock")
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise TrainingError(
            f"another process is training the run in {path}. Wait until it is done, or stop it; "
            "then resume."
        ) from None
    return lock


def _process() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": platform.node()}
