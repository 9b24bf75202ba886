from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import ResultError, SpecError
from pellucid.reporting.report import report
from pellucid.reporting.sections import gather
from pellucid.training.recorder import Recorder
from pellucid.views import Text, View


@dataclass
class Plain:
    """The least that a report can show."""

    name: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()

    def views(self) -> list[View]:
        return [Text(title="A text", paragraphs=("words",))]

    def summary(self) -> str:
        return "A summary."

    def results(self) -> list[Path]:
        return list(self.paths)


def test_a_saved_result_is_opened(make: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    make["result"]("some_measure", [], "Words.").save(tmp_path / "e.zarr")
    (section,) = gather(tmp_path / "e.zarr")
    assert section.title == "Some measure"
    assert section.subject == "torchvision:resnet18"
    assert section.record["model"]["weights"] == "3f1c88d2a90b4e57"
    assert gather(str(tmp_path / "e.zarr"))[0].title == "Some measure"


def test_the_results_of_a_run_follow_it(
    make: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    make["result"]("one", [], "Words.").save(tmp_path / "e.zarr")
    make["result"]("other", [], "Words.").save(tmp_path / "x.zarr")
    run = Plain("pets", {"seed": 3}, (tmp_path / "e.zarr", tmp_path / "x.zarr"))
    sections = gather([run])
    assert [s.title for s in sections] == ["Training: pets", "One", "Other"]
    assert sections[0].kind == "run"
    assert sections[0].subject == "pets"


def test_the_folder_of_a_run_is_opened(tmp_path: Path) -> None:
    samples = {"source": "folder:pets", "split": "train", "num_samples": 90, "samples": "ab"}
    record = {
        "workspace": str(tmp_path / "workspace"),
        "config": {"strategy": "head", "epochs": 3},
        "model": {"source": "timm:resnet18", "weights": "0123", "run": ""},
        "data": {"train": samples, "validation": samples},
        "parameters": 100,
        "trained_parameters": 10,
    }
    with Recorder.create(tmp_path / "pets", record, {"train": ["a"]}) as recorder:
        for epoch in (1, 2, 3):
            recorder.log("step", step=epoch, epoch=epoch, learning_rate=1e-3)
            recorder.log("epoch", epoch=epoch, train_loss=1 / epoch, validation_loss=2 / epoch)
    page = report(tmp_path / "pets", tmp_path / "r.html").read_text("utf-8")
    assert "Report on pets" in page
    assert "pellucid finetune timm:resnet18 folder:pets --strategy head --epochs 3" in page
    assert str(tmp_path) not in page


def test_sections_of_one_title_name_their_data_and_are_numbered(
    make: dict[str, Callable[..., Any]],
) -> None:
    result = make["result"]("evaluation", [], "Words.")
    other = replace(result, meta=replace(result.meta, data=None))
    data = result.meta.data.source
    assert [section.title for section in gather([result, result, other])] == [
        f"Evaluation: {data} (1)",
        f"Evaluation: {data} (2)",
        "Evaluation",
    ]


def test_anything_with_views_and_a_summary_will_do() -> None:
    (section,) = gather(Plain())
    assert (section.title, section.summary, len(section.views)) == ("Training", "A summary.", 1)
    assert section.figures == ()


def test_what_cannot_be_shown_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="at least one run or result; none was given"):
        gather([])
    with pytest.raises(SpecError, match=r"int was given. Expected the folder of a run"):
        gather([3])  # type: ignore[list-item]
    with pytest.raises(ResultError, match="there is nothing; expected a run"):
        gather(tmp_path / "nowhere")
    with pytest.raises(ResultError, match="holds neither; expected a run"):
        report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
