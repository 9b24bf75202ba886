from typing import Any

import pytest

from pellucid.reporting.origin import commands, duration, moment, rows_of
from pellucid.reporting.sections import Section


def section(kind: str, record: dict[str, Any]) -> Section:
    return Section(title="t", kind=kind, summary="", views=(), record=record)


EVALUATION = {
    "kind": "evaluation",
    "model": {"source": "timm:resnet18", "weights": "0123", "run": ""},
    "data": {"source": "folder:my photos", "split": "test", "num_samples": 600, "samples": "45"},
    "method": "",
    "parameters": {"batch_size": 32, "nested": {"window": [16, 16]}},
    "target": "",
    "seed": 0,
    "seconds": 84.2,
    "notes": ["one sample could not be read"],
    "versions": {"python": "3.11.7", "torch": "2.9.0"},
    "created": "2025-06-01T09:14:22+00:00",
}


def test_the_record_is_put_in_plain_words() -> None:
    assert list(rows_of(EVALUATION)) == [
        ("model", "timm:resnet18"),
        ("fingerprint of its weights", "0123"),
        ("data", "folder:my photos"),
        ("split", "test"),
        ("number of samples", "600"),
        ("fingerprint of the samples", "45"),
        ("batch size", "32"),
        ("nested, window", "16, 16"),
        ("seed", "0"),
        ("made on", "1 June 2025, 09:14 UTC"),
        ("time taken", "84 s"),
        ("kind", "evaluation"),
        ("notes", "one sample could not be read"),
        ("version of python", "3.11.7"),
        ("version of torch", "2.9.0"),
    ]


def test_the_machine_is_nobody_elses_business() -> None:
    record = {"host": "secret", "pid": 3, "workspace": "/home/me", "status": "finished"}
    assert list(rows_of(record)) == [("status", "finished")]


def test_long_lists_are_cut_and_records_in_lists_are_numbered() -> None:
    record = {"labels": [str(i) for i in range(20)], "phases": [{"name": "head"}, {"name": "all"}]}
    assert list(rows_of(record)) == [
        ("labels", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … (20 in all)"),
        ("phases, 1, name", "head"),
        ("phases, 2, name", "all"),
    ]


def test_how_to_evaluate_again() -> None:
    assert commands(section("evaluation", EVALUATION)) == [
        "pip install torch==2.9.0",
        "pellucid evaluate timm:resnet18 'folder:my photos' --split test",
    ]


def test_how_to_explain_again() -> None:
    record = EVALUATION | {
        "method": "grad_cam, occlusion",
        "target": "predicted",
        "parameters": {"limit": 16},
        "versions": {},
    }
    (command,) = commands(section("explanation", record))
    assert command == (
        "pellucid explain timm:resnet18 'folder:my photos' --split test --method grad_cam "
        "--method occlusion --limit 16 --target predicted"
    )


def test_how_to_train_again() -> None:
    record = {
        "model": {"source": "timm:resnet18"},
        "data": {"train": {"source": "folder:pets", "split": "train"}, "validation": None},
        "config": {
            "strategy": "head",
            "learning_rate": 0.001,
            "augment": ["flip", "crop"],
            "pattern": "",
            "deterministic": True,
            "resume": False,
        },
    }
    (command,) = commands(section("run", record))
    assert command == (
        "pellucid finetune timm:resnet18 folder:pets --strategy head --learning-rate 0.001 "
        "--augment flip,crop --deterministic"
    )


def test_a_hostile_source_cannot_add_a_command() -> None:
    record = {"model": {"source": "a; rm -rf ~\nrm"}, "data": {"source": "$(reboot)"}}
    assert commands(section("evaluation", record)) == [
        "pellucid evaluate 'a; rm -rf ~ rm' '$(reboot)'"
    ]


def test_unknown_kinds_have_no_command() -> None:
    assert commands(section("something", EVALUATION | {"versions": {}})) == []
    assert commands(section("evaluation", {"model": "a string", "data": None})) == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.42, "0.42 s"), (84.2, "84 s"), (719, "12 min"), (11_100, "3 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_moments() -> None:
    assert moment("2025-12-31T23:30:00-02:00") == "1 January 2026, 01:30 UTC"
    assert moment("2025-06-01T09:14:22") == "1 June 2025, 09:14 UTC"
    assert moment("yesterday") == "yesterday"
