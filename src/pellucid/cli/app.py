"""The commands, and how every error ends: one line or one JSON record, and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pellucid.cli import output
from pellucid.cli.benchmark_methods import benchmark_methods
from pellucid.cli.compare import compare
from pellucid.cli.demo import demo
from pellucid.cli.evaluate import evaluate
from pellucid.cli.explain import explain
from pellucid.cli.finetune import finetune
from pellucid.cli.help import GREATEST_WIDTH, Command, write_groups
from pellucid.cli.inspect import inspect
from pellucid.cli.load import load
from pellucid.cli.methods import methods
from pellucid.cli.options import BAD_INPUT, INTERRUPTED
from pellucid.cli.report import report
from pellucid.cli.runs import runs
from pellucid.cli.studio import studio
from pellucid.cli.visualize_feature import visualize_feature
from pellucid.errors import PellucidError, SpecError

UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class Commands(TyperGroup):
    """All commands; turns what goes wrong on purpose into a line and an exit code."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """Run a command and leave with its exit code; unforeseen errors keep their traceback."""
        given = list(sys.argv[1:] if args is None else args)
        options["standalone_mode"] = False
        try:
            code = super().main(given, *rest, **options)
        except UsageError as error:
            problem: PellucidError = SpecError(_usage(error))
        except PellucidError as error:
            problem = error
        else:
            sys.exit(code if isinstance(code, int) else 0)
        output.error(problem, as_json="--json" in given)
        sys.exit(BAD_INPUT)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C ends in one line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            output.note("stopped by Ctrl-C", "warning")
            raise typer.Exit(INTERRUPTED) from None

    def get_help_option(self, ctx: Any) -> Any:
        """Give the option a value where it is not given; typer would load pydantic to find one."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options."""
        commands = [
            (name, command.get_short_help_str(100)) for name, command in self.commands.items()
        ]
        options = [parameter.get_help_record(ctx) for parameter in self.get_params(ctx)]
        write_groups({"Commands": commands, "Options": [o for o in options if o]}, formatter)


def _usage(error: Any) -> str:
    """A usage error in one line, with the command that tells more."""
    where = error.ctx.command_path if error.ctx else "pellucid"
    message = " ".join(error.format_message().split())
    stop = "" if message.endswith((".", "?")) else "."
    return f"{message}{stop} See '{where} --help'."


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        output.answer(f"pellucid {version('pellucid')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    name="pellucid",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": GREATEST_WIDTH,
    },
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback(invoke_without_command=True)
def pellucid(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Fine-tune any deep-learning model, and see what it learned, why it decides, where it fails.

    MODEL is timm:NAME, torchvision:NAME, hf:NAME, bundled:NAME, python:FILE:FUNCTION or run:DIR.
    DATA is folder:DIR, table:FILE, hf:NAME or bundled:NAME.
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


for command in (
    load,
    finetune,
    evaluate,
    explain,
    inspect,
    visualize_feature,
    methods,
    benchmark_methods,
    compare,
    report,
    runs,
    studio,
    demo,
):
    app.command(cls=Command)(command)
