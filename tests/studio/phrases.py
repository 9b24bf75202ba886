"""The page's Chinese phrases, matched as its `lib/phrases.svelte.ts` matches them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

WEB = Path(__file__).resolve().parents[2] / "src/pellucid/studio/web/src"
PLACE = re.compile(r"\{([^{}]+)\}")
WITHIN = r"(?:(?![.!?] ).)+?"
NUMBER = r"(?:[<>]?[+−-]?[\d.,]+(?:e[+−-]?\d+)?(?:–[\d.,]+)?(?: ?%)?|–|−?∞)"
PATTERNS = {"": WITHIN, "*": WITHIN, "+": ".+?", "#": NUMBER}
WORDS = re.compile(r"[^\W\d_]{2}")


@cache
def catalogue() -> dict[str, str]:
    """All phrases of all files."""
    found: dict[str, str] = {}
    for path in sorted((WEB / "phrases/zh").rglob("*.json")):
        found |= json.loads(path.read_text("utf-8"))
    return found


class Template(NamedTuple):
    """A phrase with places: the longest of its own words, and which places stand for phrases."""

    pattern: re.Pattern[str]
    longest: str
    phrases: tuple[str, ...]


@cache
def templates() -> tuple[Template, ...]:
    """All phrases with places."""
    return tuple(
        Template(
            re.compile("".join(map(_part, enumerate(PLACE.split(key))))),
            max(PLACE.split(key)[::2], key=len),
            tuple(re.findall(r"\{\+(\w+)", key)),
        )
        for key in catalogue()
        if "{" in key
    )


def _part(numbered: tuple[int, str]) -> str:
    place, text = numbered
    if place % 2 == 0:
        return re.escape(text)
    if "|" in text:
        return f"(?:{'|'.join(map(re.escape, text.split('|')))})"
    name = text.lstrip("#+*")
    return f"(?P<{name}>{PATTERNS[text[: len(text) - len(name)]]})"


def is_known(text: str) -> bool:
    """Whether a text as a whole is a phrase, or needs no translation since it holds no words."""
    if text in catalogue() or not WORDS.search(text):
        return True
    return any(
        longest in text
        and (found := pattern.fullmatch(text))
        and all(is_known(found[name]) for name in phrases)
        for pattern, longest, phrases in templates()
    )


def missing(text: str) -> list[str]:
    """The sentences of a text that have no phrase, be it alone or with their neighbours."""
    if is_known(text):
        return []
    return [part for line in text.split("\n") for part in _missing_of_line(line.strip())]


def _missing_of_line(line: str) -> list[str]:
    sentences = re.split(r"(?<=[.!?]) ", line)
    found: list[str] = []
    start = 0
    while start < len(sentences):
        ends = range(len(sentences), start, -1)
        end = next((e for e in ends if is_known(" ".join(sentences[start:e]))), None)
        if end is None:
            found.append(sentences[start])
        start = end or start + 1
    return found
