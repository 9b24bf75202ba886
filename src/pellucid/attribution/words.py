"""Words from a tokenizer's pieces: which tokens make up a word, and what the word gets.

    word = the sum of its tokens

so that what adds up over tokens adds up over words. A fast tokenizer knows its words itself; of
others, the marks of their pieces tell:

| tokenizer | "unhappily, yes" | begins a word |
|---|---|---|
| WordPiece | un ##happi ##ly , yes | what has no ``##`` |
| byte-level BPE | un happily , Ġyes | what has a ``Ġ`` |
| SentencePiece | ▁un happi ly , ▁yes | what has a ``▁`` |

Punctuation is a word of its own, but for the apostrophe of "it's" and "don't", which tokenizers
cut into up to three. Tokens that the tokenizer added belong to no word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_WORD = -1
CONTINUES, BYTES, PIECES = "##", "Ġ", "▁"
OPENING, CLOSING, HYPHEN = frozenset("([{«“"), frozenset(",.;:!?…)]}%»”"), "-"
APOSTROPHES = frozenset("'’")
ENDINGS = frozenset({"s", "t", "d", "m", "re", "ve", "ll"})
"""What follows an apostrophe in one English word: it's, don't, we'll."""


@dataclass(frozen=True)
class Words:
    """Words and special tokens of one text in their order, with their summed values.

    `text` keeps the marks that say whether a space goes before it: ``Ġ`` or ``▁`` where there is
    one, or ``##`` where there is none, as the tokenizer's own pieces do.
    """

    text: tuple[str, ...]
    values: NDArray[np.float64]
    special: tuple[bool, ...]


def word_index(
    tokenizer: Any, indices: Sequence[int], special: Sequence[bool]
) -> NDArray[np.int64]:
    """Number of the word that each token of a text belongs to, from 0; −1 for special ones.

    `indices` are the token indices, `special` marks what the tokenizer added, padding included.
    The words are those of a fast tokenizer if it makes the same tokens of the text again, else
    those that the marks tell.
    """
    found = np.full(len(indices), NO_WORD, dtype=np.int64)
    first = 0
    for added, group in groupby(range(len(indices)), key=lambda place: bool(special[place])):
        places = list(group)
        if not added:
            run = [int(indices[place]) for place in places]
            words = _own_words(tokenizer, run)
            pieces = tokenizer.convert_ids_to_tokens(run)
            words = words_by_marks(pieces) if words is None else _contracted(pieces, words)
            found[places] = first + np.array(words)
            first = int(found[places[-1]]) + 1
    return found


def words_by_marks(tokens: Sequence[str]) -> list[int]:
    """Number of the word that each token belongs to, from 0, by the marks of its piece."""
    begins = _mark_of(tokens)
    word, words = -1, list[int]()
    for place, token in enumerate(tokens):
        fresh = token.startswith(begins) if begins else not token.startswith(CONTINUES)
        alone = _is_punctuation(token) or _is_punctuation(tokens[place - 1])
        word += fresh or alone or place == 0
        words.append(word)
    return _contracted(tokens, words)


def merge_words(
    tokens: Sequence[str],
    values: NDArray[np.floating[Any]],
    special: Sequence[bool],
    words: Sequence[int],
) -> Words:
    """Put the tokens of each word together and add up their values; special ones stay alone."""
    numbered = [
        (-1 - place if added else int(word))
        for place, (word, added) in enumerate(zip(words, special, strict=True))
    ]
    groups = [
        [place for place, _ in group]
        for _, group in groupby(enumerate(numbered), key=lambda pair: pair[1])
    ]
    mark = _mark_of([token for token, added in zip(tokens, special, strict=True) if not added])
    texts = [_joined([tokens[place] for place in group], mark) for group in groups]
    added = tuple(bool(special[group[0]]) for group in groups)
    return Words(
        text=tuple(_set_apart(texts, added, mark) if mark else _closed_up(texts, added)),
        values=np.array([np.sum(values[group], dtype=np.float64) for group in groups]),
        special=added,
    )


def _own_words(tokenizer: Any, run: list[int]) -> list[int] | None:
    """The words that a fast tokenizer itself finds in a run of tokens; None if it cannot tell."""
    if not getattr(tokenizer, "is_fast", False):
        return None
    text = tokenizer.decode(run, clean_up_tokenization_spaces=False)
    again = tokenizer(text, add_special_tokens=False, verbose=False)
    own = again.word_ids(0)
    if list(again["input_ids"]) != run or None in own:
        return None
    return [int(word) - int(own[0]) for word in own]


def _contracted(tokens: Sequence[str], words: Sequence[int]) -> list[int]:
    """Make one word of each contraction: what follows its first word is numbered anew."""
    joined, word = list[int](), -1
    for place in range(len(tokens)):
        same = place > 0 and words[place] == words[place - 1]
        word += not (same or _goes_on(tokens, place))
        joined.append(word)
    return joined


def _goes_on(tokens: Sequence[str], place: int) -> bool:
    """Whether a token is the apostrophe, or the end, of a word like "it's"."""
    token = tokens[place].removeprefix(CONTINUES)
    if token in APOSTROPHES:
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        return after in ENDINGS and _ends_in_letter(tokens, place)
    if token in ENDINGS:
        return place > 0 and tokens[place - 1] in APOSTROPHES and _ends_in_letter(tokens, place - 1)
    return token[:1] in APOSTROPHES and token[1:] in ENDINGS and _ends_in_letter(tokens, place)


def _ends_in_letter(tokens: Sequence[str], place: int) -> bool:
    """Whether the token before ends in a letter, or in bytes of one that is not ASCII."""
    last = tokens[place - 1][-1:] if place else ""
    return last.isalpha() or not last.isascii()


def _is_punctuation(token: str) -> bool:
    plain = token.removeprefix(CONTINUES).lstrip(BYTES + PIECES)
    return plain.isascii() and bool(plain) and not any(letter.isalnum() for letter in plain)


def _mark_of(tokens: Sequence[str]) -> str:
    """The mark that begins words in these tokens; "" where there is none, as in WordPiece."""
    marks = (mark for mark in (BYTES, PIECES) if any(token.startswith(mark) for token in tokens))
    return next(marks, "")


def _joined(pieces: Sequence[str], mark: str) -> str:
    """The text of a word from its pieces; the mark of its first one stays."""
    text = pieces[0] + "".join(piece.removeprefix(CONTINUES) for piece in pieces[1:])
    if mark != BYTES:
        return text
    return text[: text.startswith(BYTES)] + _decoded(text.removeprefix(BYTES))


def _decoded(text: str) -> str:
    """Undo byte-level BPE's way to write bytes as letters; other text stays as it is."""
    if not all(letter in BYTE_OF for letter in text):
        return text
    return bytes(BYTE_OF[letter] for letter in text).decode(errors="replace")


def _set_apart(texts: Sequence[str], special: Sequence[bool], mark: str) -> Iterator[str]:
    """Give special tokens, and what follows them, the mark of a space."""
    for place, text in enumerate(texts):
        apart = place > 0 and (special[place] or special[place - 1])
        yield mark + text if apart and not text.startswith(mark) else text


def _closed_up(texts: Sequence[str], special: Sequence[bool]) -> Iterator[str]:
    """Mark what no space goes before, since WordPiece does not say: brackets, commas, hyphens."""
    for place, text in enumerate(texts):
        before = texts[place - 1] if place and not special[place - 1] else ""
        joins = set(text) <= CLOSING or text == HYPHEN or before == HYPHEN or before in OPENING
        yield CONTINUES + text if joins and before and not special[place] else text


def _byte_letters() -> dict[str, int]:
    """The letters by which byte-level BPE writes bytes: printable ones as they are, others above."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(256 + place): byte for place, byte in enumerate(others)}


BYTE_OF = _byte_letters()
