"""Words from the pieces of tokenizers of each kind, made here from a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid.attribution.explain import explain
from pellucid.attribution.words import NO_WORD, merge_words, word_index, words_by_marks
from pellucid.model import Model
from pellucid.views import Tokens
from pellucid.views.wording import readable_tokens

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")


def fast(made: Any, **special: str) -> Any:
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)


def wordpiece() -> Any:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##happi", "##ly"]
    pieces += [",", "it", "'", "s", ".", "(", ")", "-"]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.decoder = tokenizers.decoders.WordPiece()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    return fast(made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")


def byte_level() -> Any:
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(["<pad>", "<s>", *letters])}
    merges = [("Ġ", "y"), ("Ġy", "e"), ("Ġye", "s"), ("h", "a"), ("Ã", "©")]
    vocabulary |= {a + b: len(vocabulary) + i for i, (a, b) in enumerate(merges)}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return fast(made, pad_token="<pad>", bos_token="<s>")


def sentencepiece() -> Any:
    scores = [("<unk>", 0.0), ("</s>", 0.0), ("▁", -5.0), ("▁un", -1.0), ("happi", -1.0)]
    scores += [("ly", -1.0), (",", -1.0), ("▁yes", -1.0)]
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(scores, unk_id=0))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    made.decoder = tokenizers.decoders.Metaspace()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return fast(made, unk_token="<unk>", eos_token="</s>")


class Slow:
    """A tokenizer that has no words of its own to tell."""

    is_fast = False

    def __init__(self, inner: Any) -> None:
        self.convert_ids_to_tokens = inner.convert_ids_to_tokens


def read(tokenizer: Any, *texts: str) -> tuple[list[str], list[int], list[bool]]:
    """Tokens, indices, and which of them are special, padded by one if it can be."""
    indices = tokenizer(*texts)["input_ids"]
    if tokenizer.pad_token_id is not None:
        indices = [*indices, tokenizer.pad_token_id]
    own = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return tokenizer.convert_ids_to_tokens(indices), indices, [i in own for i in indices]


def shown(tokenizer: Any, *texts: str, knows: bool = True) -> str:
    """The words as they are shown: special ones in brackets, the others each with a slash."""
    tokens, indices, special = read(tokenizer, *texts)
    index = word_index(tokenizer if knows else Slow(tokenizer), indices, special)
    assert ((index == NO_WORD) == np.array(special)).all()
    words = merge_words(tokens, np.ones(len(tokens)), special, index.tolist())
    pieces = []
    for (text, apart), added in zip(readable_tokens(words.text), words.special, strict=True):
        pieces.append(f"{' ' if apart else ''}{f'({text})' if added else text + '/'}")
    return "".join(pieces).strip()


@pytest.mark.parametrize("knows", [True, False])
def test_wordpiece(knows: bool) -> None:
    found = shown(wordpiece(), "unhappily, it's (it-un).", knows=knows)
    assert found == "([CLS]) unhappily/,/ it's/ (/it/-/un/)/./ ([SEP]) ([PAD])"


@pytest.mark.parametrize("knows", [True, False])
def test_two_texts_do_not_run_into_each_other(knows: bool) -> None:
    tokenizer = wordpiece()
    assert shown(tokenizer, "un", "it", knows=knows) == "([CLS]) un/ ([SEP]) it/ ([SEP]) ([PAD])"
    _, indices, special = read(tokenizer, "un", "it")
    assert word_index(tokenizer, indices, special).tolist() == [-1, 0, -1, 1, -1, -1]


@pytest.mark.parametrize("knows", [True, False])
def test_byte_level(knows: bool) -> None:
    found = shown(byte_level(), "haha, yes café's yes", knows=knows)
    assert found == "(<s>) haha/,/ yes/ café's/ yes/ (<pad>)"


@pytest.mark.parametrize("knows", [True, False])
def test_sentencepiece(knows: bool) -> None:
    tokenizer = sentencepiece()
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("unhappily, yes")["input_ids"])
    assert tokens == ["▁un", "happi", "ly", ",", "▁yes", "</s>"]
    # The tokenizer itself splits at spaces alone.
    expected = "unhappily,/ yes/ (</s>)" if knows else "unhappily/,/ yes/ (</s>)"
    assert shown(tokenizer, "unhappily, yes", knows=knows) == expected


@pytest.mark.parametrize(
    ("pieces", "numbers"),
    [
        (["it", "'", "s"], [0, 0, 0]),
        (["do", "##n", "'", "t", "go"], [0, 0, 0, 0, 1]),
        (["Ġdon", "'t", "Ġgo"], [0, 0, 1]),
        (["'", "s", "'"], [0, 1, 2]),
        (["a", "'", "b", "'"], [0, 1, 2, 3]),
        (["1", "'", "s"], [0, 1, 2]),
    ],
)
def test_contractions_are_one_word(pieces: list[str], numbers: list[int]) -> None:
    assert words_by_marks(pieces) == numbers


def test_an_unknown_word_is_a_word() -> None:
    assert shown(wordpiece(), "it xyz it").startswith("([CLS]) it/ [UNK]/ it/")


def test_values_of_a_word_are_added_up() -> None:
    words = merge_words(
        ["[CLS]", "un", "##happi", "##ly", "so", "[SEP]"],
        np.array([9.0, 1.0, 2.0, -0.5, 4.0, 7.0], dtype=np.float32),
        [True, False, False, False, False, True],
        [-1, 0, 0, 0, 1, -1],
    )
    assert words.text == ("[CLS]", "unhappily", "so", "[SEP]")
    assert words.values.tolist() == [9.0, 2.5, 4.0, 7.0]
    assert words.special == (True, False, False, True)


def test_special_tokens_side_by_side_stay_apart() -> None:
    words = merge_words(["a", "[PAD]", "[PAD]"], np.ones(3), [False, True, True], [0, -1, -1])
    assert words.text == ("a", "[PAD]", "[PAD]")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "##b", ",", "Ġc", "▁d", "[SEP]"]), st.floats(-4, 4)),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_gets_lost(pairs: list[tuple[str, float]]) -> None:
    tokens = [token for token, _ in pairs]
    values = np.array([value for _, value in pairs])
    special = [token == "[SEP]" for token in tokens]
    numbers = words_by_marks(tokens)
    words = merge_words(tokens, values, special, numbers)
    assert numbers[0] == 0
    assert set(np.diff(numbers)) <= {0, 1}
    assert words.values.sum() == pytest.approx(values.sum(), abs=1e-9)
    assert sum(words.special) == sum(special)
    letters = "".join(tokens).translate(str.maketrans("", "", "#Ġ▁"))
    assert "".join(words.text).translate(str.maketrans("", "", "#Ġ▁")) == letters


def test_an_explanation_carries_its_words(text_model: Model, tmp_path: Path) -> None:
    texts = ["good film a very bad film", "bad film"]
    found = explain(text_model, texts, methods=["attention", "attention_rollout"], batch_size=1)
    assert "word" in found.data.coords
    assert found.data["word"].values.tolist() == [
        [-1, 0, 1, 2, 3, 4, 5, -1],
        [-1, 0, 1, -1, -1, -1, -1, -1],
    ]
    view = found.views()[2]
    assert isinstance(view, Tokens)
    assert view.tokens == ("[CLS]", "bad", "film", "[SEP]")
    opened = pellucid.open(found.save(tmp_path / "texts"))
    assert opened.views()[2].tokens == view.tokens
    assert opened.data["word"].identical(found.data["word"])


def test_a_result_without_words_still_opens(text_model: Model, tmp_path: Path) -> None:
    found = explain(text_model, ["good film"], methods="occlusion")
    older = type(found)(data=found.data.drop_vars("word"), meta=found.meta)
    opened = pellucid.open(older.save(tmp_path / "older"))
    assert "word" not in opened.data
    assert opened.views()[0].tokens == ("[CLS]", "good", "film", "[SEP]")
    np.testing.assert_allclose(opened.views()[0].values, found.views()[0].values)


def test_special_tokens_do_not_set_the_scale(text_model: Model) -> None:
    found = explain(text_model, ["good film"], methods="attention")
    data = found.data.copy(deep=True)
    data["attribution"].values[0, 0] = [50.0, 1.0, 2.0, 30.0]
    view = type(found)(data=data, meta=found.meta).views()[0]
    assert isinstance(view, Tokens)
    assert view.limit == pytest.approx(2.0, rel=0.01)
    assert "Strongest: 'film', 'good'." in view.caption
