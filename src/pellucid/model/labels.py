"""What a model's outputs are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

PLACEHOLDER = re.compile(r"LABEL_\d+")


def has_names(labels: Sequence[str]) -> bool:
    """Tell whether labels are names of classes; ``LABEL_0`` and the like only count them."""
    return any(not PLACEHOLDER.fullmatch(label) for label in labels)


def class_names(
    model_labels: Sequence[str], data_labels: Sequence[str], num_logits: int
) -> tuple[str, ...]:
    """Names of the logits: the model's, else the data's where they are as many, else numbers."""
    candidates = (model_labels if has_names(model_labels) else (), data_labels, model_labels)
    fitting = [names for names in candidates if len(names) == num_logits]
    return tuple(fitting[0]) if fitting else tuple(f"class {index}" for index in range(num_logits))
