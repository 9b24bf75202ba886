"""Random numbers that depend on the seed and the place only, so that a resumed run repeats them."""

from __future__ import annotations

import numpy as np


def derive(seed: int, *place: int) -> int:
    """Derive a 63-bit seed for a place, such as an epoch, or an epoch and a sample."""
    return int(np.random.SeedSequence([seed, *place]).generate_state(1, np.uint64)[0] >> 1)


def shuffled(size: int, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Positions in this epoch's order, in batches; a last batch of one joins the one before.

    Batch norm cannot train on a single sample.
    """
    order = np.random.default_rng(derive(seed, epoch)).permutation(size)
    batches = [order[i : i + batch_size].tolist() for i in range(0, size, batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        single = batches.pop()
        batches[-1] += single
    return batches
