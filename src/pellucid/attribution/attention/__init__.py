"""Methods that read a transformer's attention: which tokens its answer looks at."""

from pellucid.attribution.attention.flow import attention_flow
from pellucid.attribution.attention.methods import (
    attention,
    attention_gradient,
    attention_rollout,
)

__all__ = ["attention", "attention_flow", "attention_gradient", "attention_rollout"]
