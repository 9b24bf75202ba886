import json
import pickle
import shutil
import subprocess
import sys
import textwrap
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import fsspec
import numpy as np
import pytest
import xarray as xr

from pellucid import plugins
from pellucid.errors import ResultError
from pellucid.result import DataIdentity, ModelIdentity, Provenance, Result
from pellucid.result.store import open_result, save


@dataclass(frozen=True, kw_only=True)
class Measured(Result):
    kind: ClassVar[str] = "measured"


def made(kind: str = "thing", seed: int = 0) -> Result:
    random = np.random.default_rng(seed)
    data = xr.Dataset(
        {
            "map": (("sample", "y", "x"), random.random((3, 5, 4), dtype=np.float32)),
            "picture": (
                ("sample", "y", "x", "channel"),
                random.integers(0, 255, (3, 5, 4, 3), np.uint8),
            ),
            "correct": ("sample", [True, False, True]),
            "predicted": ("sample", ["Katze", "dög", ""]),
            "loss": ("step", [1.5, np.nan], {"units": "nats", "long_name": "cross entropy"}),
            "note": ((), "a single string"),
            "nobody": ("missing", np.array([], dtype=str)),
        },
        coords={"sample": ["train/1.jpg", "train/2.jpg", "x"], "step": [10, 20]},
        attrs={"title": "three samples", "sizes": [1, 2]},
    )
    meta = Provenance(
        kind=kind,
        model=ModelIdentity(source="timm:resnet18", weights="0123"),
        data=DataIdentity(source="folder:pets", split="test", num_samples=3, samples="4567"),
        method="integrated_gradients",
        parameters={"steps": 32, "baseline": "black", "layers": ["a", "b"]},
        seed=0,
        notes=("two notes", "of text"),
    )
    return Result(data=data, meta=meta)


@pytest.fixture
def memory() -> str:
    return f"memory://{uuid.uuid4().hex}/result.zarr"


@pytest.mark.parametrize("place", ["folder", "memory"])
def test_a_saved_result_comes_back_the_same(place: str, tmp_path: Path, memory: str) -> None:
    path = tmp_path / "made" / "on the way" / "r.zarr" if place == "folder" else memory
    result = made()
    where = result.save(path)
    again = open_result(where)
    xr.testing.assert_identical(again.data, result.data)
    assert again.meta == result.meta
    for name, variable in result.data.variables.items():
        assert again.data[name].dtype.kind == variable.dtype.kind, name


def test_xarray_alone_reads_it(tmp_path: Path) -> None:
    save(made(), tmp_path / "r.zarr")
    code = """
        import sys, warnings
        warnings.simplefilter("error")
        import xarray
        data = xarray.open_zarr(sys.argv[1]).load()
        assert "pellucid" not in sys.modules
        print(list(data.predicted.values), data.loss.attrs["units"], data.attrs["pellucid_model"])
    """
    seen = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "r.zarr")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.strip() == "['Katze', 'dög', ''] nats timm:resnet18"


def test_the_provenance_is_plain_json_in_the_root(tmp_path: Path) -> None:
    save(made(), tmp_path / "r.zarr")
    root = json.loads((tmp_path / "r.zarr" / "zarr.json").read_text())
    record = json.loads(root["attributes"]["pellucid"])
    assert record["parameters"]["steps"] == 32
    assert root["attributes"]["pellucid_kind"] == "thing"


def test_maps_and_pictures_are_compressed(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(1, 64, 64).repeat(20, 0)
    result = made()
    data = xr.Dataset(
        {"map": (("sample", "y", "x"), ramp), "grey": (("sample", "y", "x"), ramp > 2)}
    )
    save(Result(data=data, meta=result.meta), tmp_path / "r.zarr")
    size = sum(file.stat().st_size for file in (tmp_path / "r.zarr").rglob("*") if file.is_file())
    assert size < ramp.nbytes / 4


def test_many_samples_are_kept_in_several_files(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).random((40, 256, 256), dtype=np.float32)
    result = Result(data=xr.Dataset({"map": (("sample", "y", "x"), maps)}), meta=made().meta)
    save(result, tmp_path / "r.zarr")
    assert len([f for f in (tmp_path / "r.zarr/map/c").rglob("*") if f.is_file()]) == 2
    xr.testing.assert_identical(open_result(tmp_path / "r.zarr").data, result.data)


@pytest.mark.parametrize("place", ["folder", "memory"])
def test_a_second_save_replaces_the_first(place: str, tmp_path: Path, memory: str) -> None:
    path = tmp_path / "r.zarr" if place == "folder" else memory
    save(made(seed=1), path)
    smaller = Result(data=made(seed=2).data[["map"]], meta=made().meta)
    save(smaller, path)
    xr.testing.assert_identical(open_result(path).data, smaller.data)
    files, inside = fsspec.core.url_to_fs(str(path))
    assert files.ls(inside.rsplit("/", 1)[0], detail=False) == [inside]


@pytest.mark.parametrize("place", ["folder", "memory"])
def test_a_save_that_breaks_off_leaves_the_old_result(
    place: str, tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.zarr" if place == "folder" else memory
    old = made(seed=1)
    save(old, path)
    written = xr.Dataset.to_zarr

    def half(self: xr.Dataset, *arguments: object, **options: object) -> None:
        options["encoding"] = {"map": options["encoding"]["map"]}
        written(self[["map"]], *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_zarr", half)
    with pytest.raises(KeyboardInterrupt):
        save(made(seed=2), path)
    xr.testing.assert_identical(open_result(path).data, old.data)


def test_a_killed_process_leaves_the_old_result(tmp_path: Path) -> None:
    old = made(seed=1)
    save(old, tmp_path / "r.zarr")
    code = """
        import os, signal, sys
        import xarray
        from pellucid.result.store import open_result, save
        written = xarray.Dataset.to_zarr
        def killed(self, *arguments, **options):
            written(self, *arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        result = open_result(sys.argv[1])
        xarray.Dataset.to_zarr = killed
        result.data["map"][:] = 0
        save(result, sys.argv[1])
    """
    died = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "r.zarr")], check=False
    )
    assert died.returncode == -9
    xr.testing.assert_identical(open_result(tmp_path / "r.zarr").data, old.data)


def test_what_is_no_result_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(ResultError, match="no saved result, so it is not replaced"):
        save(made(), tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"
    with pytest.raises(ResultError, match="not replaced"):
        save(made(), tmp_path / "photos" / "cat.jpg")


def test_the_class_is_found_by_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "names", lambda group: ["measured"])
    monkeypatch.setattr(plugins, "find", lambda group, name, what: Measured)
    save(made(kind="measured"), tmp_path / "r.zarr")
    assert type(open_result(tmp_path / "r.zarr")) is Measured


def test_an_unknown_kind_opens_as_a_plain_result(tmp_path: Path) -> None:
    save(made(kind="somebody else's"), tmp_path / "r.zarr")
    opened = open_result(tmp_path / "r.zarr")
    assert type(opened) is Result
    assert opened.meta.kind == "somebody else's"


@pytest.mark.parametrize("place", ["nothing", "empty", "file", "memory"])
def test_no_result_there(place: str, tmp_path: Path, memory: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    with pytest.raises(ResultError, match=r"no saved result; expected the Zarr folder"):
        open_result(memory if place == "memory" else tmp_path / place)


def test_a_foreign_zarr_folder(tmp_path: Path) -> None:
    made().data[["map"]].drop_vars("sample").to_zarr(
        tmp_path / "z.zarr", zarr_format=3, consolidated=False
    )
    with (
        pytest.warns(RuntimeWarning, match="consolidated"),
        pytest.raises(ResultError, match="without provenance"),
    ):
        open_result(tmp_path / "z.zarr")


@pytest.mark.parametrize("file", ["zarr.json", "chunk"])
def test_damage_is_told(file: str, tmp_path: Path) -> None:
    save(made(), tmp_path / "r.zarr")
    chunks = (found for found in (tmp_path / "r.zarr/map/c").rglob("*") if found.is_file())
    broken = tmp_path / "r.zarr/zarr.json" if file == "zarr.json" else next(chunks)
    broken.write_bytes(broken.read_bytes()[:20])
    with pytest.raises(ResultError, match="damaged"):
        open_result(tmp_path / "r.zarr")


def test_damaged_provenance_is_told(tmp_path: Path) -> None:
    save(made(), tmp_path / "r.zarr")
    root = tmp_path / "r.zarr/zarr.json"
    record = json.loads(root.read_text())
    record["attributes"]["pellucid"] = '{"model": {"no": "such field"}}'
    root.write_text(json.dumps(record))
    with pytest.raises(ResultError, match="provenance of this saved result is damaged"):
        open_result(tmp_path / "r.zarr")


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("harm"),)


def test_no_code_from_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array of Zarr format 2 can name pickle as its codec; such a folder is not opened."""
    loaded: list[object] = []
    monkeypatch.setattr(pickle, "loads", loaded.append)
    folder = tmp_path / "r.zarr"
    (folder / "s").mkdir(parents=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    (folder / ".zattrs").write_text(json.dumps({"pellucid": json.dumps(made().meta.to_json())}))
    (folder / "s" / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["sample"]}')
    array = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "fill_value": None}
    codec = {"filters": [{"id": "pickle", "protocol": 4}], "compressor": None, "order": "C"}
    (folder / "s" / ".zarray").write_text(json.dumps(array | codec))
    (folder / "s" / "0").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ResultError, match="no saved result"):
        open_result(folder)
    assert not loaded
    shutil.rmtree(folder)


def test_arrays_that_zarr_cannot_hold_are_told(tmp_path: Path) -> None:
    data = xr.Dataset({"mixed": ("sample", np.array([{1}, {2}], dtype=object))})
    with pytest.raises(ResultError, match="cannot be written"):
        save(Result(data=data, meta=made().meta), tmp_path / "r.zarr")
    assert not list(tmp_path.iterdir())


def test_an_address_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"foo:/x: there is no saved result"):
        open_result("foo://x")
