"""Everything that can be set about a fine-tuning, with its checks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from pellucid.errors import SpecError, closest

CHOICES: dict[str, tuple[str, ...]] = {
    "strategy": ("head", "partial", "full", "gradual", "lora"),
    "optimizer": ("adamw", "sgd"),
    "schedule": ("cosine", "linear", "constant"),
    "class_weights": ("none", "balanced"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
}
LEAST: dict[str, float] = {
    "epochs": 1,
    "batch_size": 2,
    "weight_decay": 0,
    "warmup": 0,
    "patience": 0,
    "label_smoothing": 0,
    "gradient_clip": 0,
    "num_views": 1,
    "last_blocks": 1,
    "lora_rank": 1,
    "num_workers": 0,
    "cache_bytes": 0,
    "checkpoint_seconds": 0,
}
BELOW_ONE = ("warmup", "label_smoothing")
LEARNING_RATES = {"head": 3e-3, "partial": 3e-4, "full": 1e-4, "gradual": 1e-3, "lora": 1e-3}
SGD_FACTOR = 10.0


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to fine-tune.

    `learning_rate` 0 takes the strategy's own. `warmup` is the share of all steps with a rising
    rate. `patience` epochs without a lower validation loss end a phase; 0 never does.
    `gradient_clip` bounds the gradient's norm; 0 does not. `augment` lists any of flip, crop,
    colour; where activations are cached, `num_views` augmented versions of each sample are kept
    and taken in turn. `last_blocks` and `pattern` (a regular expression over parameter names)
    belong to `partial`, `lora_rank` to `lora`. Activations up to `cache_bytes` stay in memory,
    larger ones go to disk; 0 runs the frozen part again in every epoch. A checkpoint is written
    after every epoch and every `checkpoint_seconds`.
    """

    strategy: str = "head"
    epochs: int = 10
    batch_size: int = 32
    optimizer: str = "adamw"
    learning_rate: float = 0.0
    weight_decay: float = 0.01
    schedule: str = "cosine"
    warmup: float = 0.05
    patience: int = 0
    class_weights: str = "none"
    label_smoothing: float = 0.0
    gradient_clip: float = 1.0
    precision: str = "auto"
    seed: int = 0
    deterministic: bool = False
    augment: tuple[str, ...] = ()
    num_views: int = 1
    last_blocks: int = 1
    pattern: str = ""
    lora_rank: int = 8
    num_workers: int = 0
    cache_bytes: int = 2**31
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise SpecError(
                    f"{name}={getattr(self, name)!r} is not known. "
                    f"{closest(str(getattr(self, name)), allowed)}"
                )
        for name, least in LEAST.items():
            if not getattr(self, name) >= least:
                raise SpecError(
                    f"{name}={getattr(self, name)} is too small; expected {least} or more."
                )
        for name in BELOW_ONE:
            if not getattr(self, name) < 1:
                raise SpecError(f"{name}={getattr(self, name)} is a share; expected less than 1.")
        if not self.learning_rate >= 0:
            raise SpecError(f"learning_rate={self.learning_rate}; expected a positive number.")
        if self.num_views > 1 and not self.augment:
            raise SpecError(f"num_views={self.num_views} without augment would keep equal copies.")

    @classmethod
    def build(cls, options: dict[str, Any]) -> TrainingConfig:
        """Check names before values. Raises SpecError for an unknown option."""
        known = [entry.name for entry in fields(cls)]
        for name in options:
            if name not in known:
                raise SpecError(f"Fine-tuning has no option {name!r}. {closest(name, known)}")
        if isinstance(options.get("augment"), str):
            names = [name.strip() for name in options["augment"].split(",")]
            options = {**options, "augment": tuple(name for name in names if name)}
        return cls(**options)

    @property
    def rate(self) -> float:
        """The peak learning rate: as given, or the strategy's own."""
        factor = SGD_FACTOR if self.optimizer == "sgd" else 1.0
        return self.learning_rate or LEARNING_RATES[self.strategy] * factor

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"augment": list(self.augment)}
