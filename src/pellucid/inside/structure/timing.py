"""How long each operator takes."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch import Tensor, fx

from pellucid.graph.graph import Graph
from pellucid.model import Inputs

BUDGET = 1.0  # seconds, after which no further run is begun
MOST_RUNS = 7


def time_operators(graph: Graph, inputs: Inputs) -> tuple[dict[str, float], int]:
    """Seconds per node by name, the median over a few runs, and the size of the batch.

    One sample is run where the graph holds for any number. The first run warms up and does not
    count, unless it takes the whole budget.
    """
    if graph.how == "export":
        inputs = {name: tensor[:1] if tensor.ndim else tensor for name, tensor in inputs.items()}
    placed = [inputs[name].to(graph.model.device) for name in graph.inputs]
    size = next((len(tensor) for tensor in placed if tensor.ndim), 1)
    runs: list[dict[str, float]] = []
    started = time.perf_counter()
    with torch.random.fork_rng(_devices(graph.model.device)), torch.no_grad():
        while len(runs) <= MOST_RUNS and (not runs or time.perf_counter() - started < BUDGET):
            runs.append(_Stopwatch(graph.program, graph.model.device).measure(placed))
    counted = runs[1:] or runs
    return {name: statistics.median(run[name] for run in counted) for name in runs[0]}, size


class _Stopwatch(fx.Interpreter):
    """Runs a program and writes down how long each of its operators takes."""

    def __init__(self, program: fx.GraphModule, device: torch.device) -> None:
        super().__init__(program, graph=program.graph)
        self._device = device
        self._seconds: dict[str, float] = {}

    def measure(self, placed: list[Tensor]) -> dict[str, float]:
        self._seconds = {}
        self.run(*placed)
        return self._seconds

    def run_node(self, n: fx.Node) -> Any:
        if n.op != "call_function":
            return super().run_node(n)
        self._wait()
        started = time.perf_counter()
        result = super().run_node(n)
        self._wait()
        self._seconds[n.name] = time.perf_counter() - started
        return result

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()


def _devices(device: torch.device) -> list[int]:
    """GPUs whose random state is kept; the CPU's always is."""
    return [device.index or 0] if device.type == "cuda" else []
