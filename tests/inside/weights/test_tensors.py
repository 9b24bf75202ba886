from __future__ import annotations

import pytest
import torch
from torch import nn

from pellucid.errors import LayerError, ModelError
from pellucid.inside.weights.grouping import group_names
from pellucid.inside.weights.tensors import choose_parts, tied_names


def names(model, **options):
    return [part.name for part in choose_parts(model, **options)[0]]


def test_gates_of_an_lstm_are_parts_in_torchs_order(recurrent):
    found = names(recurrent)
    assert found[:4] == [
        f"lstm.weight_ih_l0 · {gate}"
        for gate in ("input gate", "forget gate", "cell candidate", "output gate")
    ]
    part = choose_parts(recurrent)[0][1]
    whole = recurrent.module.lstm.weight_ih_l0
    torch.testing.assert_close(part.of(whole), whole[5:10])
    assert part.shape == (5, 4)


def test_gates_of_a_gru_and_projections_of_attention_are_parts(wrapped):
    gru = names(wrapped(nn.GRU(3, 2)))
    assert gru[2] == "weight_ih_l0 · new state"
    attention = names(wrapped(nn.MultiheadAttention(4, 2)))
    assert attention[:3] == [f"in_proj_weight · {w}" for w in ("query", "key", "value")]
    fused = nn.Sequential()
    fused.add_module("qkv", nn.Linear(4, 12))
    assert names(wrapped(fused))[-1] == "qkv.bias · value"


def test_outputs_of_transposed_layers_are_their_second_dimension(wrapped):
    transformers = pytest.importorskip("transformers")
    layers = nn.Sequential(nn.ConvTranspose2d(3, 5, 2), transformers.pytorch_utils.Conv1D(7, 4))
    parts, _ = choose_parts(wrapped(layers), "0,1")
    weights = [p for p in parts if p.role == "weight"]
    shapes = [p.matrix(torch.zeros(p.shape)).shape for p in weights]
    assert shapes == [(5, 12), (7, 4)]


def test_leading_ones_of_position_embeddings_do_not_count(wrapped):
    module = nn.Module()
    module.position = nn.Parameter(torch.zeros(1, 9, 4))
    module.scale = nn.Parameter(torch.tensor(2.0))
    parts, _ = choose_parts(wrapped(module))
    assert parts[0].matrix(module.position).shape == (9, 4)
    assert parts[1].matrix(module.scale) is None


def test_whole_numbers_are_named_and_left_out(wrapped):
    module = nn.Linear(2, 2)
    module.codes = nn.Parameter(torch.zeros(3, dtype=torch.int8), requires_grad=False)
    module.register_buffer("places", torch.arange(4))
    parts, skipped = choose_parts(wrapped(module))
    assert [part.name for part in parts] == ["weight", "bias"]
    assert [(one.name, one.reason) for one in skipped] == [
        ("codes", "holds int8, not floating-point numbers"),
        ("places", "holds int64, not floating-point numbers"),
    ]


def test_running_statistics_are_buffers_and_counters_are_passed_over(picture_model):
    roles = {part.name: part.role for part in choose_parts(picture_model)[0]}
    assert roles["norm.running_var"] == "buffer"
    assert "norm.num_batches_tracked" not in roles
    assert roles["norm.bias"] == "bias"


def test_layers_choose_what_they_contain(picture_model):
    assert names(picture_model, layers="Conv2d") == [
        "first.weight", "first.bias", "second.weight", "second.bias",
    ]  # fmt: skip
    with pytest.raises(LayerError, match="Closest: 'second'"):
        choose_parts(picture_model, "secnd")
    with pytest.raises(LayerError, match="'act' of tiny hold no weights"):
        choose_parts(picture_model, "act")


def test_a_model_without_weights_is_refused(wrapped):
    with pytest.raises(ModelError, match="no weights in floating-point numbers; expected"):
        choose_parts(wrapped(nn.Identity()))
    with torch.device("meta"):
        module = nn.Linear(2, 2)
    with pytest.raises(ModelError, match="lies on the meta device"):
        choose_parts(wrapped(module))


def test_tied_parameters_are_one(wrapped):
    module = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    module[1].weight = module[0].weight
    assert names(wrapped(module)) == ["0.weight"]
    assert tied_names(module) == [("0.weight", "1.weight")]


def test_groups_are_the_parts_people_speak_of():
    blocks = [f"blocks.{n}.{part}" for n in range(12) for part in ("conv", "norm", "fc")]
    found = group_names(["stem.conv", *blocks, "head.fc"])
    assert list(dict.fromkeys(found)) == ["stem", *(f"blocks.{n}" for n in range(12)), "head"]
    assert group_names(["a"]) == ["a"]
