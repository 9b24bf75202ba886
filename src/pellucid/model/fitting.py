"""Putting named tensors into a module: everything fits, or nothing is written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from pellucid.errors import WeightsError

Tensors = Mapping[str, Tensor]
PREFIXES = ("module.", "_orig_mod.", "model.")
# Batch norm counts its batches since 2018; older checkpoints lack the counter.
COUNTER = "num_batches_tracked"
SHOWN = 5


def fit(module: nn.Module, state: Tensors, *, origin: str) -> list[str]:
    """Copy `state` into the module's parameters and buffers; return notes about what was done.

    A prefix that all names of one side carry (`module.`, `_orig_mod.`, `model.`) does not count.
    Raises WeightsError that names what is missing, unexpected, or of another shape; the module is
    then as it was.
    """
    complete = module.state_dict()
    own, wanted = _without_prefix({k: t for k, t in complete.items() if isinstance(t, Tensor)})
    dropped, given = _without_prefix(state)
    problems = [
        _listed("missing", [repr(name) for name in _missing(wanted, given)]),
        _listed("unexpected", _unexpected(wanted, given)),
        _listed("of another shape", _misshapen(wanted, given)),
    ]
    if any(problems):
        head = f"{origin} does not fit {type(module).__name__}:"
        advice = "Give weights of this very architecture and number of classes."
        raise WeightsError("\n  ".join([head, *filter(None, problems)]) + f"\n{advice}")
    # The module's own dictionary carries the format versions that some modules insist on.
    complete.update({own + name: tensor for name, tensor in given.items()})
    module.load_state_dict(complete)
    notes = [f"the prefix {dropped!r} of all names was dropped"] if dropped != own else []
    return notes + _conversions(wanted, given)


def _without_prefix(tensors: Tensors) -> tuple[str, dict[str, Tensor]]:
    """Take off the prefixes that every name carries; return them, and the tensors by bare name."""
    prefix, bare = "", dict(tensors)
    while bare:
        common = next((p for p in PREFIXES if all(name.startswith(p) for name in bare)), None)
        if common is None:
            break
        prefix += common
        bare = {name.removeprefix(common): tensor for name, tensor in bare.items()}
    return prefix, bare


def _missing(wanted: Tensors, given: Tensors) -> list[str]:
    filled = {_memory(tensor) for name, tensor in wanted.items() if name in given}
    return [
        name
        for name, tensor in wanted.items()
        if name not in given
        and not name.endswith(COUNTER)
        and (tensor.data_ptr() == 0 or _memory(tensor) not in filled)
    ]


def _memory(tensor: Tensor) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Tell tied tensors: the same memory, seen in the same way."""
    return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())


def _unexpected(wanted: Tensors, given: Tensors) -> list[str]:
    free = [name for name in wanted if name not in given]
    entries: list[str] = []
    for name in (name for name in given if name not in wanted):
        near = difflib.get_close_matches(name, free, n=1) if len(entries) < SHOWN else []
        entries.append(repr(name) + (f" (nearest in the model: {near[0]!r})" if near else ""))
    return entries


def _misshapen(wanted: Tensors, given: Tensors) -> list[str]:
    return [
        f"{name!r} is {tuple(tensor.shape)}, expected {tuple(wanted[name].shape)}"
        for name, tensor in given.items()
        if name in wanted and tensor.shape != wanted[name].shape
    ]


def _listed(what: str, entries: Sequence[str]) -> str:
    more = f", … and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    return f"{len(entries)} {what}: {', '.join(entries[:SHOWN])}{more}" if entries else ""


def _conversions(wanted: Tensors, given: Tensors) -> list[str]:
    pairs = {(tensor.dtype, wanted[name].dtype) for name, tensor in given.items()}
    changed = sorted(f"{a} to {b}".replace("torch.", "") for a, b in pairs if a != b)
    return [f"weights were converted from {change}" for change in changed]
