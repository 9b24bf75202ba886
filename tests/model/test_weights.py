"""Reading weights as data, and putting them into a module whole or not at all."""

from __future__ import annotations

import argparse
import copy
import json
import pickle
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file, save_model
from torch import nn

from pellucid.errors import UntrustedError, WeightsError
from pellucid.model.fitting import fit
from pellucid.model.weights import load_weights, read_state_dict

SHOT: list[str] = []


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight


class Shot:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return SHOT.append, ("fired",)


def assert_equal_states(one: nn.Module, other: nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("wrapper", ["", "state_dict", "model", "model_state_dict", "net", "ema"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model."])
def test_finds_the_weights_wherever_a_checkpoint_keeps_them(
    tmp_path: Path, wrapper: str, prefix: str
) -> None:
    source, target = net(), net()
    state = {prefix + name: tensor for name, tensor in source.state_dict().items()}
    checkpoint = {wrapper: state, "epoch": 3, "lr": torch.tensor(0.1)} if wrapper else state
    torch.save(checkpoint, tmp_path / "weights.pt")
    notes = load_weights(target, tmp_path / "weights.pt")
    assert_equal_states(source, target)
    assert any(f"prefix {prefix!r}" in note for note in notes) == bool(prefix)
    assert any(f"its {wrapper!r}" in note for note in notes) == bool(wrapper)


def test_wrappers_may_be_nested(tmp_path: Path) -> None:
    torch.save({"model": {"state_dict": net().state_dict()}}, tmp_path / "w.pt")
    assert load_weights(net(), tmp_path / "w.pt")[0].endswith("(its 'model.state_dict')")


def test_a_compiled_or_parallel_module_takes_plain_names(tmp_path: Path) -> None:
    source, target = net(), nn.DataParallel(net())
    torch.save(source.state_dict(), tmp_path / "w.pt")
    load_weights(target, tmp_path / "w.pt")
    assert_equal_states(source, target.module)


def test_an_architecture_whose_names_all_begin_with_model_keeps_them(tmp_path: Path) -> None:
    source, target = (nn.ModuleDict({"model": nn.Linear(2, 2)}) for _ in range(2))
    torch.save(source.state_dict(), tmp_path / "w.pt")
    assert len(load_weights(target, tmp_path / "w.pt")) == 1
    assert_equal_states(source, target)


def test_reads_safetensors_whatever_the_file_is_called(tmp_path: Path) -> None:
    source, target = net(), net()
    save_file(source.state_dict(), tmp_path / "w.bin")
    load_weights(target, tmp_path / "w.bin")
    assert_equal_states(source, target)


def test_reads_tied_weights_that_safetensors_kept_once(tmp_path: Path) -> None:
    source, target = Tied(), Tied()
    save_model(source, str(tmp_path / "w.safetensors"))
    load_weights(target, tmp_path / "w.safetensors")
    assert_equal_states(source, target)


def test_a_tied_name_may_be_missing_without_a_word_in_the_file() -> None:
    state = Tied().state_dict()
    del state["second.weight"]
    target = Tied()
    fit(target, state, origin="file")
    torch.testing.assert_close(target.second.weight, state["first.weight"])


def test_reads_a_sharded_index(tmp_path: Path) -> None:
    state = net().state_dict()
    parts = {"a.safetensors": list(state)[:3], "b.safetensors": list(state)[3:]}
    for shard, names in parts.items():
        save_file({name: state[name] for name in names}, tmp_path / shard)
    homes = {name: shard for shard, names in parts.items() for name in names}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": homes}))
    torch.testing.assert_close(read_state_dict(index), dict(state))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"weight_map": {"a": "../secret.safetensors"}}', "its own folder only"),
        ('{"weight_map": {"a": "lost.safetensors"}}', "lost.safetensors does not exist"),
        ('{"weights": {}}', "expected JSON with a 'weight_map'"),
        ("[1", "expected JSON with a 'weight_map'"),
    ],
)
def test_refuses_a_bad_index(tmp_path: Path, text: str, message: str) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(WeightsError, match=message):
        read_state_dict(index)


def test_an_index_must_list_what_its_files_hold(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "x.safetensors")
    homes = {"a": "x.safetensors", "b": "x.safetensors"}
    (tmp_path / "i.json").write_text(json.dumps({"weight_map": homes}))
    with pytest.raises(WeightsError, match="lists 1 names that its files lack, as 'b'"):
        read_state_dict(tmp_path / "i.json")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_needs_code_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "shot.pt"
    checkpoint = {"state_dict": net().state_dict(), "shot": Shot()}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    SHOT.clear()
    with pytest.raises(UntrustedError, match=r"safetensors.torch.save_file") as caught:
        read_state_dict(path)
    assert not SHOT
    assert "trust=True (--trust" in str(caught.value)
    assert caught.value.details["path"] == str(path)


def test_the_refused_global_is_named_and_trust_opens_the_file(tmp_path: Path) -> None:
    path = tmp_path / "options.pt"
    source, target = net(), net()
    torch.save({"state_dict": source.state_dict(), "args": argparse.Namespace(lr=1)}, path)
    with pytest.raises(UntrustedError, match=r"argparse\.Namespace"):
        load_weights(target, path)
    load_weights(target, path, trust=True)
    assert_equal_states(source, target)


def test_a_pickled_module_gives_its_weights_when_trusted(tmp_path: Path) -> None:
    source, target = net(), net()
    torch.save({"model": source}, tmp_path / "module.pt")
    load_weights(target, tmp_path / "module.pt", trust=True)
    assert_equal_states(source, target)


def _torchscript(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "storages")


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights.txt", "1")


def _cut(path: Path) -> None:
    torch.save(net().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])


def _cut_legacy(path: Path) -> None:
    torch.save(net().state_dict(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-20])


def _cut_safetensors(path: Path) -> None:
    save_file(net().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.write_bytes(b"<html>404 Not Found</html>"), "begins with b'<html>40'"),
        (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "a plain pickle"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: None, "does not exist"),
        (_torchscript, "TorchScript archive, which is code"),
        (_tar, "tar format of 2017"),
        (_zip, "not one that torch.save wrote"),
        (_cut, "is cut short"),
        (_cut_legacy, "is damaged or cut short"),
        (_cut_safetensors, "not a whole safetensors file"),
        (lambda path: torch.save([torch.ones(2)], path), "holds no weights"),
        (lambda path: torch.save({"epoch": 1}, path), "holds no weights"),
    ],
)
def test_says_what_is_wrong_with_a_file(
    tmp_path: Path, write: Any, message: str, trust: bool
) -> None:
    path = tmp_path / "weights.pt"
    write(path)
    with pytest.raises(WeightsError, match=message):
        read_state_dict(path, trust=trust)


def test_names_every_kind_of_difference_and_the_nearest_name() -> None:
    state = dict(net().state_dict())
    state["3.weights"] = state.pop("3.weight")
    state["0.weight"] = torch.zeros(4, 1, 3, 3)
    with pytest.raises(WeightsError) as caught:
        fit(net(), state, origin="old.pth")
    assert str(caught.value).splitlines() == [
        "old.pth does not fit Sequential:",
        "  1 missing: '3.weight'",
        "  1 unexpected: '3.weights' (nearest in the model: '3.weight')",
        "  1 of another shape: '0.weight' is (4, 1, 3, 3), expected (4, 3, 3, 3)",
        "Give weights of this very architecture and number of classes.",
    ]


def test_lists_only_the_first_few_of_many_names() -> None:
    with pytest.raises(WeightsError, match=r"18 missing: .*, … and 13 more"):
        fit(nn.Sequential(*[nn.Linear(1, 1) for _ in range(9)]), {}, origin="file")


def test_batch_counters_may_be_missing_and_other_entries_are_left_out(tmp_path: Path) -> None:
    state = {k: v for k, v in net().state_dict().items() if "num_batches" not in k}
    torch.save({**state, "comment": "best"}, tmp_path / "w.pt")
    load_weights(net(), tmp_path / "w.pt")


def test_converts_types_and_says_so() -> None:
    source, target = net(), net()
    notes = fit(target, copy.deepcopy(source).half().state_dict(), origin="file")
    assert notes == ["weights were converted from float16 to float32"]
    torch.testing.assert_close(target[3].weight, source[3].weight.half().float())


@settings(max_examples=30, deadline=None)
@given(dropped=st.sets(st.sampled_from(sorted(dict(net().named_parameters()))), min_size=1))
def test_a_failed_load_changes_nothing(dropped: set[str]) -> None:
    target = net()
    before = copy.deepcopy(target)
    state = {name: t for name, t in net().state_dict().items() if name not in dropped}
    with pytest.raises(WeightsError, match=f"{len(dropped)} missing") as caught:
        fit(target, state, origin="file")
    assert all(repr(name) in str(caught.value) for name in sorted(dropped)[:1])
    assert_equal_states(before, target)


def test_modules_that_insist_on_their_format_version_load() -> None:
    class Versioned(nn.Linear):
        _version = 2

        def _load_from_state_dict(self, state: Any, prefix: str, meta: Any, *rest: Any) -> None:
            assert meta["version"] == 2
            super()._load_from_state_dict(state, prefix, meta, *rest)

    source, target = Versioned(2, 2), Versioned(2, 2)
    fit(target, dict(source.state_dict()), origin="file")
    assert_equal_states(source, target)


def test_reads_a_real_checkpoint(shared_data: Path) -> None:
    state = read_state_dict(shared_data / "cifar10-resnet" / "resnet20-12fca82f.th")
    assert state["module.conv1.weight"].shape == (16, 3, 3, 3)
    assert sum(tensor.numel() for name, tensor in state.items() if "running" not in name) == 269722
