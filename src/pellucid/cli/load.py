"""`pellucid load`: open a model and print what it is."""

from __future__ import annotations

from pellucid.cli import output
from pellucid.cli.opening import open_model
from pellucid.cli.options import AsJson, Device, Labels, ModelSpec, NoWeights, Trust, Weights


def load(
    model: ModelSpec,
    weights: Weights = None,
    no_weights: NoWeights = False,
    labels: Labels = None,
    trust: Trust = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Open a model and print its architecture, input, task and labels."""
    opened = open_model(
        model, weights=weights, no_weights=no_weights, labels=labels, trust=trust, device=device
    )
    if as_json:
        from pellucid.model.description import describe

        output.answer_json(describe(opened))
    else:
        output.answer(str(opened))
