"""How help is set: options in aligned groups, and at once, since rich takes long to load."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand

EXAMPLE = "Example: "
GREATEST_WIDTH = 100


class Command(TyperCommand):
    """A command whose help shows its options by group, and its example on a line of its own."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the paragraphs of the docstring; an example stays in one line, to be copied."""
        for paragraph in (self.help or "").split("\n\n"):
            formatter.write_paragraph()
            with formatter.indentation():
                if paragraph.startswith(EXAMPLE):
                    formatter.write(f"  {typer.style(paragraph, fg='green')}\n")
                else:
                    formatter.write_text(paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options under the names of their groups."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                row = (record[0].partition(" <")[0], record[1])
                groups.setdefault(_group(parameter), []).append(row)
        write_groups(groups, formatter)


def write_groups(groups: dict[str, list[tuple[str, str]]], formatter: Any) -> None:
    """Write (name, help) rows under the name of each group; all groups share their columns."""
    width = max(len(name) for rows in groups.values() for name, _ in rows)
    for group, rows in groups.items():
        with formatter.section(typer.style(group, bold=True)):
            formatter.write_dl(
                [(_styled(name.ljust(width)), _worded(text)) for name, text in rows], col_max=width
            )


def _group(parameter: Any) -> str:
    fallback = "Arguments" if parameter.param_type_name == "argument" else "Options"
    return getattr(parameter, "rich_help_panel", None) or fallback


def _styled(name: str) -> str:
    """Colour the option itself, not the word for its value."""
    return re.sub(r"--?[a-z][a-z-]*|^[a-z]+", lambda found: typer.style(found[0], fg="cyan"), name)


def _worded(text: str) -> str:
    """`[default: 10; x>=1]` in words."""
    return re.sub(r" {2,}\[", " [", re.sub(r"; x>=", ", at least ", text))
