"""What a method is given: one score per sample, as a function of the tensor that is explained.

The score is the logit of the target class, before softmax: probabilities mix in all other
classes, and their gradients fade where the model is sure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.data import InputKind
from pellucid.errors import LayerError, MethodError, closest
from pellucid.model import Inputs, Model, call

Choose = Callable[[Tensor, Tensor], Tensor]
UNKNOWN = -1
EVERY: dict[InputKind, str] = {
    "image": "every pixel",
    "text": "every token",
    "array": "every value",
}


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """What a method returns.

    `values` have the shape of the explained tensor, of one channel of it (n, 1, y, x), of a
    picture's plane (n, y, x), or of the tokens (n, tokens). `resolution` says in words how fine
    they really are. `completeness_error` (n,) is relative, and only for methods that promise
    completeness.
    """

    values: Float[Tensor, " n *shape"]
    resolution: str
    layer: str = ""
    completeness_error: Float[Tensor, " n"] | None = None


@final
class Call:
    """A model's target logits as a function of one of its inputs, in bounded memory.

    `explained` (n, …) holds pixels, features or token embeddings; `inputs` everything that the
    model is fed, `name` the one that is explained. Methods ask for `scores` or `gradients` at
    points near `explained`: row i of the points belongs to sample `rows[i]`. No pass should see
    more than `max_batch` rows. `forwards` and `backwards` count the passes of each sample.

    `choose(logits, rows)` gives the class to explain. With `embedding`, its output is explained in
    place of the token indices. Lives inside `frozen`, with inputs on the model's device.
    """

    def __init__(
        self,
        model: Model,
        inputs: Inputs,
        choose: Choose,
        *,
        embedding: nn.Module | None = None,
        max_batch: int = 32,
    ) -> None:
        self.model, self.inputs, self.max_batch = model, inputs, max_batch
        self.name = explained_input(model, inputs)
        self.kind = kind_of(inputs[self.name])
        raw = inputs[self.name].detach()
        self._choose, self._embedding = choose, embedding
        self.explained = self.embed(raw) if embedding else raw
        self.size = len(raw)
        self.forwards, self.backwards = torch.zeros(2, self.size, dtype=torch.int64)
        self._logits = torch.empty(0)
        self._targets = torch.full((self.size,), UNKNOWN, device=raw.device)

    def chunks(self, total: int) -> Iterator[Int[Tensor, " m"]]:
        """Split 0 … total - 1 into pieces of at most `max_batch`."""
        return iter(torch.split(torch.arange(total, device=self.explained.device), self.max_batch))

    def embed(self, indices: Int[Tensor, "n tokens"]) -> Float[Tensor, "n tokens width"]:
        """Embed token indices as the model does."""
        assert self._embedding is not None
        embedded: Tensor = self._embedding(indices).detach()
        return embedded

    def logits(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, "m classes"]:
        """Run the model once at a copy of `points`."""
        self.forwards += torch.bincount(rows.cpu(), minlength=self.size)
        inputs = {name: _rows(tensor, rows, self.size) for name, tensor in self.inputs.items()}
        points = points.clone()
        if self._embedding is None:
            return _per_sample(call(self.model.module, inputs | {self.name: points}), len(rows))
        with intercepted(self._embedding, lambda _: points):
            return _per_sample(call(self.model.module, inputs), len(rows))

    def scores(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m"]:
        """Target logits at `points`, without gradients."""
        targets = self.targets[rows]
        with torch.no_grad():
            return _take(self.logits(points, rows), targets)

    def gradients(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m *shape"]:
        """Gradients of the target logits with respect to `points`."""
        targets = self.targets[rows]
        leaf = points.detach().requires_grad_()
        return self._backward(self.logits(leaf, rows), targets, leaf, rows)

    def at_layer(
        self, layer: str, rows: Int[Tensor, " m"]
    ) -> tuple[Float[Tensor, " m *shape"], Float[Tensor, " m *shape"]]:
        """Output of a layer for the samples themselves, and the target logits' gradients there.

        The backward pass stops at the layer. What comes after it works on a copy, so that an
        in-place operation cannot change what is returned. Where a layer is called more than once,
        its last call counts.
        """
        leaves: list[Tensor] = []

        def cut(output: Tensor) -> Tensor:
            leaves.append(output.detach().clone().requires_grad_())
            return leaves[-1].clone()

        with intercepted(find_layer(self.model.module, layer), cut):
            logits = self.logits(self.explained[rows], rows)
        if not leaves:
            raise LayerError(f"layer {layer!r} gives no tensor in a prediction. Name another one.")
        self._observe(logits.detach(), rows)
        gradient = self._backward(logits, self._targets[rows], leaves[-1], rows)
        return leaves[-1].detach(), gradient

    @property
    def own_logits(self) -> Float[Tensor, "n classes"]:
        """Logits of the samples themselves."""
        self._observe_all()
        return self._logits

    @property
    def targets(self) -> Int[Tensor, " n"]:
        """The class that is explained, for each sample."""
        self._observe_all()
        return self._targets

    @property
    def own_scores(self) -> Float[Tensor, " n"]:
        """Target logits of the samples themselves."""
        return _take(self.own_logits, self._targets)

    def _observe_all(self) -> None:
        unseen = (self._targets == UNKNOWN).nonzero()[:, 0]
        for rows in torch.split(unseen, self.max_batch) if len(unseen) else ():
            with torch.no_grad():
                self._observe(self.logits(self.explained[rows], rows), rows)

    def _observe(self, logits: Tensor, rows: Tensor) -> None:
        """Keep the first logits that are seen of a sample, and choose its target by them."""
        new = self._targets[rows] == UNKNOWN
        rows, logits = rows[new], logits[new]
        broken = rows[~logits.isfinite().all(1)].tolist()
        if broken:
            raise MethodError(
                f"the model's output is not finite (NaN or infinite) for samples {broken}. "
                "Check its weights and inputs."
            )
        if not len(self._logits):
            self._logits = logits.new_zeros(self.size, logits.shape[1])
        self._logits[rows] = logits
        self._targets[rows] = self._choose(logits, rows)

    def _backward(
        self, logits: Tensor, targets: Tensor, leaf: Tensor, rows: Tensor
    ) -> Float[Tensor, " m *shape"]:
        if not logits.requires_grad:
            raise MethodError(
                "the model's output has no gradient: part of its forward pass cannot be "
                "differentiated, or is under no_grad. Use a method without gradients: 'occlusion'."
            )
        self.backwards += torch.bincount(rows.cpu(), minlength=self.size)
        score = _take(logits, targets).sum()
        (found,) = torch.autograd.grad(score, leaf, materialize_grads=True)
        return found


@contextmanager
def frozen(model: Model) -> Iterator[None]:
    """Evaluate a model with gradients for its inputs alone; put everything back afterwards.

    Works inside the caller's `no_grad` and `inference_mode` too.
    """
    if any(parameter.is_inference() for parameter in model.module.parameters()):
        raise MethodError(
            "the model's weights were made inside torch.inference_mode, which rules out gradients. "
            "Build the model outside of it."
        )
    trainable = [p for p in model.module.parameters() if p.requires_grad]
    with torch.inference_mode(mode=False), torch.enable_grad(), model.evaluating():
        try:
            for parameter in trainable:
                parameter.requires_grad = False
            yield
        finally:
            for parameter in trainable:
                parameter.requires_grad = True


@contextmanager
def intercepted(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replace what a module returns, or the first tensor of a tuple, inside the block."""

    def hook(_module: nn.Module, _arguments: object, output: object) -> object:
        if isinstance(output, tuple) and isinstance(output[0], Tensor):
            return (change(output[0]), *output[1:])
        return change(output) if isinstance(output, Tensor) else output

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def find_layer(module: nn.Module, name: str) -> nn.Module:
    """Find a layer by its dotted name. Raises LayerError with the nearest names."""
    layers: dict[str, nn.Module] = {
        known: layer for known, layer in module.named_modules() if known
    }
    if name not in layers:
        raise LayerError(
            f"layer {name!r} is not in {type(module).__name__}. {closest(name, layers)}"
        )
    return layers[name]


def explained_input(model: Model, inputs: Inputs) -> str:
    """Name the input that is explained: the model's own, else the only one that it can be."""
    own = getattr(model.input, "argument", "input_ids")
    if own in inputs:
        return own
    floating = [name for name, tensor in inputs.items() if tensor.is_floating_point()]
    for names in (["input_ids"] if "input_ids" in inputs else [], floating, list(inputs)):
        if len(names) == 1:
            return names[0]
    raise MethodError(
        f"the inputs {sorted(inputs)} leave open which one to explain. "
        "Give the model an input record whose `argument` names it."
    )


def kind_of(tensor: Tensor) -> InputKind:
    """Tell what a prepared tensor holds: token indices, pictures (n, c, h, w), or other arrays."""
    if tensor.dtype in (torch.int64, torch.int32):
        return "text"
    if not tensor.is_floating_point():
        raise MethodError(
            f"an input of type {tensor.dtype} was given; expected floating-point pixels or "
            "features, or int64 token indices."
        )
    return "image" if tensor.ndim == 4 else "array"


def _rows(tensor: Tensor, rows: Tensor, size: int) -> Tensor:
    return tensor[rows] if tensor.ndim and len(tensor) == size else tensor


def _take(logits: Tensor, targets: Tensor) -> Float[Tensor, " n"]:
    return logits.gather(1, targets[:, None])[:, 0]


def _per_sample(logits: Tensor, size: int) -> Float[Tensor, "n classes"]:
    table = logits[:, None] if logits.ndim == 1 else logits
    if table.ndim != 2 or len(table) != size:
        raise MethodError(
            f"the model returned {tuple(logits.shape)} for {size} samples; expected a row of "
            f"logits for each, ({size}, classes)."
        )
    return table
