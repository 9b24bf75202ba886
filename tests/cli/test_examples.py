"""The commands of the README, word for word, on a real pretrained network."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

EXAMPLES = """
pellucid finetune bundled:efficientnet-lite0 folder:DIR --strategy head --epochs 10 --out RUN
pellucid evaluate run:RUN folder:DIR --split test --json
pellucid explain run:RUN folder:DIR --split test --limit 16 --method grad_cam --method integrated_gradients --out OUT
pellucid report RUN --out report.html
""".strip().splitlines()
README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_readme_shows_it(line: str) -> None:
    assert line in README.read_text("utf-8")


@pytest.mark.slow
def test_the_examples_work(pellucid: Callable[..., Result], pictures: str, home: Path) -> None:
    for split, kept in (("train", range(6)), ("test", range(6, 7))):
        for digit in (0, 1):
            files = sorted((home / "digits" / f"digit {digit}").iterdir())
            folder = home / "DIR" / split / f"digit {digit}"
            folder.mkdir(parents=True)
            for index in kept:
                shutil.copy(files[index], folder)
    results = [pellucid(*shlex.split(line)[1:]) for line in EXAMPLES]
    assert [result.exit_code for result in results] == [0, 0, 0, 0]
    assert json.loads(results[1].stdout)["num_samples"] == 2
    assert len(list((home / "OUT" / "pictures").glob("*.png"))) == 2
    page = (home / "report.html").read_text("utf-8")
    assert "Explanations" in page
    assert "Evaluation" in page
