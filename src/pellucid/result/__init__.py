"""What every analysis returns, and how it is kept."""

from pellucid.result.protocol import Result
from pellucid.result.provenance import DataIdentity, ModelIdentity, Provenance

__all__ = ["DataIdentity", "ModelIdentity", "Provenance", "Result"]
