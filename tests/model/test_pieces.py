from __future__ import annotations

import torch

from pellucid.model import pieces

CPU = torch.device("cpu")


def test_a_small_batch_stays_whole():
    inputs = {"ids": torch.zeros(32, 128, dtype=torch.int64), "mask": torch.ones(32, 128)}
    assert pieces(inputs, CPU) == [inputs]


def test_pieces_of_a_large_batch_are_small_and_make_the_whole():
    batch = torch.randn(10, 3, 224, 224)
    parts = [part["x"] for part in pieces({"x": batch}, CPU)]
    assert [len(part) for part in parts] == [4, 4, 2]
    assert torch.equal(torch.cat(parts), batch)


def test_one_row_that_is_too_large_is_a_piece_of_its_own():
    assert [len(p[""]) for p in pieces({"": torch.zeros(2, 3, 600, 600)}, CPU)] == [1, 1]


def test_other_devices_and_uneven_inputs_take_the_whole():
    batch = {"": torch.zeros(8, 3, 224, 224)}
    assert pieces(batch, torch.device("cuda")) == [batch]
    uneven = batch | {"scale": torch.ones(1)}
    assert pieces(uneven, CPU) == [uneven]
