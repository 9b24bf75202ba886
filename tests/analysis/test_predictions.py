import numpy as np
import pytest
import torch
from torch import nn

from pellucid.analysis.predictions import predict_all
from pellucid.errors import DataError, ModelError
from pellucid.model import Model, TextInput


def state(module):
    return (
        [part.training for part in module.modules()],
        {name: value.clone() for name, value in module.state_dict().items()},
        [parameter.grad for parameter in module.parameters()],
        [parameter.requires_grad for parameter in module.parameters()],
    )


def assert_same_state(before, after):
    assert before[0] == after[0]
    assert all(torch.equal(before[1][name], after[1][name]) for name in before[1])
    assert all(value is None for value in after[2])
    assert before[3] == after[3]


def test_batches_and_workers_make_no_difference(digits_model, digits_data):
    one = predict_all(digits_model, digits_data, batch_size=597)
    other = predict_all(digits_model, digits_data, batch_size=7, workers=1)
    assert one.logits.dtype == np.float32
    assert one.logits.shape == (597, 10)
    np.testing.assert_array_equal(one.positions, np.arange(597))
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-5)
    expected = digits_model.predict([digits_data.read(5)])
    np.testing.assert_allclose(torch.tensor(one.logits[5]).softmax(-1), expected[0], atol=1e-6)


def test_the_model_is_left_as_it_was(digits_model, digits_data):
    digits_model.module.train()
    digits_model.module[2].eval()
    before = state(digits_model.module)
    predict_all(digits_model, digits_data)
    assert_same_state(before, state(digits_model.module))


def test_the_model_is_left_as_it_was_after_an_error(digits_model, make_data):
    data = make_data([np.zeros(64), np.full(64, np.nan)], [0, 1], ("a", "b"))
    before = state(digits_model.module)
    with pytest.raises(ModelError):
        predict_all(digits_model, data)
    assert_same_state(before, state(digits_model.module))


def test_unreadable_samples_are_left_out_and_counted(identity_model, make_data):
    data = make_data(np.eye(25), np.zeros(25), ("a",), unreadable=[0, 7])
    found = predict_all(identity_model(), data, batch_size=4)
    assert found.num_unreadable == 2
    assert found.positions.tolist() == [*range(1, 7), *range(8, 25)]
    np.testing.assert_array_equal(found.logits, np.eye(25)[found.positions])


def test_outputs_that_are_not_finite_name_their_samples(identity_model, make_data):
    logits = np.zeros((8, 2))
    logits[[2, 3, 5, 6, 7], 1] = [np.nan, np.inf, -np.inf, np.nan, np.nan]
    data = make_data(logits, np.zeros(8), ("a", "b"))
    with pytest.raises(
        ModelError, match=r"not finite .* for 's2', 's3', 's5' and 2 more"
    ) as raised:
        predict_all(identity_model(), data)
    assert raised.value.details["samples"] == ["s2", "s3", "s5", "s6", "s7"]


@pytest.mark.parametrize("shape", [(4, 1), (4, 3, 2)])
def test_other_outputs_than_class_logits_are_refused(identity_model, make_data, shape):
    data = make_data(np.zeros(shape), np.zeros(4), ("a",))
    with pytest.raises(ModelError, match="one row per sample"):
        predict_all(identity_model(), data)


def test_no_readable_sample(identity_model, make_data):
    data = make_data([np.zeros(2)], [0], ("a", "b"), unreadable=[0])
    with pytest.raises(DataError, match="none of its 1 samples can be read"):
        predict_all(identity_model(), data)


def test_texts_for_a_model_of_arrays(identity_model, make_data):
    data = make_data(["good"], [0], ("a", "b"), kind="text")
    with pytest.raises(DataError, match="kind 'text', but identity takes arrays"):
        predict_all(identity_model(), data)


def test_arrays_for_a_model_of_texts(make_data):
    model = Model(module=nn.Identity(), source="bert", input=TextInput(tokenizer=[]))
    with pytest.raises(DataError, match="kind 'array', but bert takes texts"):
        predict_all(model, make_data([np.zeros(2)], [0], ("a", "b")))


def test_the_check_comes_after_the_first_batch(identity_model, make_data):
    seen = []

    def check(num_logits):
        seen.append(num_logits)
        raise DataError("does not fit")

    data = make_data(np.eye(9), np.zeros(9), ("a",))
    with pytest.raises(DataError, match="does not fit"):
        predict_all(identity_model(), data, batch_size=2, check=check)
    assert seen == [9]
