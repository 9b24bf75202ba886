"""Your own code: `python:FILE.py:CALLABLE`, or `python:package.module:CALLABLE`.

The callable takes no arguments and returns an `nn.Module`, whose input is then guessed from its
first layer, or a Model that tells everything:

    def model():
        return pellucid.wrap(Net(), input=ImageInput(size=(32, 32)), labels=["cat", "dog"])

A file runs only with `trust`; a module that Python can import is installed, so it needs none.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from torch import nn

from pellucid.errors import ModelError, SpecError, UntrustedError, closest
from pellucid.model.protocol import Model
from pellucid.model.request import LoadRequest
from pellucid.model.source import wrap


def load(rest: str, request: LoadRequest) -> Model:
    """Call a function of a Python file or module, and open what it returns.

    Weights are as the callable made them, unless a file is given. Raises UntrustedError for a file
    without `trust`, SpecError for a spec without callable, and ModelError, with file and line, if
    the code fails.
    """
    where, colon, name = rest.rpartition(":")
    if not (where and colon and name):
        raise SpecError(
            f"'python:{rest}' names no callable; expected python:FILE.py:CALLABLE or "
            "python:package.module:CALLABLE."
        )
    file = Path(where).expanduser().resolve() if _is_file(where) else None
    with _failures(where, file), _importable(file):
        module = _run_file(file, request.trust) if file else importlib.import_module(where)
        made = _callable(module, name, where)()
    if not isinstance(made, (Model, nn.Module)):
        raise ModelError(
            f"{name} of {where} returned {type(made).__name__}; expected a torch.nn.Module or "
            "what pellucid.wrap returns."
        )
    model = made if isinstance(made, Model) else wrap(made)
    record = _record(file, where, name, module)
    return replace(
        model,
        source=f"python:{rest}",
        architecture=record,
        notes=(*model.notes, *_changes(record, request.record)),
    )


def _is_file(where: str) -> bool:
    return where.endswith(".py") or "/" in where or "\\" in where or Path(where).is_file()


def _run_file(path: Path, trust: bool) -> ModuleType:
    if not path.is_file():
        raise ModelError(f"there is no Python file at {path}. Correct the path, or put it back.")
    if not trust:
        raise UntrustedError(
            f"{path} is code, and opening the model would run it. If you trust it, pass "
            "trust=True (--trust on the command line).",
            path=str(path),
        )
    name = f"{path.stem}_{_hash(path)[:12]}"
    spec = importlib.util.spec_from_loader(name, _Fresh(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


class _Fresh(SourceFileLoader):
    """Compile the file each time: cached bytecode can be older than a change within a second."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        code = self.source_to_code(self.get_data(self.path), self.path)
        assert isinstance(code, CodeType)
        return code


@contextmanager
def _importable(file: Path | None) -> Iterator[None]:
    """Let the file import its neighbours, as a script can."""
    before = list(sys.path)
    if file:
        sys.path.insert(0, str(file.parent))
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _failures(where: str, file: Path | None) -> Iterator[None]:
    """Say where in the user's code an error arose."""
    try:
        yield
    except (ModelError, SpecError):
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == where.partition(".")[0]:
            raise ModelError(
                f"Python finds no module {where!r}. Install it, or name a file: "
                "python:FILE.py:CALLABLE."
            ) from error
        what = f"{type(error).__name__}: {error}"
        raise ModelError(f"{_line(error, file) or where} raised {what}") from error


def _line(error: Exception, file: Path | None) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno},"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    frames = [f for f in frames if f.filename == str(file)] or frames
    return f"{frames[-1].filename}, line {frames[-1].lineno}," if frames else ""


def _callable(module: ModuleType, name: str, where: str) -> Callable[[], Any]:
    found: Callable[[], Any] | None = getattr(module, name, None)
    if callable(found):
        return found
    defined = {
        key: value
        for key, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    }
    own = [key for key in defined if not key.startswith("_")]
    raise SpecError(f"{where} has no callable {name!r}. {closest(name, own)}")


def _record(file: Path | None, where: str, name: str, module: ModuleType) -> dict[str, Any]:
    path = file or Path(getattr(module, "__file__", None) or "")
    return {
        "source": "python",
        "name": f"{file or where}:{name}",
        "file": str(path),
        "sha256": _hash(path) if path.is_file() else "",
    }


def _changes(now: dict[str, Any], then: dict[str, Any]) -> tuple[str, ...]:
    if not then or now["sha256"] == then.get("sha256"):
        return ()
    return (f"{now['file']} has changed since the run",)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
