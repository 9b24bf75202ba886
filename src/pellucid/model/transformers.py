"""Classifiers of Hugging Face, for pictures and for texts: `hf:NAME` or `hf:FOLDER`."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pellucid.errors import ModelError, UntrustedError, sentence
from pellucid.model.inputs import Input, TextInput
from pellucid.model.processor import image_input
from pellucid.model.protocol import Model
from pellucid.model.request import LoadRequest
from pellucid.plugins import require

IMAGES = "ImageClassification"
TEXTS = "SequenceClassification"
LONGEST = 512
PROCESSORS = ("preprocessor_config.json", "processor_config.json")


def load(rest: str, request: LoadRequest) -> Model:
    """Open an image or text classifier from the hub, the cache, or a folder.

    A bare encoder gets a fresh head, which the notes tell. Raises ModelError for what cannot be
    found, reached or classified with; UntrustedError for a repository with code of its own, unless
    `trust` is set; MissingDependency without transformers.
    """
    transformers = require("transformers", extra="transformers", why=f"to load hf:{rest}")
    home = _home(rest, request)
    with _quiet(transformers), _failures(rest):
        config = transformers.AutoConfig.from_pretrained(home, trust_remote_code=request.trust)
        family = _family(transformers, config, rest)
        auto = getattr(transformers, f"AutoModelFor{family}")
        module, notes = _build(auto, home, config, request)
        describe = _describe_pictures if family == IMAGES else _describe_texts
        input_, more = describe(transformers, home, module, request)
    return Model(
        module=module,
        source=f"hf:{rest}",
        input=input_,
        labels=tuple(config.id2label[index] for index in range(config.num_labels)),
        device=request.device,
        architecture={"source": "hf", "name": rest},
        notes=(*request.notes, *notes, *more),
    )


def _home(rest: str, request: LoadRequest) -> str:
    """Find where to read from: a run's folder, a folder, or a name on the hub."""
    folder = request.folder or Path(rest).expanduser()
    if folder.is_dir():
        if (folder / "config.json").is_file():
            return str(folder)
        raise ModelError(
            f"{folder} has no config.json, so it holds no Hugging Face model; expected what "
            "save_pretrained writes."
        )
    if rest.startswith((".", "/", "~")) or rest.count("/") > 1:
        raise ModelError(f"there is no folder {rest}; expected one, or a name like OWNER/NAME.")
    return rest


def _family(transformers: ModuleType, config: Any, rest: str) -> str:
    """Decide between pictures and texts: by the architecture saved, else by what its type can."""
    names = " ".join(config.architectures or ())
    remote = getattr(config, "auto_map", None) or {}
    known = {
        IMAGES: transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING,
        TEXTS: transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    }
    able = [f for f in known if type(config) in known[f] or f"AutoModelFor{f}" in remote]
    if not able:
        raise ModelError(
            f"hf:{rest} is of type {config.model_type!r}, which classifies neither pictures nor "
            "texts. Choose an image or text classifier, or wrap the module with pellucid.wrap."
        )
    return next((family for family in able if f"For{family}" in names), able[0])


def _build(auto: Any, home: str, config: Any, request: LoadRequest) -> tuple[Any, tuple[str, ...]]:
    """Build the module in float32; tell which of its layers no weights were found for."""
    if not request.pretrained:
        module = auto.from_config(config, trust_remote_code=request.trust)
        return module.float(), ()
    module, report = auto.from_pretrained(
        home, config=config, trust_remote_code=request.trust, output_loading_info=True
    )
    untrained = sorted(report["missing_keys"])
    if not untrained:
        return module.float(), ()
    shown = ", ".join(untrained[:4]) + (", …" if len(untrained) > 4 else "")
    note = f"untrained, since the weights lack it: {shown}. Fine-tune before you use the answers"
    return module.float(), (note,)


def _describe_pictures(
    transformers: ModuleType,
    home: str,
    module: Any,
    request: LoadRequest,
) -> tuple[Input, tuple[str, ...]]:
    if request.folder:
        return image_input(None, module.config)[0], ()
    if Path(home).is_dir() and not any(Path(home, name).is_file() for name in PROCESSORS):
        return image_input(None, module.config)
    auto = transformers.AutoImageProcessor
    processor = auto.from_pretrained(home, trust_remote_code=request.trust)
    return image_input(processor, module.config)


def _describe_texts(
    transformers: ModuleType,
    home: str,
    module: Any,
    request: LoadRequest,
) -> tuple[Input, tuple[str, ...]]:
    source = request.folder / "tokenizer" if request.folder else home
    tokenizer = transformers.AutoTokenizer.from_pretrained(source, trust_remote_code=request.trust)
    notes: tuple[str, ...] = ()
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise ModelError(
                f"the tokenizer of {home} has no padding token and no end token, so texts cannot be put "
                "into one batch. Set pad_token in the tokenizer's folder."
            )
        tokenizer.pad_token = tokenizer.eos_token
        notes = (f"texts are padded with {tokenizer.eos_token!r}: there is no padding token",)
    if module.config.pad_token_id is None:
        module.config.pad_token_id = tokenizer.pad_token_id
    positions = getattr(module.config, "max_position_embeddings", None) or LONGEST
    longest = min(LONGEST, tokenizer.model_max_length, positions)
    return TextInput(tokenizer=tokenizer, max_length=longest), notes


@contextmanager
def _failures(rest: str) -> Iterator[None]:
    """Turn what transformers raises into advice."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise UntrustedError(
            f"hf:{rest} keeps its weights in a pickle that needs code, which is not run. Use a "
            "version with safetensors, or convert the file where it can do no harm."
        ) from error
    except (ImportError, OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip()
        if "trust_remote_code" in reason:
            raise UntrustedError(
                f"hf:{rest} comes with code of its own, which would run. If you trust it, pass "
                "trust=True (--trust on the command line)."
            ) from error
        raise ModelError(
            f"hf:{rest} cannot be opened: {sentence(reason.partition(chr(10))[0])} Check the name "
            "and the network; offline, give a folder that save_pretrained wrote, and set "
            "HF_HUB_OFFLINE=1."
        ) from error


@contextmanager
def _quiet(transformers: ModuleType) -> Iterator[None]:
    """Keep transformers from printing what the notes tell; progress stays on a terminal."""
    logging = transformers.utils.logging
    verbosity, shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()
