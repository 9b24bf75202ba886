"""Layers that can be explained: the last one with a spatial grid, and the embedding of tokens.

Both are found in a dry run on one sample, not by the names of modules, so that any architecture
will do: convolutional, ViT (patch tokens), Swin (channels last).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.attribution.explained import explained_input, kind_of
from pellucid.attribution.freezing import frozen
from pellucid.errors import LayerError, MethodError
from pellucid.graph.addressing import resolve_layer
from pellucid.model import Inputs, Model, call

MOST_EXTRA_TOKENS = 5
WIDEST_STRETCH = math.log(1.5)
ATTENTION = re.compile("attention|attn", re.IGNORECASE)
Layers = str | Sequence[str] | None
_chosen: WeakKeyDictionary[nn.Module, dict[int, str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Grid:
    """How a layer's output lies on the picture: (height, width) cells after `extra` tokens."""

    layout: str
    height: int
    width: int
    extra: int = 0

    def of(self, activation: Tensor) -> Float[Tensor, "n channels height width"]:
        """Rearrange a layer's output to (n, channels, height, width)."""
        if self.layout == "channels first":
            return activation
        if self.layout == "channels last":
            return activation.permute(0, 3, 1, 2)
        rows = activation[:, self.extra :]
        return rows.reshape(len(rows), self.height, self.width, -1).permute(0, 3, 1, 2)

    def channels(self, activation: Tensor) -> Float[Tensor, "channels n *cells"]:
        """View the cells of a layer's output by channel, so that they can be changed in place."""
        cells = activation if self.layout != "tokens" else activation[:, self.extra :]
        return cells.movedim(1 if self.layout == "channels first" else -1, 0)


def find_grid(shape: tuple[int, ...], picture: tuple[int, int]) -> Grid | None:
    """Find how an output of `shape` lies on a picture of (height, width); None if it does not.

    Accepted are (n, c, h, w), (n, h, w, c) and (n, tokens, c), where the tokens are a grid behind
    at most five extra ones (class and register tokens). The grid must have about the proportions
    of the picture, and more than one cell each way.
    """
    if len(shape) == 3:
        return _token_grid(shape[1], picture)
    if len(shape) != 4:
        return None
    layouts = [
        Grid("channels first", shape[2], shape[3]),
        Grid("channels last", shape[1], shape[2]),
    ]
    best = min(layouts, key=lambda grid: _stretch(grid, picture))
    return best if _stretch(best, picture) <= WIDEST_STRETCH else None


def grid_of(activation: Tensor, picture: tuple[int, int], layer: str) -> Grid:
    """Find how a layer's output lies on the picture. Raises LayerError when it does not."""
    grid = find_grid(tuple(activation.shape), picture)
    if grid is None:
        raise LayerError(
            f"layer {layer!r} gives {tuple(activation.shape)}, which is no grid over the picture; "
            "expected (n, channels, height, width), (n, height, width, channels) or patch tokens. "
            "Leave the layer out, and the last one with a grid is taken."
        )
    return grid


def choose_layers(model: Model, inputs: Inputs, layers: Layers | object) -> tuple[str, ...]:
    """Names of the layers that are meant: one, several, or the last with a grid if None.

    Several are a sequence, or one string with commas; each a dotted name or a shorthand such as
    ``layer4[-1]``. Raises LayerError with the nearest names.
    """
    if layers is None:
        return (last_spatial_layer(model, inputs),)
    names = layers.split(",") if isinstance(layers, str) else layers
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise LayerError(
            f"layer={type(layers).__name__} was given; expected a name such as 'layer4', or several."
        )
    if not names:
        raise LayerError("no layer was named; expected at least one, or None for the last.")
    return tuple(dict.fromkeys(resolve_layer(model.module, name.strip()) for name in names))


def last_spatial_layer(model: Model, inputs: Inputs) -> str:
    """Name the last layer that has a grid over the picture and that the answer depends on.

    A dry run on the first sample: of all modules whose output is a grid, the last in the order of
    calls for which the largest logit has a gradient at the cells. So a ViT's last block does not
    count when only its class token is read, but the normalization that feeds its attention does.
    What lies inside an attention module, and adaptive pooling, is passed over. What was found is
    remembered for the module, as long as its parts and the input's shape stay. Raises LayerError.
    """
    first = first_sample(model, inputs)
    pixels = first[explained_input(model, inputs)]
    if kind_of(pixels) != "image":
        raise LayerError("only pictures (n, channels, height, width) have layers with a grid.")
    parts = [(name, type(part)) for name, part in model.module.named_modules()]
    shapes = [(name, tensor.shape, tensor.dtype) for name, tensor in first.items()]
    key = hash((*parts, *shapes))
    known = _chosen.setdefault(model.module, {})
    if key not in known:
        found, reached = _dry_run(model, first)
        if not reached:
            return found
        known[key] = found
    return known[key]


def embedding_layer(model: Model, inputs: Inputs) -> nn.Module:
    """Find the module that embeds the token indices, in a dry run on the first sample.

    Raises MethodError when there is none, or when it embeds other indices too (encoder-decoders).
    """
    first = first_sample(model, inputs)
    indices = first[explained_input(model, inputs)]
    own = getattr(model.module, "get_input_embeddings", lambda: None)()
    candidates = [m for m in model.module.modules() if isinstance(m, nn.Embedding) or m is own]
    calls: list[tuple[nn.Module, bool]] = []

    def note(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        given = arguments[0] if arguments else indices
        calls.append((module, given.shape == indices.shape and bool((given == indices).all())))

    with ExitStack() as hooks, frozen(model), torch.no_grad():
        for module in candidates:
            hooks.callback(module.register_forward_pre_hook(note).remove)
        try:
            call(model.module, first)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise MethodError(
                f"{type(model.module).__name__} cannot run on whole numbers of shape "
                f"{tuple(indices.shape)}: {reason}. Expected: {model.input.describe()}; whole "
                "numbers are taken for token indices, so give features in floating point."
            ) from error
    embedding = next((module for module, same in calls if same), None)
    table = getattr(embedding, "weight", embedding)
    uses = sum(module is embedding or module.weight is table for module, _ in calls)
    if embedding is None or uses > 1:
        raise MethodError(
            f"{type(model.module).__name__} has no layer that embeds the token indices and nothing "
            "else, so its words cannot be explained. Encoder-only and decoder-only classifiers can."
        )
    return embedding


def first_sample(model: Model, inputs: Inputs) -> Inputs:
    """Take the first sample of a prepared batch, on the model's device."""
    size = len(inputs[explained_input(model, inputs)])
    return {
        name: (tensor[:1] if tensor.ndim and len(tensor) == size else tensor).to(model.device)
        for name, tensor in inputs.items()
    }


def _dry_run(model: Model, first: Inputs) -> tuple[str, bool]:
    """Find the last layer with a grid, and tell whether the answer was seen to depend on it."""
    name = explained_input(model, first)
    picture = (first[name].shape[2], first[name].shape[3])
    with frozen(model), _outputs(model.module) as outputs:
        pixels = first[name].clone().requires_grad_()
        score = call(model.module, first | {name: pixels.clone()}).amax()
        found = [(layer, out, find_grid(tuple(out.shape), picture)) for layer, out in outputs]
        grids = [(layer, out, grid) for layer, out, grid in found if grid and len(out) == 1]
        if not grids:
            raise LayerError(
                f"{type(model.module).__name__} has no layer with a grid over the picture, so "
                "there is no map to draw. Use a method that needs no layer: 'integrated_gradients'."
            )
        used = _last_used(score, grids) if score.requires_grad else None
        return used or grids[-1][0], used is not None


def _last_used(score: Tensor, grids: list[tuple[str, Tensor, Grid]]) -> str | None:
    """Look from the end, at ever more layers at once, so that the backward pass stays short."""
    used = [(layer, out, grid) for layer, out, grid in grids if out.requires_grad]
    end, size = len(used), 2
    while end > 0:
        part = used[max(0, end - size) : end]
        outputs = [out for _, out, _ in part]
        gradients = torch.autograd.grad(score, outputs, allow_unused=True, retain_graph=True)
        for (layer, _, grid), gradient in zip(reversed(part), reversed(gradients), strict=True):
            if gradient is not None and bool(grid.of(gradient).any()):
                return layer
        end, size = end - size, 2 * size
    return None


@contextmanager
def _outputs(module: nn.Module) -> Iterator[list[tuple[str, Tensor]]]:
    """Record names and outputs of modules in the order in which they finish."""
    outputs: list[tuple[str, Tensor]] = []

    def record(name: str, output: object) -> None:
        found = output if isinstance(output, tuple) else (output,)
        tensors = [item for item in found if isinstance(item, Tensor)]
        if len(tensors) == 1 and tensors[0] is found[0]:
            outputs.append((name, tensors[0]))

    with ExitStack() as hooks:
        for name, layer in _outside_attention(module):
            hook = layer.register_forward_hook(lambda _m, _a, out, name=name: record(name, out))
            hooks.callback(hook.remove)
        yield outputs


def _outside_attention(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if not isinstance(child, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
            yield prefix + name, child
        if not ATTENTION.search(type(child).__name__):
            yield from _outside_attention(child, f"{prefix}{name}.")


def _token_grid(tokens: int, picture: tuple[int, int]) -> Grid | None:
    for extra in range(MOST_EXTRA_TOKENS + 1):
        cells = tokens - extra
        height = round(math.sqrt(max(cells, 0) * picture[0] / picture[1]))
        if height and cells % height == 0:
            grid = Grid("tokens", height, cells // height, extra)
            if _stretch(grid, picture) <= WIDEST_STRETCH:
                return grid
    return None


def _stretch(grid: Grid, picture: tuple[int, int]) -> float:
    if min(grid.height, grid.width) < 2:
        return math.inf
    return abs(math.log(grid.height / grid.width) - math.log(picture[0] / picture[1]))
