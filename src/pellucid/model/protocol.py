"""Model: a module, how to feed it, and what its outputs mean."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.errors import ModelError, closest
from pellucid.model.inputs import Input, Inputs
from pellucid.result import ModelIdentity


@dataclass(kw_only=True)
class Model:
    """An `nn.Module` with its input, task and labels.

    `labels` name the classes in the order of the logits; empty if unknown. `head` is the name of
    the layer that makes the logits; found by a dry run when empty (`pellucid.model.head`).
    `architecture` is what a run keeps so that `load` can build the module again (the source's own
    record); empty for a module that was wrapped. `notes` say what was noticed while loading.
    """

    module: nn.Module
    source: str
    input: Input
    labels: tuple[str, ...] = ()
    task: str = "classification"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    head: str = ""
    run: str = ""
    architecture: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        """Prepare raw samples as one batch, on the CPU."""
        return self.input.prepare(raws)

    def logits(self, inputs: Inputs) -> Tensor:
        """Run the module on prepared inputs: (n, classes). Mode and gradients are the caller's."""
        return call(self.module, {name: t.to(self.device) for name, t in inputs.items()})

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[Model]:
        """Put every module in eval mode inside the block; restore each one's mode afterwards."""
        modes = [(module, module.training) for module in self.module.modules()]
        self.module.eval()
        try:
            yield self
        finally:
            for module, mode in modes:
                module.training = mode

    def predict(self, raws: Sequence[Any]) -> Tensor:
        """Class probabilities (n, classes) of raw samples, on the CPU in float32."""
        with self.evaluating(), torch.inference_mode():
            return self.logits(self.prepare(raws)).float().softmax(-1).cpu()

    def label_index(self, label: str | int) -> int:
        """Index of a class given by label or index. Raises ModelError with the nearest labels."""
        if isinstance(label, str) and label in self.labels:
            return self.labels.index(label)
        text = str(label)
        if text.isdigit() and (not self.labels or int(text) < len(self.labels)):
            return int(text)
        if not self.labels:
            raise ModelError(
                f"{label!r} is not a class of {self.source}, whose classes have no names. "
                "Give an index."
            )
        raise ModelError(
            f"{label!r} is not a class of {self.source} ({len(self.labels)} classes). "
            f"{closest(text, self.labels)}"
        )

    @property
    def identity(self) -> ModelIdentity:
        """Spec, run, and SHA-256 over names, dtypes, shapes and values of parameters and buffers."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.module.state_dict().items()):
            if not isinstance(tensor, Tensor):
                continue
            digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
            raw = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
            digest.update(raw.numpy().data)
        return ModelIdentity(source=self.source, weights=digest.hexdigest()[:16], run=self.run)

    def __str__(self) -> str:
        weights = sum(p.numel() for p in self.module.parameters())
        trainable = sum(p.numel() for p in self.module.parameters() if p.requires_grad)
        shown = ", ".join(self.labels[:6]) + (", …" if len(self.labels) > 6 else "")
        lines = [
            f"{self.source}",
            (
                f"  architecture  {type(self.module).__name__}, {weights:,} parameters "
                f"({trainable:,} trainable)"
            ),
            f"  input         {self.input.describe()}",
            f"  task          {self.task}",
            f"  labels        {len(self.labels)}: {shown}"
            if self.labels
            else "  labels        unknown",
            f"  device        {self.device}",
        ]
        lines += [f"  note          {note}" for note in self.notes]
        return "\n".join(lines)

    __repr__ = __str__


def call(module: nn.Module, inputs: Inputs) -> Tensor:
    """Call a module with named inputs ("" is the first positional one); return its logits."""
    named = {name: tensor for name, tensor in inputs.items() if name}
    positional = [inputs[""]] if "" in inputs else []
    return as_logits(module(*positional, **named))


def as_logits(output: Any) -> Tensor:
    """Find the logits in what a module returns: a tensor, a ModelOutput, a dict or a tuple."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, dict) or hasattr(output, "logits"):
        for name in ("logits", "out", "output"):
            found = output.get(name) if isinstance(output, dict) else getattr(output, name, None)
            if isinstance(found, Tensor):
                return found
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        return output[0]
    raise ModelError(
        f"the model returned {type(output).__name__}; expected a tensor of logits, or a dict, "
        "output object or tuple that holds one. Wrap the model so that it returns its logits."
    )


def choose_device(device: str | torch.device) -> torch.device:
    """Turn "auto" into the best device there is: CUDA, then Apple's, then the CPU."""
    if str(device) != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
