"""Every error, reason and note that reaches the page has its Chinese."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from tests.studio.phrases import WEB, missing

from pellucid.errors import PellucidError

PACKAGE = WEB.parents[2]
FOLDERS = ("analysis", "attribution", "data", "graph", "inside", "model", "result", "studio", "training", "workspace")  # fmt: skip
# Errors that are not PellucidErrors, but whose words become those of one, or of an answer.
OTHERS = {"HTTPException", "Refusal", "UnsafeName"}
# What a place holds, by how it is written in Python; "Sample" or "3" anywhere else.
PLACES = {
    r"closest\(": "Closest: 'a', 'b'.",
    r"PLURALS\[": "pictures",
    r".* and .*PLURALS\[": "pictures and texts",
    r".*\.describe\(\)": "arrays of shape (3, 4)",
    r"INSTEAD\[": "'integrated_gradients' and 'occlusion' need no attention.",
    r"EVERY\[": "every value",
    r".*\.summary\(\)$": "3 skipped (2 × empty file, 1 × cannot be decoded)",
    r".*summary\(\)\.capitalize\(\)": "No problems found",
}
SENTENCE = "There are none."


@dataclass(frozen=True)
class Message:
    """What an error says, with the sources of its places between braces."""

    where: str
    parts: tuple[str, ...]  # words and places by turns

    def filled(self, sample: str) -> str:
        """The message with something in each place."""
        return "".join(
            _sample(part, sample) if place % 2 else part for place, part in enumerate(self.parts)
        )

    def missing(self) -> list[str]:
        """Sentences without Chinese, whatever stands in the places."""
        found = [missing(self.filled(sample)) for sample in ("Sample", "3")]
        return min(found, key=len)


def _sample(source: str, otherwise: str) -> str:
    fitting = [sample for pattern, sample in PLACES.items() if re.match(pattern, source)]
    return fitting[-1] if fitting else otherwise


@cache
def error_names() -> set[str]:
    """Names of all classes of errors."""
    for module in ("pellucid.studio.problems", "pellucid.training.nonfinite"):
        importlib.import_module(module)
    found, names = [PellucidError], set(OTHERS)
    while found:
        kind = found.pop()
        names.add(kind.__name__)
        found += kind.__subclasses__()
    return names


def messages(path: Path) -> Iterator[Message]:
    """Messages of the errors that are made in a file, also by its helpers."""
    tree = ast.parse(path.read_text("utf-8"))
    returned = {
        each.name: [node.value for node in ast.walk(each) if isinstance(node, ast.Return)]
        for each in ast.walk(tree)
        if isinstance(each, ast.FunctionDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in error_names():
            for argument in node.args:
                helper = _name(argument.func) if isinstance(argument, ast.Call) else ""
                for said in [argument, *returned.get(helper, [])]:
                    parts = _parts(said)
                    if parts:
                        yield Message(f"{path.relative_to(PACKAGE)}:{node.lineno}", parts)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _parts(node: ast.AST | None) -> tuple[str, ...]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if not isinstance(node, ast.JoinedStr):
        return ()
    parts = [""]
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        elif isinstance(value, ast.FormattedValue):
            parts += [ast.unparse(value.value), ""]
    return tuple(parts)


@pytest.mark.parametrize("folder", FOLDERS)
def test_errors_speak_chinese(folder: str) -> None:
    files = sorted((PACKAGE / folder).rglob("*.py"))
    found = [message for path in files for message in messages(path)]
    without = [f"{message.where}: {lack}" for message in found for lack in message.missing()]
    assert found
    assert not without, "\n".join(without)
