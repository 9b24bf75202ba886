"""What a recording follows from, as one hash: the architecture, its source code, its inputs.

Weights are not part of it: all fine-tuned copies of an architecture share one recording.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import platform
import types
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.graph.recording import tensors_of
from pellucid.model import Inputs, Model

FORMAT = 1
OWN = frozenset(nn.Module().__dict__)
SIMPLE = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)


class Unknown(Exception):
    """Something that a model's call may depend on and that has no stable text."""


def identity(model: Model, inputs: Inputs, axes: dict[str, list[int]]) -> str:
    """Hash of a model's architecture and of its inputs' types and shapes, in hexadecimal.

    Raises Unknown where a module holds something that cannot be compared between two processes,
    or was defined where its source cannot be read.
    """
    texts = _Texts()
    parts: list[Any] = [FORMAT, torch.__version__, metadata.version("pellucid"), platform.machine()]
    for name, tensor in inputs.items():
        shape = [None if i in axes[name] else n for i, n in enumerate(tensor.shape)]
        parts.append((name, str(tensor.dtype), shape))
    for name, part in model.module.named_modules(remove_duplicate=False):
        parts.append((name, texts.of_class(type(part)), texts.of_attributes(part)))
    for name, tensor in tensors_of(model.module):
        parts.append((name, str(tensor.dtype), tuple(tensor.shape), str(tensor.device)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def hooks_of(part: nn.Module) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Keys of a module's forward hooks and forward pre-hooks; a key is never used twice."""
    return tuple(part._forward_hooks), tuple(part._forward_pre_hooks)  # noqa: SLF001


class _Texts:
    """Stable texts of what modules hold; each object is written once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str]] = {}
        self._open: set[int] = set()

    def of_class(self, kind: type) -> str:
        """A class by its name, its package's version, and its source file."""
        try:
            path = inspect.getsourcefile(kind)
        except TypeError:
            path = None
        if path is None:
            raise Unknown(f"the source of {kind.__name__}")
        package = kind.__module__.partition(".")[0]
        return f"{kind.__module__}.{kind.__qualname__} {_version(package)} {_source(path)}"

    def of_attributes(self, part: nn.Module) -> str:
        """Plain attributes of a module, and the functions that hooks call."""
        if any(hooks_of(part)):
            raise Unknown(f"a hook of {type(part).__name__}")
        held = {name: value for name, value in vars(part).items() if name not in OWN}
        return repr([(name, self.of(value)) for name, value in sorted(held.items())])

    def of(self, value: Any) -> str:
        if isinstance(value, SIMPLE):
            return repr(value)
        if id(value) in self._open:
            return "again"
        if id(value) not in self._known:
            self._open.add(id(value))
            self._known[id(value)] = value, self._text(value)
            self._open.discard(id(value))
        return self._known[id(value)][1]

    def _text(self, value: Any) -> str:
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, list | tuple):
            return f"{type(value).__name__}{[self.of(v) for v in value]}"
        if isinstance(value, set | frozenset):
            return f"set{sorted(self.of(v) for v in value)}"
        if isinstance(value, dict):
            return f"dict{sorted((self.of(k), self.of(v)) for k, v in value.items())}"
        if isinstance(value, functools.partial):
            return f"partial{self.of((value.func, value.args, value.keywords))}"
        if isinstance(value, nn.Module):
            return f"module {self.of_class(type(value))} {self.of_attributes(value)}"
        if isinstance(value, type):
            return self.of_class(value) if value.__module__ != "builtins" else value.__name__
        return self._function(value) if callable(value) else self._object(value)

    def _function(self, value: Any) -> str:
        if isinstance(value, types.MethodType):
            return f"method {value.__func__.__qualname__}"
        if isinstance(value, types.BuiltinFunctionType):
            return f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, types.FunctionType) and value.__closure__ is None:
            code = value.__code__
            source = _source(code.co_filename) if Path(code.co_filename).is_file() else ""
            if source:
                return f"{value.__module__}.{value.__qualname__} {code.co_firstlineno} {source}"
        raise Unknown(f"a {type(value).__name__}")

    def _object(self, value: Any) -> str:
        if not hasattr(value, "__dict__"):
            raise Unknown(f"a {type(value).__name__}")
        return f"{self.of_class(type(value))} {self.of(vars(value))}"

    def _tensor(self, value: Tensor) -> str:
        raw = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
        return f"{value.dtype} {tuple(value.shape)} {hashlib.sha256(raw.data).hexdigest()}"


@functools.cache
def _source(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


@functools.cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
