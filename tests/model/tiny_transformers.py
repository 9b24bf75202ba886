"""Tiny Hugging Face models in folders, made without network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = ("[PAD]", "[UNK]", "[END]", "a", "fine", "dull", "film", "an", "example")


def tokenizer(**special: str) -> Any:
    """A tokenizer that knows nine words."""
    words = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", model_max_length=32, **special
    )


def bert_config(**changes: Any) -> Any:
    sizes = {
        "vocab_size": len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 32,
        "pad_token_id": 0,
    }
    return transformers.BertConfig(**(sizes | changes))


def bert(folder: Path, *, head: bool = True, **changes: Any) -> Path:
    """A BERT of one layer with 16 channels; without `head`, the bare encoder."""
    kind = transformers.BertForSequenceClassification if head else transformers.BertModel
    kind(bert_config(**changes)).save_pretrained(folder)
    tokenizer(pad_token="[PAD]").save_pretrained(folder)
    return folder


def gpt2(folder: Path) -> Path:
    """A GPT-2 of one layer, whose tokenizer has no padding token."""
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_positions=32, n_embd=16, n_layer=1, n_head=2, num_labels=3,
        bos_token_id=2, eos_token_id=2,
    )  # fmt: skip
    transformers.GPT2ForSequenceClassification(config).save_pretrained(folder)
    tokenizer(eos_token="[END]").save_pretrained(folder)
    return folder


def vit(folder: Path, *, processor: bool = True) -> Path:
    """A ViT of one layer for pictures of 32 × 32 pixels in three classes."""
    config = transformers.ViTConfig(
        image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, id2label={0: "cat", 1: "dog", 2: "cup"},
        label2id={"cat": 0, "dog": 1, "cup": 2},
    )  # fmt: skip
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    if processor:
        size = {"height": 32, "width": 32}
        transformers.ViTImageProcessor(size=size).save_pretrained(folder)
    return folder
