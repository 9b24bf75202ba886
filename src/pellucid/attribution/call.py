"""What a method is given: one score per sample, as a function of the tensor that is explained.

The score is the logit of the target class, before softmax: probabilities mix in all other
classes, and their gradients fade where the model is sure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.attribution.explained import explained_input, kind_of
from pellucid.attribution.freezing import batch_norms_in_order, intercepted
from pellucid.attribution.memory import Budget, counting_bytes, out_of_memory
from pellucid.attribution.targets import Goal
from pellucid.data import InputKind
from pellucid.errors import LayerError, MethodError, NoGradientError
from pellucid.graph.addressing import find_layer
from pellucid.graph.graph import Graph
from pellucid.model import Inputs, Model, call

Parts = TypeVar("Parts", Tensor, tuple[Tensor, ...])
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
    completeness. `standard_error` has the values' shape, and is only for methods that sample.
    """

    values: Float[Tensor, " n *shape"]
    resolution: str
    layer: str = ""
    completeness_error: Float[Tensor, " n"] | None = None
    standard_error: Float[Tensor, " n *shape"] | None = None


@final
class Call:
    """A model's score as a function of one of its inputs, in bounded memory.

    `explained` (n, …) holds pixels, features or token embeddings; `inputs` everything that the
    model is fed, `name` the one that is explained. Methods ask for `scores` or `gradients` at
    points near `explained`: row i of the points belongs to sample `rows[i]`. A pass sees no more
    rows than `max_batch`, nor more than fit into `max_batch_bytes`; where memory runs out all the
    same, half as many are tried. `forwards` and `backwards` count the passes of each sample.

    What methods want at the samples themselves is computed once, in one pass if all of it was
    announced by `expect`. With `embedding`, its output is explained in place of the token
    indices. Lives inside `frozen`, with inputs on the model's device.
    """

    def __init__(
        self,
        model: Model,
        inputs: Inputs,
        goal: Goal,
        *,
        embedding: nn.Module | None = None,
        max_batch: int | None = None,
        max_batch_bytes: int | None = None,
    ) -> None:
        self.model, self.inputs = model, inputs
        self.name = explained_input(model, inputs)
        self.kind = kind_of(inputs[self.name])
        raw = inputs[self.name].detach()
        self._goal, self._embedding = goal, embedding
        self.explained = self.embed(raw) if embedding else raw
        self.size = len(raw)
        self.forwards, self.backwards = torch.zeros(2, self.size, dtype=torch.int64)
        self._budget = Budget(max_batch, max_batch_bytes, self.explained)
        self._logits = torch.empty(0)
        self._chosen = torch.empty(0)
        self._seen = torch.zeros(self.size, dtype=torch.bool, device=raw.device)
        self._expected: dict[str, None] = {}
        self._expects_gradients = False
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}
        self._own_gradients: Tensor | None = None

    def chunks(self, total: int, *, part: int | None = None) -> Iterator[Int[Tensor, " m"]]:
        """Split 0 … total - 1 into pieces that one pass can take.

        `part` is the bytes of a row where a pass computes only a part of the network.
        """
        rows = torch.arange(total, device=self.explained.device)
        return iter(torch.split(rows, self._rows_at_once(total, part=part)))

    def embed(self, indices: Int[Tensor, "n tokens"]) -> Float[Tensor, "n tokens width"]:
        """Embed token indices as the model does."""
        assert self._embedding is not None
        embedded: Tensor = self._embedding(indices).detach()
        return embedded

    @property
    def embedding(self) -> nn.Module | None:
        """The module whose output is explained in place of token indices; None elsewhere."""
        return self._embedding

    @cached_property
    def graph(self) -> Graph:
        """The model, traced to operators. Raises ModelError where it cannot be."""
        return Graph.of(self.model, self.inputs)

    def logits(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m *classes"]:
        """Run the model once at a copy of `points`."""
        self.forwards += torch.bincount(rows.cpu(), minlength=self.size)
        inputs = {name: _rows(tensor, rows, self.size) for name, tensor in self.inputs.items()}
        points = points.clone()
        alone = len(points) == 1 and torch.is_grad_enabled()
        in_order = batch_norms_in_order(self.model.module) if alone else nullcontext()
        with self._explaining_failure(inputs), in_order:
            if self._embedding is None:
                return self._per_sample(call(self.model.module, inputs | {self.name: points}), rows)
            with intercepted(self._embedding, lambda _: points):
                return self._per_sample(call(self.model.module, inputs), rows)

    def score(
        self, logits: Float[Tensor, " m *classes"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m"]:
        """The scalar that is explained, of given logits."""
        self._observe_all()
        return self._goal.score(logits, self._chosen[rows])

    def scores(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m"]:
        """Scores at `points`, without gradients."""
        self._observe_all()
        if not len(points):
            return self._logits.new_zeros(0)
        with torch.no_grad():
            return self._in_pieces(
                lambda piece: self.score(self.logits(points[piece], rows[piece]), rows[piece]),
                len(points),
            )

    def gradients(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m *shape"]:
        """Gradients of the scores with respect to `points`."""
        return self.scores_and_gradients(points, rows)[1]

    def scores_and_gradients(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " m *shape"]]:
        """Scores at `points` and their gradients there, from one pass."""
        self._observe_all()
        if not len(points):
            return self._logits.new_zeros(0), torch.zeros_like(points)

        def run(piece: Tensor) -> tuple[Tensor, ...]:
            leaf = points[piece].detach().requires_grad_()
            logits = self.logits(leaf, rows[piece])
            scores, (gradient,) = self._backward(logits, [leaf], rows[piece])
            return scores, gradient

        scores, gradients = self._in_pieces(run, len(points))
        return scores, gradients

    def expect(self, *, layers: Sequence[str] = (), gradients: bool = False) -> None:
        """Announce what methods will want at the samples themselves, so that one pass gives it."""
        self._expected |= dict.fromkeys(layers)
        self._expects_gradients |= gradients

    def own_gradients(self) -> Float[Tensor, " n *shape"]:
        """Gradients of the scores at the samples themselves."""
        if self._own_gradients is None:
            self._run_own(list(self._expected), gradients=True)
        assert self._own_gradients is not None
        return self._own_gradients

    def at_layer(
        self, layer: str, rows: Int[Tensor, " m"], points: Float[Tensor, " m *shape"] | None = None
    ) -> tuple[Float[Tensor, " m *layer"], Float[Tensor, " m *layer"]]:
        """Output of a layer, and the scores' gradients there: at the samples, or at `points`.

        The backward pass stops at the layer. What comes after it works on a copy, so that an
        in-place operation cannot change what is returned. Where a layer is called more than once,
        its last call counts.
        """
        if points is not None:
            self._observe_all()
            logits, (output,) = self._through([layer], points, rows)
            _, (gradient,) = self._backward(logits, [output], rows)
            return output.detach(), gradient
        if layer not in self._kept:
            wanted = [known for known in self._expected if known not in self._kept]
            missing = self._expects_gradients and self._own_gradients is None
            self._run_own(list(dict.fromkeys([*wanted, layer])), gradients=missing)
        outputs, gradients = self._kept[layer]
        return outputs[rows], gradients[rows]

    @property
    def own_logits(self) -> Float[Tensor, " n *classes"]:
        """Logits of the samples themselves."""
        self._observe_all()
        return self._logits

    @property
    def explains_logits(self) -> bool:
        """Whether the score is a logit or the difference of two, so that it is linear in them."""
        return not self._goal.any_shape

    @property
    def targets(self) -> Int[Tensor, " n"]:
        """The class that is explained, for each sample; of a callable target the predicted one."""
        self._observe_all()
        return self._chosen[:, 0]

    @property
    def own_scores(self) -> Float[Tensor, " n"]:
        """Scores of the samples themselves."""
        self._observe_all()
        return self._goal.score(self._logits, self._chosen)

    def _run_own(self, layers: list[str], *, gradients: bool) -> None:
        """Run the samples once for what is wanted of layers, and of the explained tensor."""

        def run(rows: Tensor) -> tuple[Tensor, ...]:
            leaf = self.explained[rows].detach().requires_grad_(gradients)
            logits, outputs = self._through(layers, leaf, rows)
            self._observe(logits.detach(), rows)
            sources = [*outputs, leaf] if gradients else outputs
            _, found = self._backward(logits, sources, rows)
            return (*(output.detach() for output in outputs), *found)

        parts = self._in_pieces(run, self.size)
        for position, layer in enumerate(layers):
            self._kept[layer] = (parts[position], parts[len(layers) + position])
        if gradients:
            self._own_gradients = parts[-1]

    def _through(
        self, layers: list[str], points: Tensor, rows: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the model; returns its logits and the layers' outputs, which carry gradients."""
        caught: dict[str, Tensor] = {}

        def catch(layer: str, output: Tensor) -> Tensor:
            caught[layer] = (
                output if output.requires_grad else output.detach().clone().requires_grad_()
            )
            return caught[layer].clone()

        with ExitStack() as stack:
            for layer in layers:
                module = find_layer(self.model.module, layer)
                stack.enter_context(intercepted(module, partial(catch, layer)))
            logits = self.logits(points, rows)
        for layer in layers:
            if layer not in caught:
                raise LayerError(
                    f"layer {layer!r} gives no tensor in a prediction. Name another one."
                )
        return logits, [caught[layer] for layer in layers]

    def _observe_all(self) -> None:
        unseen = (~self._seen).nonzero()[:, 0]
        if len(unseen):
            with torch.no_grad():
                self._in_pieces(lambda piece: self._look_at(unseen[piece]), len(unseen))

    def _look_at(self, rows: Tensor) -> Tensor:
        logits = self.logits(self.explained[rows], rows)
        self._observe(logits, rows)
        return logits

    def _observe(self, logits: Tensor, rows: Tensor) -> None:
        """Keep the first logits that are seen of a sample, and choose its target by them."""
        new = ~self._seen[rows]
        rows, logits = rows[new], logits[new]
        if not len(rows):
            return
        broken = rows[~logits.flatten(1).isfinite().all(1)].tolist()
        if broken:
            raise MethodError(
                f"the model's output is not finite (NaN or infinite) for samples {broken}. "
                "Check its weights and inputs."
            )
        chosen = self._goal.choose(logits, rows)
        if not len(self._logits):
            self._logits = logits.new_zeros(self.size, *logits.shape[1:])
            self._chosen = chosen.new_zeros(self.size, chosen.shape[1])
        self._logits[rows], self._chosen[rows], self._seen[rows] = logits, chosen, True

    def _backward(
        self, logits: Tensor, sources: Sequence[Tensor], rows: Tensor
    ) -> tuple[Float[Tensor, " m"], tuple[Tensor, ...]]:
        if not logits.requires_grad:
            raise NoGradientError(
                "the model's output has no gradient: part of its forward pass cannot be "
                "differentiated, or is under no_grad."
            )
        self.backwards += torch.bincount(rows.cpu(), minlength=self.size)
        scores = self._goal.score(logits, self._chosen[rows])
        found = torch.autograd.grad(scores.sum(), sources, materialize_grads=True)
        return scores.detach(), found

    def _in_pieces(self, run: Callable[[Tensor], Parts], total: int) -> Parts:
        """Run on pieces of 0 … total - 1 and join; on less memory, on smaller pieces."""
        parts: list[Parts] = []
        done = 0
        while done < total:
            size = min(self._rows_at_once(total), total - done)
            piece = torch.arange(done, done + size, device=self.explained.device)
            try:
                parts.append(run(piece))
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if size < 2 or not out_of_memory(error):
                    raise
                self._budget.shrink(size // 2)
                continue
            done += size
        return _join(parts)

    def _rows_at_once(self, total: int, *, part: int | None = None) -> int:
        return self._budget.rows(total, self._measure, part=part)

    def _measure(self) -> int:
        """Bytes of all activations of one row."""
        rows = torch.zeros(1, dtype=torch.int64, device=self.explained.device)
        with torch.no_grad(), counting_bytes() as counted:
            self.logits(self.explained[:1], rows)
        return counted.bytes

    def _per_sample(self, output: Tensor, rows: Tensor) -> Tensor:
        size = len(rows)
        table = output[:, None] if output.ndim == 1 else output
        if len(table) != size or (table.ndim != 2 and not self._goal.any_shape):
            raise MethodError(
                f"the model returned {tuple(output.shape)} for {size} samples; expected a row of "
                f"logits for each, ({size}, classes). For other outputs, give a callable as the "
                f"target: a function of the output that returns ({size},) scores."
            )
        return table

    @contextmanager
    def _explaining_failure(self, inputs: Inputs) -> Iterator[None]:
        """Say what the model was given if it fails on the samples as they came."""
        try:
            yield
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            if self._seen.any() or out_of_memory(error):
                raise
            shapes = ", ".join(
                f"{name or 'input'} {tuple(tensor.shape)} {str(tensor.dtype)[6:]}"
                for name, tensor in inputs.items()
            )
            reason = str(error).strip().partition("\n")[0]
            raise MethodError(
                f"{type(self.model.module).__name__} cannot run on {shapes}: {reason}. "
                f"Expected: {self.model.input.describe()}."
            ) from error


def _rows(tensor: Tensor, rows: Tensor, size: int) -> Tensor:
    return tensor[rows] if tensor.ndim and len(tensor) == size else tensor


def _join(parts: list[Parts]) -> Parts:
    if isinstance(parts[0], Tensor):
        return torch.cat(parts)
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))
