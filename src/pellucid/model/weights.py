"""Weights from files, as data: nothing that is read here can run code unless it is trusted."""

from __future__ import annotations

import json
import pickle
import re
import tarfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor, nn

from pellucid.errors import UntrustedError, WeightsError
from pellucid.model.fitting import fit

# Where checkpoints found in the wild keep their weights, most specific first.
WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "ema")
DEEPEST = 4
LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def read_state_dict(path: str | Path, *, trust: bool = False) -> dict[str, Tensor]:
    """Read names and tensors, on the CPU, from a safetensors file, its index, or a checkpoint.

    Entries that are not tensors are left out. Raises WeightsError for a file that cannot be read
    or holds no weights, and UntrustedError for a pickle that needs code, unless `trust` is set.
    """
    return _read(Path(path), trust)[0]


def load_weights(module: nn.Module, path: str | Path, *, trust: bool = False) -> list[str]:
    """Load a file into `module`, everything or nothing; return notes about what was done.

    Names must agree on both sides, apart from a common prefix (`module.`, `_orig_mod.`, `model.`)
    and batch norm's counters, and shapes must agree. Raises WeightsError that names every kind of
    difference, or UntrustedError as `read_state_dict` does.
    """
    state, place = _read(Path(path), trust)
    where = f"weights read from {path}" + (f" (its {place!r})" if place else "")
    return [where, *fit(module, state, origin=str(path))]


def _read(path: Path, trust: bool) -> tuple[dict[str, Tensor], str]:
    """Read the weights, and where in the file they were ("" for the top)."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise WeightsError(f"{path} {what}; expected a .safetensors file or a torch checkpoint.")
    if path.suffix == ".json":
        return _read_index(path, trust), ""
    with path.open("rb") as file:
        start = file.read(16)
    if start[8:9] == b"{":
        return _read_safetensors(path), ""
    _refuse_other_archives(path, start)
    state, place = _unwrap(_read_checkpoint(path, trust))
    if not state:
        raise WeightsError(
            f"{path} holds no weights: expected names with tensors, at the top or in one of "
            f"{', '.join(map(repr, WRAPPERS))}. Save `model.state_dict()` and try again."
        )
    return state, place


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            aliases = file.metadata() or {}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file: {error}.") from error
    # A tensor that several names share is kept once; the metadata says under which name.
    state |= {name: state[kept] for name, kept in aliases.items() if kept in state}
    return state


def _read_index(path: Path, trust: bool) -> dict[str, Tensor]:
    try:
        homes: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        shards = sorted(set(homes.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{path} is not an index of weights: expected JSON with a 'weight_map' of names to "
            "files, as Hugging Face writes it."
        ) from error
    outside = [shard for shard in shards if Path(shard).name != shard]
    if outside:
        raise WeightsError(f"{path} names {outside[0]!r}; expected files in its own folder only.")
    state: dict[str, Tensor] = {}
    for shard in shards:
        state |= _read(path.parent / shard, trust)[0]
    lost = [name for name in homes if name not in state]
    if lost:
        raise WeightsError(f"{path} lists {len(lost)} names that its files lack, as {lost[0]!r}.")
    return {name: state[name] for name in homes}


def _refuse_other_archives(path: Path, start: bytes) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
        if "constants.pkl" in names:
            raise WeightsError(
                f"{path} is a TorchScript archive, which is code. Open it with torch.jit.load "
                "where you trust it, and save its state_dict() as safetensors."
            )
        if "data.pkl" not in names:
            raise WeightsError(f"{path} is a zip archive, but not one that torch.save wrote.")
    elif start[:2] == b"PK":
        raise WeightsError(f"{path} is cut short: its end is missing. Copy or download it again.")
    elif start[: len(LEGACY_TORCH)] != LEGACY_TORCH:
        kind = "torch's tar format of 2017" if tarfile.is_tarfile(path) else _guess(start)
        raise WeightsError(
            f"{path} is neither safetensors nor a checkpoint of torch.save, but {kind}. "
            "Save `model.state_dict()` with a current torch and try again."
        )


def _guess(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start[:1] == b"\x80":
        return "a plain pickle"
    return f"something that begins with {start[:8]!r}"


def _read_checkpoint(path: Path, trust: bool) -> Any:
    try:
        with warnings.catch_warnings():
            # torch tells the pickle's protocol as a warning; the error below says what matters.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError as error:
        refused = re.search(r"GLOBAL (\S+)|(Unsupported operand \d+)", str(error))
        if trust or not refused:
            raise WeightsError(f"{path} cannot be read: {_first_line(error)}") from error
        raise _untrusted(path, refused[1] or "pickle's newer opcodes") from error
    except Exception as error:
        raise WeightsError(
            f"{path} is damaged or cut short ({_first_line(error)}). Copy or download it again."
        ) from error


def _untrusted(path: Path, refused: str) -> UntrustedError:
    return UntrustedError(
        f"{path} is a pickle that needs more than tensors: {refused}. Reading it could run any "
        "code. If you trust where it comes from, convert it once, where it can do no harm:\n"
        f"    state = torch.load({path.name!r}, map_location='cpu', weights_only=False)\n"
        "    safetensors.torch.save_file(state['state_dict'], 'weights.safetensors')\n"
        "or pass trust=True (--trust on the command line).",
        path=str(path),
        refused=refused,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


def _unwrap(found: Any, depth: int = 0) -> tuple[dict[str, Tensor], str]:
    if isinstance(found, nn.Module):
        found = found.state_dict()
    if not isinstance(found, Mapping) or depth > DEEPEST:
        return {}, ""
    for name in WRAPPERS:
        if isinstance(found.get(name), (Mapping, nn.Module)):
            state, place = _unwrap(found[name], depth + 1)
            if state:
                return state, f"{name}.{place}".rstrip(".")
    return _tensors(found.items()), ""


def _tensors(items: Iterable[tuple[Any, Any]]) -> dict[str, Tensor]:
    return {
        name: value for name, value in items if isinstance(name, str) and isinstance(value, Tensor)
    }
