"""Results as Zarr: any xarray reads them, without Pellucid.

Arrays, dimensions and attributes are the result's own. The provenance is JSON in the root
attribute ``pellucid``; ``pellucid_kind``, ``pellucid_model`` and so on repeat its main entries for
a reader who has xarray alone. Zarr format 3 only: none of its codecs runs code from the file.
Strings are kept as variable-length UTF-8, since Zarr 3 specifies no fixed-width ones.
"""

from __future__ import annotations

import json
import math
import re
import uuid
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid import plugins
from pellucid.errors import ResultError
from pellucid.files import replacing
from pellucid.result.protocol import Result
from pellucid.result.provenance import Provenance

RECORD = "pellucid"
CHUNK_BYTES = 8 * 2**20
UTF8 = np.dtype("O", metadata={"element_type": str})  # what xarray knows as strings, also empty
EXPECTED = "expected the Zarr folder that `result.save(path)` writes"


def save(result: Result, path: str | Path) -> Path:
    """Write `result` to a Zarr folder or an fsspec URL, whole or not at all.

    A result that was there stays until the new one is complete. Anything else that is there is
    left alone: raises ResultError, as for arrays that Zarr cannot hold.
    """
    data = _portable(result.data)
    data.attrs = result.data.attrs | _attributes(result.meta)
    url = _url(path)
    if url:
        _save_remote(data, url)
        return Path(path)
    target = Path(path).expanduser()
    if target.is_file() or (target.is_dir() and any(target.iterdir()) and not _is_zarr(target)):
        raise ResultError(
            f"{target} is there and is no saved result, so it is not replaced. "
            "Choose another name, such as NAME.zarr, or remove it first."
        )
    with replacing(target) as temporary:
        _write(data, str(temporary))
    return target


def open_result(path: str | Path) -> Result:
    """Open a saved result, whole, as the class of its kind; as a plain Result for unknown kinds.

    `path` is a folder or an fsspec URL (``s3://…``). Raises ResultError when there is no result,
    or it is damaged.
    """
    place = _url(path) or str(Path(path).expanduser())
    data = _read(place)
    meta = _provenance(data, place)
    data.attrs = {k: v for k, v in data.attrs.items() if not str(k).startswith(RECORD)}
    known = meta.kind in plugins.names("pellucid.results")
    made = plugins.find("pellucid.results", meta.kind, what="result") if known else Result
    opened: Result = made(data=_familiar(data), meta=meta)
    return opened


def _attributes(meta: Provenance) -> dict[str, str]:
    plain = {
        "kind": meta.kind,
        "method": meta.method,
        "target": meta.target,
        "model": meta.model.source if meta.model else "",
        "data": meta.data.source if meta.data else "",
        "created": meta.created,
    }
    return {RECORD: json.dumps(meta.to_json())} | {
        f"{RECORD}_{name}": value for name, value in plain.items() if value
    }


def _save_remote(data: xr.Dataset, url: str) -> None:
    """Object stores cannot rename: write beside the target, then move over it."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    unfinished = f"{url}.{uuid.uuid4().hex[:8]}.tmp"
    files, target = url_to_fs(url)
    temporary = files._strip_protocol(unfinished)  # noqa: SLF001
    try:
        _write(data, unfinished)
        if files.exists(target):
            files.rm(target, recursive=True)
        files.mv(temporary, target, recursive=True)
    finally:
        if files.exists(temporary):
            files.rm(temporary, recursive=True)


def _write(data: xr.Dataset, place: str) -> None:
    encoding = {name: _encoding(variable) for name, variable in data.variables.items()}
    with warnings.catch_warnings():
        # Readers are quicker with consolidated metadata; others just pass over it.
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        try:
            data.to_zarr(place, mode="w", zarr_format=3, consolidated=True, encoding=encoding)
        except (TypeError, ValueError) as error:
            raise ResultError(f"this result cannot be written to {place}: {error}") from error


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    """Chunks of a few MB along the first dimension, compressed, each with a checksum.

    Shuffled bytes compress floats a third better, but Blosc alone reads damaged chunks as noise.
    """
    from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

    size = variable.dtype.itemsize
    shuffled = BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=size)
    numeric = variable.dtype.kind in "iufb"
    compressors = (shuffled, Crc32cCodec()) if numeric else (ZstdCodec(level=5, checksum=True),)
    encoding: dict[str, Any] = {"compressors": compressors}
    if variable.ndim and variable.size:
        row = max(1, size) * math.prod(variable.shape[1:])
        rows = min(variable.shape[0], max(1, CHUNK_BYTES // row))
        encoding["chunks"] = (rows, *variable.shape[1:])
    return encoding


def _read(place: str) -> xr.Dataset:
    try:
        found: xr.Dataset = xr.open_zarr(place, chunks=None, zarr_format=3).load()
    except FileNotFoundError as error:
        raise ResultError(f"{place}: there is no saved result; {EXPECTED}.") from error
    except ImportError as error:
        raise ResultError(f"{place} cannot be reached: {error}") from error
    except (ValueError, TypeError, KeyError, RuntimeError, OSError) as error:
        raise ResultError(
            f"{place}: this saved result is damaged ({type(error).__name__}: {error}); "
            "copy it again, or make the result again."
        ) from error
    return found


def _provenance(data: xr.Dataset, place: str) -> Provenance:
    if RECORD not in data.attrs:
        raise ResultError(f"{place}: a Zarr folder, but without provenance; {EXPECTED}.")
    try:
        return Provenance.from_json(json.loads(data.attrs[RECORD]))
    except (ValueError, TypeError, AttributeError) as error:
        raise ResultError(
            f"{place}: the provenance of this saved result is damaged ({error})."
        ) from error


def _portable(data: xr.Dataset) -> xr.Dataset:
    """Strings as objects, which xarray writes as UTF-8; no encoding left from another file."""
    plain = data.drop_encoding()
    texts = {name: v for name, v in plain.variables.items() if v.dtype.kind == "U"}
    return plain.assign({name: v.astype(UTF8) for name, v in texts.items()})


def _familiar(data: xr.Dataset) -> xr.Dataset:
    """Strings as NumPy's fixed-width type, which everything can index and compare."""
    texts = {name: v for name, v in data.variables.items() if v.dtype.kind in "TO"}
    fixed = {name: (v.dims, _fixed_width(v.values), v.attrs) for name, v in texts.items()}
    return data.drop_encoding().assign(fixed)


def _fixed_width(values: NDArray[Any]) -> NDArray[np.str_]:
    return values.astype(object).astype(np.str_)


def _is_zarr(folder: Path) -> bool:
    return (folder / "zarr.json").is_file()


def _url(path: str | Path) -> str:
    """The fsspec URL in `path`, else ""; a Path made from a URL has lost one of its slashes."""
    match = re.match(r"(?P<scheme>[a-z][a-z0-9+.-]+):/+(?P<rest>.*)", str(path))
    if match is None:
        return ""
    from fsspec import available_protocols  # type: ignore[import-untyped]

    known = match["scheme"] in available_protocols()
    return f"{match['scheme']}://{match['rest']}" if known else ""
