"""What a model's layers and units do: over a data set, and in full for a few samples.

`inspect_activations` makes one pass; `plan` decides on one sample what to watch, `forward` runs
the batches, `collect` gathers in bounded memory, `arrays` and `shown` label what was found, and
`views` and `words` say how it is shown.
"""

from pellucid.inside.activations.inspecting import inspect_activations
from pellucid.inside.activations.result import Activations

__all__ = ["Activations", "inspect_activations"]
