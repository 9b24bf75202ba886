"""What is to be explained, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be explained: a class (None for the predicted one), less another; and how."""

    methods: tuple[str, ...]
    target: int | None = None
    against: int | None = None
    layer: str | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    faithfulness: bool = False
