"""Shape checks for the tensor code, and the data that some tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import torch
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

if TYPE_CHECKING:
    from pellucid.model import Model

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tests run side by side, one thread each; processes that they start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
# Recordings stay away from the user's, and are shared by tests and processes: tracing takes long.
if not os.environ.get("PELLUCID_TEST_CACHE"):
    os.environ["PELLUCID_TEST_CACHE"] = tempfile.mkdtemp(prefix="pellucid-recordings-")
    atexit.register(shutil.rmtree, os.environ["PELLUCID_TEST_CACHE"], ignore_errors=True)
os.environ["PELLUCID_CACHE"] = os.environ["PELLUCID_TEST_CACHE"]

# The hook finds its type checker by name; this one takes an int where a float is asked for.
checker = ModuleType("shape_checker")
checker.check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # type: ignore[attr-defined]
sys.modules[checker.__name__] = checker
# Checks take half as long again: of workers side by side, one makes them; a process alone does, too.
if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
    install_import_hook(["pellucid.attribution", "pellucid.graph"], "shape_checker.check")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SOFTWARE_GRAPHICS = "--enable-unsafe-swiftshader"  # WebGL without a graphics card
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data and weights that lie beside a developer's checkout; not part of the project."""
    if not SHARED.exists():
        pytest.skip(f"real data is not there: {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, one for all tests: Playwright allows one in a process."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    options = ["--no-sandbox", "--no-first-run", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*options, SOFTWARE_GRAPHICS]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def tiny_bert() -> Callable[..., Model]:
    """Make a BERT of few layers with a tokenizer of the given words, a mask only if it is one."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    from pellucid.model import Model, TextInput

    def make(words: Sequence[str], layers: int) -> Model:
        known = tokenizers.Tokenizer(
            tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]")
        )
        known.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        known.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        special = {f"{key}_token": f"[{key.upper()}]" for key in ("pad", "unk", "cls", "sep")}
        special |= {"mask_token": "[MASK]"} if "[MASK]" in words else {}
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=known, **special)
        torch.manual_seed(0)
        config = transformers.BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=layers, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=16, initializer_range=0.5,
        )  # fmt: skip
        return Model(
            module=transformers.BertForSequenceClassification(config),
            source="tiny-bert",
            input=TextInput(tokenizer=tokenizer),
            labels=("negative", "positive"),
        )

    return make
