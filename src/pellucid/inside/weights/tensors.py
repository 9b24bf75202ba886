"""The tensors of a model, one by one: gates and projections that share a tensor are told apart.

A recurrent layer keeps the weights of its gates in one tensor, attention those of query, key and
value. Each has a life of its own, so each is a part here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from pellucid.errors import LayerError, ModelError
from pellucid.inside.choosing import choose_layers
from pellucid.model import Model
from pellucid.views.prose import listed

LSTM_GATES = ("input gate", "forget gate", "cell candidate", "output gate")
GRU_GATES = ("reset gate", "update gate", "new state")
PROJECTIONS = ("query", "key", "value")
FUSED = re.compile(r"(^|\.)(qkv|Wqkv|c_attn)$")  # whose outputs are query, key and value in turn
COUNTER = "num_batches_tracked"
Role = Literal["weight", "bias", "buffer"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A tensor of a model, or the outputs `start` to `stop` of it that are one gate's.

    `outputs` is the dimension that counts the outputs (filters, units, words); rows of different
    `groups` read different inputs. `kind` is the class of the `layer` that holds it.
    """

    name: str
    parameter: str
    layer: str
    kind: str
    role: Role
    shape: tuple[int, ...]
    outputs: int = 0
    groups: int = 1
    start: int | None = None
    stop: int | None = None

    def of(self, whole: Tensor) -> Tensor:
        """Cut this part out of a tensor of the whole parameter's shape."""
        if self.start is None or self.stop is None:
            return whole
        return whole.narrow(self.outputs, self.start, self.stop - self.start)

    def matrix(self, part: Tensor) -> Tensor | None:
        """The part as (outputs, inputs × places of the kernel); None where it is no matrix.

        Leading dimensions of size one, as of position embeddings, do not count.
        """
        if part.ndim < 2:
            return None
        turned = part.transpose(0, self.outputs) if self.outputs else part
        while turned.ndim > 2 and len(turned) == 1:
            turned = turned[0]
        flat = turned.flatten(1)
        return flat if min(flat.shape) > 0 else None


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A tensor that holds no weights to look at, and why."""

    name: str
    reason: str


def choose_parts(
    model: Model, layers: str | Sequence[str] | None = None, *, buffers: bool = True
) -> tuple[list[Part], list[Skipped]]:
    """The parts of the chosen layers, and of what they contain, in the model's own order.

    `buffers` adds floating-point ones with more than one entry, such as running means. Raises
    ModelError for a model without weights, LayerError for layers that are unknown or hold none.
    """
    module = model.module
    within = None if layers is None else choose_layers(module, layers)
    parts: list[Part] = []
    skipped: list[Skipped] = []
    for name, tensor, role in _tensors(module, buffers=buffers):
        if within is None or _is_within(name, within):
            reason = _reason(tensor)
            if reason:
                skipped.append(Skipped(name=name, reason=reason))
            else:
                parts += _parts(module, name, tensor, role)
    if not parts:
        raise _nothing(model, within, skipped)
    return parts, skipped


def tied_names(module: nn.Module) -> list[tuple[str, ...]]:
    """Names that stand for one and the same parameter, such as input and output embeddings."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [tuple(found) for found in names.values() if len(found) > 1]


def _tensors(module: nn.Module, *, buffers: bool) -> Iterator[tuple[str, Tensor, Role]]:
    """Parameters and saved buffers, in the order of the modules that hold them."""
    parameters = dict(module.named_parameters())
    kept = module.state_dict(keep_vars=True) if buffers else {}
    for name, layer in module.named_modules():
        prefix = f"{name}." if name else ""
        for own, _ in layer.named_parameters(recurse=False):
            if prefix + own in parameters:
                yield prefix + own, parameters[prefix + own], "bias" if "bias" in own else "weight"
        for own, buffer in layer.named_buffers(recurse=False):
            worth = buffer.numel() > 1 and own != COUNTER
            if worth and isinstance(kept.get(prefix + own), Tensor):
                yield prefix + own, buffer, "buffer"


def _is_within(name: str, layers: Sequence[str]) -> bool:
    return any(name.startswith(f"{layer}.") for layer in layers)


def _reason(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "has no values (it lies on the meta device)"
    if tensor.is_quantized or not tensor.dtype.is_floating_point:
        return f"holds {str(tensor.dtype).removeprefix('torch.')}, not floating-point numbers"
    if tensor.numel() == 0:
        return "is empty"
    return ""


def _parts(module: nn.Module, name: str, tensor: Tensor, role: Role) -> list[Part]:
    layer, _, own = name.rpartition(".")
    holder = module.get_submodule(layer)
    kind = type(holder).__name__
    whole = Part(
        name=name,
        parameter=name,
        layer=layer,
        kind=kind,
        role=role,
        shape=tuple(tensor.shape),
        outputs=_output_dimension(holder, tensor),
        groups=int(getattr(holder, "groups", 1)) if tensor.ndim > 2 else 1,
    )
    names = _names_of_parts(holder, layer, own, tensor, whole.outputs)
    if not names:
        return [whole]
    step = tensor.shape[whole.outputs] // len(names)
    return [_cut(whole, words, place * step, step) for place, words in enumerate(names)]


def _cut(whole: Part, words: str, start: int, step: int) -> Part:
    shape = list(whole.shape)
    shape[whole.outputs] = step
    return Part(
        name=f"{whole.name} · {words}",
        parameter=whole.parameter,
        layer=whole.layer,
        kind=whole.kind,
        role=whole.role,
        shape=tuple(shape),
        outputs=whole.outputs,
        start=start,
        stop=start + step,
    )


def _output_dimension(holder: nn.Module, tensor: Tensor) -> int:
    """Which dimension counts outputs: the first, but for transposed layers the second."""
    kind = type(holder).__name__
    turned = kind == "Conv1D" or (kind.startswith("ConvTranspose") and holder.groups == 1)
    return 1 if turned and tensor.ndim > 1 else 0


def _names_of_parts(
    holder: nn.Module, layer: str, own: str, tensor: Tensor, outputs: int
) -> tuple[str, ...]:
    """Names of the equal parts that a tensor's outputs fall into; none if it is one whole."""
    recurrent = own.startswith(("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    if isinstance(holder, nn.LSTM | nn.LSTMCell) and recurrent:
        return LSTM_GATES
    if isinstance(holder, nn.GRU | nn.GRUCell) and recurrent:
        return GRU_GATES
    fused = isinstance(holder, nn.MultiheadAttention) and own.startswith("in_proj")
    fused = fused or bool(FUSED.search(layer))
    return PROJECTIONS if fused and tensor.shape[outputs] % 3 == 0 else ()


def _nothing(
    model: Model, within: tuple[str, ...] | None, skipped: Sequence[Skipped]
) -> ModelError:
    why = f" ({skipped[0].name} {skipped[0].reason})" if skipped else ""
    if within is not None:
        return LayerError(
            f"{listed([repr(name) for name in within])} of {model.source} hold no weights{why}. "
            "Choose layers with parameters, or leave `layers` out to look at all."
        )
    return ModelError(
        f"{model.source} has no weights in floating-point numbers{why}; expected a module with "
        "parameters. What is computed without any can be looked at by its activations."
    )
