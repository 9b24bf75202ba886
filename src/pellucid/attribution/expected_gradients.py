"""Expected gradients: integrated gradients, averaged over many baselines, by drawing at random.

    attribution_i = E over b, α of (x_i − b_i) · ∂f(b + α (x − b))/∂x_i,   b from a set, α ~ U(0, 1)

The expected sum is f(x) minus the mean of f(b). Each draw takes one baseline and one place on the
path; draws depend on the seed alone and are the same for all samples.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline, make_filler
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.gradient import per_value, precise
from pellucid.attribution.registry import method
from pellucid.attribution.smoothing import Samples, Seed


@method(
    title="Expected gradients",
    family="path",
    paper="Erion et al., 2021, eq. 5",
    about=(
        "Expected gradients compares the input with many others instead of one neutral input, and "
        "splits what sets it apart from them among its values: red raised the score, blue lowered "
        "it. It draws at random, so more samples give calmer maps."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "baseline"),
    per_pixel=True,
    cost="as long as a hundred predictions",
    passes="samples × (1 forward, 1 backward)",
)
def expected_gradients(
    call: Call, *, baseline: Baseline = None, samples: Samples = 64, seed: Seed = 0
) -> Attribution:
    """How much did each value add to the score, compared with other inputs? Signed, input's shape.

    Texts give (n, tokens). `baseline` is a set of inputs (k, …), of which one is drawn for each of
    the `samples`; or a name or number, for one neutral input. Also known as GradientSHAP. The
    standard error of the average is reported. Erion et al., 2021, eq. 5.
    """
    pool, index = _baselines(call, baseline)
    random = np.random.default_rng(seed)
    which = torch.from_numpy(random.integers(len(index), size=samples)).to(pool.device)
    places = torch.from_numpy(random.random(samples)).to(precise(pool))
    total = torch.zeros_like(per_value(call, precise(call.explained)))
    squares = torch.zeros_like(total)
    for pairs in call.chunks(samples * call.size):
        rows, draw = pairs % call.size, pairs // call.size
        part = _parts(call, pool[index[which[draw], rows]], rows, places[draw])
        total.index_add_(0, rows, part)
        squares.index_add_(0, rows, part**2)
    mean = total / samples
    variance = (squares / samples - mean**2).clamp(min=0) / (samples - 1)
    return Attribution(values=mean, resolution=EVERY[call.kind], standard_error=variance.sqrt())


def _parts(
    call: Call, start: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"], places: Tensor
) -> Float[Tensor, " m *values"]:
    """What each draw attributes: the gradient between its baseline and the sample, times the way."""
    begin, end = precise(start), precise(call.explained[rows])
    alpha = places.view(-1, *(1,) * (begin.ndim - 1))
    points = (begin + alpha * (end - begin)).to(call.explained)
    return per_value(call, precise(call.gradients(points, rows)) * (end - begin))


def _baselines(
    call: Call, baseline: Baseline
) -> tuple[Float[Tensor, " p *shape"], Int[Tensor, "k n"]]:
    """Baselines, and which of them the k choices of each sample are."""
    if isinstance(baseline, Tensor):
        filler = make_filler(call, baseline, several=True)
        assert filler.pool is not None
        return filler.pool, filler.index
    everyone = torch.arange(call.size, device=call.explained.device)
    return make_baseline(call, baseline), everyone[None]
