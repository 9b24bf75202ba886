"""Every error, reason and note that reaches the page has its Chinese."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
from tests.studio.phrases import WEB, missing
from tests.studio.test_phrases import Pictures, picture_model, recurrent
from torch import Tensor

from pellucid import plugins
from pellucid.attribution.attribute import open_call, run
from pellucid.attribution.registry import GROUP, find_method
from pellucid.errors import PellucidError
from pellucid.model import Inputs, Model

PACKAGE = WEB.parents[2]
# Where errors are made that can reach the page; the command line and reports have their own.
PLACES_OF_ERRORS = (
    "analysis", "attribution", "data", "graph", "inside", "model", "plugins.py", "result", "studio",
    "training", "views/encoding.py", "workspace",
)  # fmt: skip
# Errors that are not PellucidErrors, but whose words become those of one, or of an answer.
OTHERS = {"HTTPException", "Refusal", "UnsafeName"}
# What only the command line can cause.
ELSEWHERE = {"studio/serve.py"}
SENTENCE = "There are none."
# What a place holds, by file and by how it is written in Python; anywhere else "Sample" or "3".
PLACES = {
    r".*: closest\(.*": "Closest: 'a', 'b'.",
    r".*: PLURALS\[.*": "pictures",
    r".*: ' and '.join.*PLURALS\[.*": "pictures and texts",
    r".*\.describe\(\)": "arrays of shape (3, 4)",
    r".*\.summary\(\)": "3 skipped (2 × empty file, 1 × cannot be decoded)",
    r".*\.summary\(\)\.capitalize\(\)": "No problems found",
    r".*: INSTEAD\[.*": SENTENCE,
    r".*: EVERY\[.*": "every value",
    r".*: EXPECTED": "expected the Zarr folder that `result.save(path)` writes",
    r".*: self\.why": SENTENCE,
    r"attribution/attention/matrices.py: reason": SENTENCE,
    r"attribution/attribute.py: error": "the model's output has no gradient with respect to its input.",
    r"data/delimited.py: where": " (line 3)",
    r"data/folder.py: hint": " It holds tables; open them with table:Sample.",
    r"inside/choosing.py: (error|near)": SENTENCE,
    r"inside/features/aims.py: room": "3 rows and 4 columns, counted from 0",
    r"inside/features/objectives.py: str\(error\).*": SENTENCE,
    r"inside/features/settings.py: expected": "more than 0",
    r"inside/weights/tensors.py: why": " (fc.weight holds int64, not floating-point numbers)",
    r"model/source.py: begins": "has no weights",
    r"model/torchvision.py: problem": "is unknown",
    r"model/weights.py: what": "does not exist",
    r"studio/asking/predicting.py: 'a text' if.*": "a picture",
    r"studio/workers/worker.py: how": "with code 3",
    r"training/nonfinite.py: ' '\.join.*": "(1) fp16 overflows above 65,504: use bf16 or fp32.",
}

SAMPLES = [
    "'vargrad' needs gradients, but the model's output has no gradient: part of its forward pass cannot be differentiated, or is under no_grad. Methods that work without: 'lime', 'rise'.",
    "'deeplift' is not defined for the operator 'aten.topk.default' in layer 'top': it has no rule there. 'integrated_gradients' and 'occlusion' work without rules for operators; a rule can be added to the table in pellucid.graph.propagation.",
    "'lrp' needs the model's operators. Net has no graph of operators. Net cannot be traced: UserError: Detected mutation. Its call cannot be watched either: it takes numbers out of tensors and goes on with them elsewhere. Methods that only call the model work: 'occlusion', 'integrated_gradients'.",
    "methods of attention are not defined for Net: no softmax attention was seen in it. If it has some, load it with plain PyTorch attention (in transformers: attn_implementation=\"sdpa\"), and do not compile it. 'integrated_gradients' and 'occlusion' need no attention.",
    "methods of attention are not defined for Net: the 50 tokens of its attention are no grid over the picture. 'grad_cam', 'integrated_gradients' and 'occlusion' need no attention.",
    "cats/1.png: not a picture, or its header is damaged",
    "line 3: 2 values, where the header has 3",
    "lines 3 to 5: a value of over 1,000,000 characters; is a quote not closed?",
    "none of what was uploaded can be used: a.txt: neither a picture nor a table (.csv, .tsv); b.png: empty file. Expected pictures, in one folder for each class if they have labels, or a table (.csv, .tsv) of texts.",
    "what was uploaded cannot be used as data: films: it holds no usable row: no problems found. Expected rows of text and label.",
    "folder:cats: none of its 3 pictures can be read: 2 skipped (1 × empty file, 1 × cannot be decoded); 1 left out (1 × has no pictures).",
    "the data has classes that the model does not know. Only in the data: 'cat', 'dog' and 3 more. Only in the model: none (some names occur twice). Rename the classes of one side so that they agree, leave the unknown classes out of the data, or fine-tune the model on these classes first.",
    "weights.safetensors does not fit ResNet:\n  2 missing: 'fc.weight', 'fc.bias'\n  1 unexpected: 'head.weight' (nearest in the model: 'fc.weight')\n  1 of another shape: 'conv.weight' is (3, 3), expected (6, 3)\nGive weights of this very architecture and number of classes.",
    "the weights are random: nothing was loaded",
    "the prefix 'module.' of all names was dropped",
    "weights were converted from float16 to float32",
    "weights read from 'state_dict'",
    "before training: size and normalization are unknown; ImageNet's are assumed",
    "before training: untrained, since the weights lack it: fc.weight, fc.bias. Fine-tune before you use the answers",
    "there is no image processor: ImageNet's normalization is assumed",
    "ViTImageProcessor resizes in a way of its own, which is followed roughly",
    "timm's crop mode 'border' is not followed exactly",
    "timm's interpolation 'random' is replaced by bicubic",
    "texts are padded with '</s>': there is no padding token",
    "model.py has changed since the run",
    "timm is needed to load timm:vit_tiny, and is not installed. Install it with: pip install 'pellucid[timm]'",
    "peft is needed for the strategy 'lora', and is not installed. Install it with: pip install 'pellucid[lora]'",
    "Unknown method 'grad_cma'. Closest: 'grad_cam'.",
    "Nothing lies at its place any more.",
    "It lies outside the workspace; start the studio with --also FOLDER to open it.",
    "The studio was closed before this was done. Retry it; a training goes on where it was.",
    "interrupted by the user",
    "this failed unexpectedly (KeyError: 'a'). The studio's terminal tells more; report it if it happens again.",
    "The record of this run is damaged or incomplete (KeyError: 'config'), so there is no summary. Its curves and results are shown as far as they can be read.",
    "this request is not as expected: body.limit: Input should be less than 3. /api/openapi.json tells what is.",
    "something unforeseen went wrong in the studio; its terminal tells what. Reload the page; if it happens again, report what the terminal says.",
    "The studio does not answer. It may have been stopped.",
    "The server answered 502 Bad Gateway.",
    "training head: loss 0.412",
    "frozen part, train",
    "Trying methods: measuring",
    "'a.zip' is a file of an unknown kind, and names no source of data. Expected folder:…, an existing folder, or a file ending in .csv, .tsv.",
    "w.bin is neither safetensors nor a checkpoint of torch.save, but something that begins with b'abc'. Save `model.state_dict()` with a current torch and try again.",
    "w.bin is a pickle that needs more than tensors: os.system. Reading it could run any code. If you trust where it comes from, convert it once, where it can do no harm:",
    "'vgg' names no model: the scheme 'vg' is unknown. Closest: 'hf'. For example: 'torchvision:resnet18'.",
    "cats: this folder holds neither; expected a run (a folder with run.json) or a saved result (a .zarr folder). 'pellucid runs' lists the runs of a workspace.",
    "this job has ended already: it is done.",
    "this job is running; only one that was not done is done again.",
    "this request is refused: it comes from http://a.b. Only the studio's own pages may ask.",
    "the loss is not finite at step 3. Samples in the batch: a, b and 4 more. Likely causes: (1) 3 weights are not finite already, first fc.weight: an earlier step was too large, lower the learning rate. (2) the learning rate 3 is too high for this model: try a tenth of it, a longer warm-up, or a gradient clip. The last checkpoint is kept; change a setting and start a new run from it.",
]  # fmt: skip


@dataclass(frozen=True)
class Message:
    """What an error says: words, and by turns with them its places, as written in Python."""

    file: str
    line: int
    parts: tuple[str, ...]

    def missing(self) -> list[str]:
        """Sentences without Chinese. Lines further in are code or names of files."""
        filled = [re.sub(r"\n +.*", "", self._filled(sample)) for sample in ("Sample", "3")]
        return min(map(missing, filled), key=len)

    def _filled(self, otherwise: str) -> str:
        return "".join(
            self._sample(part, otherwise) if place % 2 else part
            for place, part in enumerate(self.parts)
        )

    def _sample(self, source: str, otherwise: str) -> str:
        place = f"{self.file}: {source}"
        found = (sample for known, sample in PLACES.items() if re.fullmatch(known, place))
        return next(found, otherwise)


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
                    if " " in "".join(parts):
                        yield Message(str(path.relative_to(PACKAGE)), node.lineno, parts)


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


@pytest.mark.parametrize("place", PLACES_OF_ERRORS)
def test_errors_speak_chinese(place: str) -> None:
    files = sorted((PACKAGE / place).rglob("*.py")) or [PACKAGE / place]
    told = [each for path in files for each in messages(path) if each.file not in ELSEWHERE]
    without = [f"{each.file}:{each.line}: {lack}" for each in told for lack in each.missing()]
    assert told
    assert not without, "\n".join(without)


@pytest.mark.parametrize("text", SAMPLES)
def test_reasons_and_notes_speak_chinese(text: str) -> None:
    """What helpers put together, of which no error's message tells the words."""
    assert missing(text) == []


class Undifferentiable(Pictures):
    """Answers without a gradient."""

    def forward(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(pixels)


class Branching(Pictures):
    """Cannot be traced: what it does depends on numbers in the picture."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels * float(pixels.mean().item() > 0))


def of_pictures(module: Pictures) -> tuple[Model, Inputs]:
    model = picture_model()
    model.module = module.eval()
    return model, {"pixels": torch.rand(2, 3, 16, 16)}


def of_arrays() -> tuple[Model, Inputs]:
    model, data = recurrent()
    return model, model.prepare([data.read(index) for index in range(2)])


# Models, and the families of methods that they are no good for.
REFUSING: dict[str, tuple[Callable[[], tuple[Model, Inputs]], set[str]]] = {
    "without a gradient": (lambda: of_pictures(Undifferentiable()), {"gradient", "path", "cam"}),
    "not traceable": (lambda: of_pictures(Branching()), {"propagation", "attention"}),
    "recurrent": (of_arrays, {"attention", "cam", "propagation"}),
}


@pytest.mark.parametrize("kind", REFUSING)
def test_refusals_of_methods_speak_chinese(kind: str) -> None:
    make, families = REFUSING[kind]
    refused: dict[str, str] = {}
    with open_call(*make(), "predicted") as (call, _):
        for method in map(find_method, plugins.names(GROUP)):
            if method.card.family in families:
                try:
                    run(method, call, {})
                except PellucidError as error:
                    refused[method.card.name] = str(error)
    assert len(refused) > 3
    assert {name: lack for name, text in refused.items() if (lack := missing(text))} == {}
