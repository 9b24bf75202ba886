"""Graph: a model recorded once as operators, which can be run, read, cut and costed.

`Graph.of(model, inputs)` records on an example batch; the graph then holds for any batch of
samples of the same shape. It works on the model's own parameters and buffers, so it follows when
they are trained.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from jaxtyping import Float
from torch import Tensor, fx, nn

from pellucid.errors import LayerError, ModelError, closest
from pellucid.graph.addressing import resolve_layer
from pellucid.graph.cost import Cost, cost_of
from pellucid.graph.frontier import up_to
from pellucid.graph.identity import OWN, hooks_of
from pellucid.graph.listening import listen
from pellucid.graph.record import record
from pellucid.graph.recording import How, Recording, tensors_of
from pellucid.graph.suffix import Suffix, suffix_of
from pellucid.graph.trace import Logits, place
from pellucid.model import Inputs, Model

PLAIN = (bool, int, float, str)
_kept: weakref.WeakKeyDictionary[nn.Module, tuple[Any, list[Recording]]] = (
    weakref.WeakKeyDictionary()
)


@final
@dataclass(frozen=True, eq=False)
class Graph:
    """A model together with the recording of its call in eval mode.

    `how` tells what the recording is, and `why` the reason where it is less than an export:

    - "export": operators, proved to hold for any batch size (and text length, where it is free);
    - "dispatch": the operators of one call on the given batch, on the way that these numbers took;
    - "hooks": no operators. The model itself is run, and layers are listened to.
    """

    model: Model
    recording: Recording

    @classmethod
    def of(cls, model: Model, inputs: Inputs) -> Graph:
        """Record a model on prepared inputs, or take the recording that was made before.

        A recording is kept in memory as long as the module lives, and used again for inputs of
        the same names, types and shapes (but for free axes). It is made anew when a parameter or
        submodule was replaced, moved or hooked, or an attribute of a module was set. Exports are
        also kept on disk (see `pellucid.graph.store`).
        """
        state = _state_of(model.module)
        known, recordings = _kept.get(model.module, (None, []))
        if known != state:
            recordings = []
        for recording in recordings:
            if recording.holds_for(inputs):
                return cls(model, recording)
        recording = record(model, inputs)
        if recording.how != "dispatch":
            _kept[model.module] = state, [*recordings, recording]
        return cls(model, recording)

    @property
    def how(self) -> How:
        """How the call was recorded: "export", "dispatch" or "hooks"."""
        return self.recording.how

    @property
    def why(self) -> str:
        """Why the model could not be exported, in one line; empty if it was."""
        return self.recording.why

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs in the order in which `program` takes them."""
        return self.recording.inputs

    @property
    def program(self) -> fx.GraphModule:
        """The operators as a module from the inputs to the logits.

        Nodes carry `meta["val"]` (shape and type) and `meta["nn_module_stack"]`. See
        `pellucid.graph.operators` for what they are. Raises ModelError where only hooks work.
        """
        if self.recording.program is None:
            raise ModelError(
                f"{type(self.model.module).__name__} has no graph of operators. {self.why} "
                "Methods that only call the model work: 'occlusion', 'integrated_gradients'."
            )
        return self.recording.program

    def run(self, inputs: Inputs) -> Float[Tensor, "n classes"]:
        """Run the recording, differentiably. Raises ModelError for inputs it does not hold for."""
        placed = place(self.model, self.inputs, inputs)
        if self.recording.program is None:
            with self.model.evaluating():
                logits: Tensor = Logits(self.model.module, self.inputs)(*placed)
        else:
            self.recording.check(inputs)
            logits = self.program(*placed)
        return logits

    def activations(self, layers: Sequence[str], inputs: Inputs) -> dict[str, Tensor]:
        """Outputs of layers, by the names given, computed up to the last of them and not further.

        Of a layer that is called several times, the last call counts; of one that returns a tuple,
        its first tensor. Raises LayerError for a layer that does not exist or gives no tensor.
        """
        names = [resolve_layer(self.model.module, layer) for layer in layers]
        placed = place(self.model, self.inputs, inputs)
        if self.recording.program is None:
            outputs = listen(self.model, inputs, names)
        else:
            self.recording.check(inputs)
            nodes = [self._node(name) for name in names]
            outputs = self._built(tuple(names), lambda: up_to(self.program, nodes))(*placed)
        return dict(zip(layers, outputs, strict=True))

    def suffix(self, layer: str) -> Suffix:
        """The model from a layer's output on.

        Raises LayerError for a layer that cannot be cut behind, and ModelError where the recording
        holds for one batch size only.
        """
        program, name = self.program, resolve_layer(self.model.module, layer)
        if self.how == "dispatch":
            raise ModelError(
                f"{type(self.model.module).__name__} cannot be run from a layer on: its recording "
                f"holds for one batch only. {self.why}"
            )
        node = self._node(name)
        made: Suffix = self._built(
            name, lambda: suffix_of(self.model, program, self.inputs, name, node)
        )
        return made

    def cost(self) -> Cost:
        """FLOPs, parameters and activation sizes for one sample, per operator and per module."""
        cost: Cost = self._built(
            "cost of one sample", lambda: cost_of(self.program, self.model.module)
        )
        return cost

    def _node(self, layer: str) -> fx.Node:
        layers = self.recording.layers
        if layer not in layers:
            raise LayerError(
                f"layer {layer!r} gives no tensor that the logits depend on. "
                f"{closest(layer, layers)}"
            )
        return layers[layer]

    def _built(self, key: Any, build: Callable[[], Any]) -> Any:
        """Build a part of the graph once per recording."""
        parts = self.recording.parts
        if key not in parts:
            parts[key] = build()
        return parts[key]

    def __str__(self) -> str:
        name = type(self.model.module).__name__
        weights = sum(p.numel() for p in self.model.module.parameters())
        if self.recording.program is None:
            return f"Graph of {name} (hooks: no operators), {weights:,} parameters\n  {self.why}"
        calls = sum(node.op == "call_function" for node in self.program.graph.nodes)
        lines = [f"Graph of {name} ({self.how}): {calls:,} operators, {weights:,} parameters"]
        return "\n".join(lines + ([f"  {self.why}"] if self.why else []))


def _state_of(module: nn.Module) -> Any:
    """What a recording depends on: tensors, modules, hooks and attributes, in a form to compare."""
    tensors = tuple((name, id(t), t.dtype, t.device) for name, t in tensors_of(module))
    parts = tuple((name, type(part), *hooks_of(part)) for name, part in module.named_modules())
    attributes = tuple(
        (name, _comparable(value))
        for part in module.modules()
        for name, value in vars(part).items()
        if name not in OWN
    )
    return tensors, parts, attributes


def _comparable(value: Any) -> Any:
    """Plain values and containers of them by value: the exporter puts copies of lists in place."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, list | tuple):
        return tuple(_comparable(part) for part in value)
    if isinstance(value, dict):
        return tuple((_comparable(key), _comparable(part)) for key, part in value.items())
    return id(value)
