"""Texts, recurrent layers over time, and heads of attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from pellucid.inside.activations import inspect_activations
from pellucid.inside.activations.gates import GateStatistics, unroll
from pellucid.inside.activations.heads import HeadStatistics, by_head, distances
from pellucid.inside.activations.shown_units import cut_out, in_context
from pellucid.model import ArrayInput, Model
from pellucid.views import Matrix, Table

LAYERS = {
    "lstm": lambda: nn.LSTM(4, 6, batch_first=True),
    "deep lstm": lambda: nn.LSTM(4, 3, num_layers=2, bidirectional=True, dropout=0.3),
    "projected": lambda: nn.LSTM(4, 6, proj_size=2, batch_first=True, bias=False),
    "gru": lambda: nn.GRU(4, 5, num_layers=2, batch_first=True),
    "both ways": lambda: nn.GRU(4, 5, bidirectional=True),
    "rnn": lambda: nn.RNN(4, 5, nonlinearity="relu"),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("kind", LAYERS)
def test_unrolled_states_are_those_of_the_layer(kind: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[kind]().eval()
    inputs = torch.randn(3, 7, 4)
    given = inputs if layer.batch_first else inputs.transpose(0, 1)
    with torch.no_grad():
        expected, _ = layer(given)
        found = unroll(layer, (given,), "layer")
    expected = expected if layer.batch_first else expected.transpose(0, 1)
    last = found[-2:] if layer.bidirectional else found[-1:]
    states = torch.cat([each.values["hidden state"] for each in last], -1)
    torch.testing.assert_close(states, expected)
    assert len(found) == layer.num_layers * (2 if layer.bidirectional else 1)


def test_gates_of_an_lstm_worked_by_hand() -> None:
    layer = nn.LSTM(1, 1, batch_first=True)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.weight_ih_l0[:] = torch.tensor([[100.0], [-100.0], [1.0], [0.0]])
        (found,) = unroll(layer, (torch.ones(1, 2, 1),), "lstm")
    values = {name: each[0, :, 0].tolist() for name, each in found.values.items()}
    assert values["input gate"] == pytest.approx([1, 1])
    assert values["forget gate"] == pytest.approx([0, 0])
    assert values["output gate"] == pytest.approx([0.5, 0.5])
    assert values["cell state"] == pytest.approx([np.tanh(1)] * 2)
    statistics = GateStatistics()
    statistics.update([found], None)
    assert statistics.open["lstm", "input gate"] == 2
    assert statistics.closed["lstm", "forget gate"] == 2
    assert statistics.open["lstm", "output gate"] == statistics.closed["lstm", "output gate"] == 0


def test_packed_sequences_end_where_they_end() -> None:
    torch.manual_seed(0)
    layer = nn.LSTM(4, 3, bidirectional=True, batch_first=True)
    inputs, lengths = torch.randn(2, 5, 4), [5, 3]
    with torch.no_grad():
        packed = pack_padded_sequence(inputs, lengths, batch_first=True)
        found = unroll(layer, (packed,), "lstm")
        alone, _ = layer(inputs[1:, :3])
    states = torch.cat([each.values["hidden state"][1] for each in found], -1)
    torch.testing.assert_close(states[:3], alone[0])
    assert found[0].used.tolist() == [[True] * 5, [True] * 3 + [False] * 2]


@pytest.mark.parametrize("kind", ["lstm", "deep lstm", "gru", "rnn"])
def test_recurrent_networks(recurrent, steps, caught, kind: str) -> None:
    torch.manual_seed(0)
    model = recurrent(LAYERS[kind]())
    found = inspect_activations(model, steps, shown=["s2"], batch_size=4, show=False)
    data = found.data
    assert data["layer"].values.tolist() == ["layer"]
    expected = caught(model, steps, ["layer"])["layer"]
    np.testing.assert_allclose(data["unit_mean"], expected.mean((0, 1)), rtol=1e-4, atol=1e-6)
    name = str(data["recurrent_name"].values[-1])
    assert ("layer 2" in name) == (kind in ("deep lstm", "gru"))
    heat = [view for view in found.views() if view.title == f"Hidden state of {name} in s2"]
    assert len(heat) == 1
    assert isinstance(heat[0], Matrix)
    assert heat[0].values.shape[1] == 5
    assert ("gate" in data.sizes) == (kind != "rnn")


def test_steps_first_is_seen(recurrent, steps, caught) -> None:
    torch.manual_seed(0)
    model = recurrent(nn.GRU(4, 5))
    found = inspect_activations(model, steps, batch_size=9, shown=0, show=False)
    expected = caught(model, steps, ["layer"])["layer"]  # steps, samples, units
    assert int(found.data["num_positions"][0]) == 5
    peak = expected.amax(0)
    np.testing.assert_allclose(found.data["top_value"][:, 0], peak.amax(0), rtol=1e-5)
    first = found.data["met_id"].values[found.data["top_sample"].values[:, 0]]
    assert first.tolist() == [f"s{index}" for index in peak.argmax(0).tolist()]


def test_padding_of_texts_does_not_count(text_model, texts) -> None:
    layer = "bert.encoder.layer.1"
    options = {"layers": layer, "shown": 0, "show": False}
    together = inspect_activations(text_model, texts, batch_size=6, **options).data
    alone = inspect_activations(text_model, texts, batch_size=1, **options).data
    for name in ("unit_mean", "unit_std", "unit_max", "unit_active", "head_entropy"):
        np.testing.assert_allclose(together[name], alone[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(together["top_sample"], alone["top_sample"])
    np.testing.assert_array_equal(together["top_place"], alone["top_place"])


def test_texts_show_their_words(text_model, texts) -> None:
    found = inspect_activations(text_model, texts, shown=2, show=False)
    names = found.data["layer"].values.tolist()
    assert names[0] == "bert.embeddings"
    assert any(name.startswith("bert.encoder.layer.1") for name in names)
    assert names[-1].startswith("bert.pooler")
    (table,) = [view for view in found.views() if view.title.startswith("Samples with")]
    assert isinstance(table, Table)
    assert any("‹" in str(text) for text in table.columns[-2].values)
    whom = [view for view in found.views() if view.title.startswith("Who looks at whom")]
    assert whom
    assert isinstance(whom[0], Matrix)
    assert whom[0].rows[0] == "[CLS]"
    np.testing.assert_allclose(whom[0].values.sum(1), 1, atol=5e-3)


def test_attention_is_what_the_model_itself_tells(text_model, texts) -> None:
    found = inspect_activations(text_model, texts, shown=["s1"], show=False).data
    inputs = text_model.prepare([texts.read(1)])
    text_model.module.set_attn_implementation("eager")
    with torch.no_grad(), text_model.evaluating():
        told = text_model.module(**inputs, output_attentions=True).attentions
    for layer, expected in enumerate(told):
        np.testing.assert_allclose(found["attention"].values[0, layer], expected[0], atol=2e-3)


def test_entropy_and_distance_worked_by_hand() -> None:
    heads = HeadStatistics(None)
    weights = torch.zeros(1, 2, 4, 4)
    weights[0, 0] = torch.eye(4)
    weights[0, 1] = 0.25
    heads.begin(1, None)
    heads.receive("attention", weights)
    (found,) = heads.heads
    assert (found.entropy / found.queries).tolist() == pytest.approx([0.0, 2.0])
    # |i − j| over 4 × 4 is 20 in all.
    assert (found.distance / found.cells).tolist() == pytest.approx([0.0, 20 / 16])


def test_distance_over_a_picture_leaves_the_class_token_out() -> None:
    apart, extra, unit = distances((5, 5), (8, 8)) or (Tensor(), -1, "")
    assert (extra, unit) == (1, "cells")
    assert apart[0].tolist() == pytest.approx([0, 1, 1, 2**0.5])
    assert distances((4, 5), None) is None
    assert distances((7, 7), (8, 8)) is None or distances((7, 7), (8, 8))[1] == 3


def test_heads_are_found_in_any_layout() -> None:
    assert by_head(torch.zeros(6, 4, 4), 2).shape == (2, 1, 3, 4, 4)
    assert by_head(torch.zeros(8, 3, 4, 4), 2).shape == (2, 4, 3, 4, 4)


def test_the_shortcut_of_pytorchs_transformer_hides_nothing(make_data) -> None:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.fc = nn.Linear(8, 2)

        def forward(self, rows: Tensor) -> Tensor:
            return self.fc(self.encoder(rows).mean(1))

    torch.manual_seed(0)
    model = Model(module=Encoder(), source="encoder", input=ArrayInput(), labels=("no", "yes"))
    rng = np.random.default_rng(0)
    data = make_data([rng.normal(size=(6, 8)) for _ in range(5)])
    found = inspect_activations(model, data, shown=1, show=False)
    assert found.data.sizes["head"] == 4
    assert any("encoder.layers.1" in name for name in found.data["layer"].values)
    with torch.no_grad(), model.evaluating():
        rows = model.prepare([data.read(i) for i in range(5)])[""]
        first = model.module.encoder.layers[0]
        _, weights = first.self_attn(rows, rows, rows, average_attn_weights=False)
    entropy = -(weights * weights.log2()).sum(-1).mean((0, 2))
    np.testing.assert_allclose(found.data["head_entropy"][:2], entropy, rtol=1e-4)


def test_a_word_in_its_context() -> None:
    tokens = ["[CLS]", "a", "very", "un", "##happi", "##ly", "bad", "film", "and", "dull", "[SEP]"]
    assert in_context(tokens, 6) == "… a very unhappily ‹bad› film and dull [SEP]"
    assert in_context(tokens, 5) == "[CLS] a very unhappi ‹ly› bad film and dull [SEP]"
    assert in_context(tokens, 0, whole=True).startswith("a very")


def test_a_piece_is_cut_around_the_place() -> None:
    picture = np.zeros((100, 100, 3), dtype=np.uint8)
    picture[70:90, 10:30] = 255
    piece = cut_out(picture, 0.8, 0.2, 10)
    assert piece.shape == (64, 64, 3)
    assert piece[32, 32].tolist() == [255, 255, 255]
    assert piece.mean() < 200
    corner = cut_out(picture, 0.0, 1.0, 10)
    assert corner.max() == 0
    assert cut_out(picture, float("nan"), float("nan"), 0).mean() == pytest.approx(10.2, abs=1)
