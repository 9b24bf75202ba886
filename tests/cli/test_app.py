"""What all commands share: help, exit codes, one line or one JSON record for every error."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pellucid.cli import load as load_module
from pellucid.cli.app import app

Command = Callable[..., Result]
COMMANDS = ("load", "finetune", "evaluate", "explain", "report", "runs", "demo")
SLOW_MODULES = ("torch", "numpy", "xarray", "sqlalchemy", "matplotlib", "rich", "pydantic")


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_help_lists_every_command(pellucid: Command) -> None:
    result = pellucid("--help")
    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.stdout for command in COMMANDS)


def test_no_command_shows_the_help(pellucid: Command) -> None:
    result = pellucid()
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(pellucid: Command, command: str) -> None:
    result = pellucid(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_help_groups_options_and_keeps_examples_in_one_line(pellucid: Command) -> None:
    lines = pellucid("finetune", "--help").stdout.splitlines()
    assert [line for line in lines if line.endswith(":") and line[0] != " "] == [
        "Arguments:", "Options:", "Strategy:", "Training:", "Pictures:", "Machine:", "Model:",
    ]  # fmt: skip
    example = "bundled:efficientnet-lite0 folder:DIR --strategy head --out RUN"
    assert f"  Example: pellucid finetune {example}" in lines
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("arguments", [["--help"], ["finetune", "--help"], ["explain", "-h"]])
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['pellucid', *{arguments}]\n"
        "from pellucid.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print([m for m in {SLOW_MODULES} if m in sys.modules])"
    )
    assert run_python(code).splitlines()[-1] == "[]"


def test_version(pellucid: Command) -> None:
    assert pellucid("--version").stdout == f"pellucid {version('pellucid')}\n"


def test_runs_as_a_module(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pellucid", "finetune", "x:y", "z", "--strategy", "hed"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "error: strategy='hed' is not known. Closest: 'head'.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fintune"], "No such command 'fintune'. Did you mean 'finetune'? See 'pellucid --help'."),
        (["load"], "Missing argument 'MODEL'. See 'pellucid load --help'."),
        (["load", "x", "--trusted"], "No such option: --trusted"),
        (["finetune", "x", "y", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["finetune", "x", "y", "--epochs", "many"], "Invalid value for '--epochs'"),
        (["explain", "x", "y", "--limit", "0"], "Invalid value for '--limit'"),
        (["load", "timmm:vit"], "the scheme 'timmm' is unknown. Closest: 'timm'."),
        (["load", "bundled:mobilenet"], "bundled:mobilenet is unknown."),
        (["report", "nowhere"], "nowhere: there is nothing; expected a run"),
        (["evaluate", "run:nowhere", "y"], "nowhere is not a run"),
        (["finetune", "x:y", "z", "--strategy", "hed"], "strategy='hed' is not known. Closest:"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    pellucid: Command, arguments: list[str], message: str
) -> None:
    result = pellucid(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["load", "timmm:vit"], "SpecError"),
        (["load"], "SpecError"),
        (["report", "x"], "ResultError"),
    ],
)
def test_errors_as_json_go_to_standard_output(
    pellucid: Command, arguments: list[str], kind: str
) -> None:
    result = pellucid(*arguments, "--json")
    assert result.exit_code == 2
    assert result.stderr == ""
    error = json.loads(result.stdout)["error"]
    assert error["type"] == kind
    assert error["message"]


def test_details_of_an_error_are_in_its_json(pellucid: Command, model: str, home: Path) -> None:
    error = json.loads(pellucid("load", model, "--json").stdout)["error"]
    assert error["type"] == "UntrustedError"
    assert error["path"] == str(home / "nets.py")


def test_unforeseen_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault in the program")

    monkeypatch.setattr(load_module, "open_model", broken)
    result = CliRunner().invoke(app, ["load", "bundled:efficientnet-lite0"])
    assert isinstance(result.exception, ZeroDivisionError)
    assert result.exit_code == 1


def test_interruption_ends_in_a_line_and_exit_code_130(
    pellucid: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(load_module, "open_model", interrupted)
    result = pellucid("load", "bundled:efficientnet-lite0")
    assert result.exit_code == 130
    assert result.stderr == "warning: stopped by Ctrl-C\n"


def test_warnings_for_developers_stay_off_the_terminal() -> None:
    code = (
        "import warnings\n"
        "from pellucid.cli.output import quiet_libraries\n"
        "quiet_libraries()\n"
        "warnings.warn('for developers', FutureWarning, stacklevel=1)\n"
        "warnings.warn('for\\n  users', UserWarning, stacklevel=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "warning: for users\n"
