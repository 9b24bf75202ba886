"""What `load` asks of a source: the whole contract between the two.

A source is one function, `load(rest, request) -> Model`, registered in the entry point group
`pellucid.model_sources`; `rest` is what follows the scheme in the spec. It builds the module,
says how to feed it and what its outputs mean, and sets `architecture` to a JSON record
`{"source": scheme, "name": rest, …}` from which it can build the module again. `load` does the
rest: weights from a file, labels from the user, eval mode, the device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

UNTRAINED = "the weights are random: nothing was loaded"


@dataclass(frozen=True, kw_only=True)
class LoadRequest:
    """How to open a model.

    `pretrained` asks for the source's own weights; `weights` is a file that `load` reads after the
    source has built the module. `trust` allows code from elsewhere to run. When a run is opened
    again, `record` is what the source put in `architecture`, and `folder` holds what was saved
    beside it; then nothing may be downloaded.
    """

    pretrained: bool = True
    weights: Path | None = None
    trust: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    record: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Say that the weights stay random, if they do."""
        untrained = not (self.pretrained or self.weights or self.record)
        return (UNTRAINED,) if untrained else ()
