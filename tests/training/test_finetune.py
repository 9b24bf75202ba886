"""Fine-tuning learns, records, leaves the given model alone, and says what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from pellucid.data.source import load_data, wrap_data
from pellucid.errors import DataError, SpecError, TrainingError
from pellucid.model.source import wrap
from pellucid.training.finetune import finetune
from pellucid.training.nonfinite import NonFiniteLoss
from pellucid.training.trainer import balanced_weights
from pellucid.workspace.run import Run

STRATEGIES = ("head", "partial", "full", "gradual", "lora")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_learns_and_leaves_the_given_model_alone(strategy, model, digits, tmp_path):
    model.module[2].train()
    before = {name: t.clone() for name, t in model.module.state_dict().items()}
    modes = [m.training for m in model.module.modules()]
    flags = [p.requires_grad for p in model.module.parameters()]
    run = finetune(
        model,
        digits,
        strategy=strategy,
        epochs=6,
        batch_size=16,
        learning_rate=1e-2,
        out=tmp_path / "run",
        workspace=tmp_path,
        show=False,
    )
    epochs = run.metrics()
    assert run.status == "finished"
    assert len(epochs) == 6
    assert epochs[-1]["train_loss"] < 0.98 * epochs[0]["train_loss"]
    assert all(torch.equal(t, before[name]) for name, t in model.module.state_dict().items())
    assert [m.training for m in model.module.modules()] == modes
    assert [p.requires_grad for p in model.module.parameters()] == flags


def test_head_trains_the_head_only_and_runs_the_frozen_part_once(model, digits, tmp_path):
    run = finetune(model, digits, epochs=5, out=tmp_path / "run", workspace=tmp_path, show=False)
    from safetensors.torch import load_file

    tuned = load_file(run.path / "model" / "model.safetensors")
    for name, tensor in model.module.state_dict().items():
        assert torch.equal(tensor, tuned[name]) == (not name.startswith("5."))
    assert run.record["trained_parameters"] == 64 * 10 + 10
    assert "ran once" in " ".join(run.record["notes"])


def test_cached_and_live_training_give_the_same_weights(model, digits, tmp_path):
    """Caching is only faster: the same steps on the same numbers."""
    results = []
    for number, size in enumerate((2**31, 0)):
        run = finetune(
            model,
            digits,
            strategy="head",
            epochs=3,
            cache_bytes=size,
            out=tmp_path / str(number),
            workspace=tmp_path,
            show=False,
        )
        results.append(run.metrics("step"))
    for cached, live in zip(*results, strict=True):
        assert cached["loss"] == pytest.approx(live["loss"], rel=1e-4)


def test_activations_larger_than_the_limit_go_to_disk_and_give_the_same_steps(
    model, digits, tmp_path
):
    losses = []
    for number, size in enumerate((2**31, 1000)):
        run = finetune(
            model,
            digits,
            strategy="partial",
            epochs=2,
            cache_bytes=size,
            out=tmp_path / str(number),
            workspace=tmp_path,
            show=False,
        )
        losses.append([line["loss"] for line in run.metrics("step")])
    assert losses[0] == losses[1]
    assert "kept on disk" in run.summary()
    assert not (run.path / "cache").exists()


def test_the_run_tells_curves_learning_rate_timing_and_origin(model, digits, tmp_path):
    run = finetune(model, digits, epochs=2, out=tmp_path / "r", workspace=tmp_path, show=False)
    assert [view.title for view in run.views()] == ["Loss", "Accuracy", "Learning rate"]
    record = json.loads((run.path / "run.json").read_text())
    assert record["model"]["weights"] == model.identity.weights
    assert record["data"]["train"]["num_samples"] == len(run.training_ids)
    assert record["seconds"] > 0
    assert {"learning_rate", "loss", "gradient_norm"} <= set(run.metrics("step")[0])
    assert set(run.training_ids) < set(digits.ids)


def test_the_fine_tuned_model_opens_again_in_a_wrapped_module(
    model, make_network, digits, tmp_path
):
    run = finetune(model, digits, epochs=2, out=tmp_path / "r", workspace=tmp_path, show=False)
    again = wrap(
        make_network().eval(),
        input=model.input,
        labels=digits.labels,
        weights=run.path / "model" / "model.safetensors",
    )
    picture = digits[0].input
    assert again.predict([picture]).shape == (1, 10)


def test_augmentation_keeps_the_stated_number_of_views(model, digits, tmp_path):
    run = finetune(
        model,
        digits,
        epochs=3,
        augment="crop",
        num_views=3,
        out=tmp_path / "r",
        workspace=tmp_path,
        show=False,
    )
    assert "3 augmented views" in run.summary()


def test_early_stopping_ends_when_validation_no_longer_gains(model, digits, tmp_path):
    run = finetune(
        model,
        digits,
        strategy="head",
        epochs=40,
        learning_rate=0.5,
        optimizer="sgd",
        schedule="constant",
        patience=2,
        out=tmp_path / "r",
        workspace=tmp_path,
        show=False,
    )
    epochs = run.metrics()
    best = run.record["best"]["epoch"]
    assert len(epochs) < 40
    assert best == min(epochs, key=lambda line: line["validation_loss"])["epoch"]
    assert len(epochs) == best + 2


def test_balanced_weights_by_hand():
    weights = balanced_weights(np.array([0, 0, 0, 1]), 2)
    torch.testing.assert_close(weights, torch.tensor([4 / 6, 4 / 2]))


def test_a_loss_that_is_not_finite_stops_with_step_samples_and_causes(model, digits, tmp_path):
    with torch.no_grad():
        model.module[0].weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(
        NonFiniteLoss, match=r"not finite at step 1\. Samples in the batch: digit"
    ) as e:
        finetune(model, digits, strategy="full", out=tmp_path / "r", workspace=tmp_path, show=False)
    assert "weights are not finite already" in str(e.value)
    assert e.value.details["step"] == 1
    assert len(e.value.details["samples"]) == 32
    run = Run.open(tmp_path / "r")
    assert run.status == "failed"
    assert "not finite" in run.record["why"]


def test_bad_settings_are_refused_before_any_work(model, digits, tmp_path):
    cases = {
        "learning_rat": (1.0, "no option 'learning_rat'. Closest: 'learning_rate'"),
        "epochs": (0, "epochs=0 is too small"),
        "strategy": ("heads", "Closest: 'head'"),
        "augment": ("flop", "Closest: 'flip'"),
        "precision": ("fp16", "needs a GPU"),
        "num_views": (3, "without augment"),
    }
    for name, (value, message) in cases.items():
        with pytest.raises(SpecError, match=message.replace("(", r"\(")):
            finetune(model, digits, **{name: value}, out=tmp_path / name, workspace=tmp_path)
        assert not (tmp_path / name / "checkpoints").exists()
    with pytest.raises(SpecError, match="matches no parameter"):
        finetune(
            model, digits, strategy="partial", pattern="xyz", out=tmp_path / "p", workspace=tmp_path
        )


def test_data_that_cannot_be_trained_on_is_refused(model, digits, tmp_path):
    one = digits.subset(np.flatnonzero(digits.targets == 3))
    with pytest.raises(DataError, match="1 classes with samples"):
        finetune(model, one, out=tmp_path / "r", workspace=tmp_path)
    rows = wrap_data([(np.zeros(4, dtype=np.float32), n % 2) for n in range(20)])
    with pytest.raises(DataError, match="holds array samples"):
        finetune(model, rows, out=tmp_path / "r", workspace=tmp_path)


def test_a_folder_that_holds_a_run_is_not_overwritten(model, digits, tmp_path):
    settings = {"epochs": 1, "out": tmp_path / "r", "workspace": tmp_path, "show": False}
    first = finetune(model, digits, **settings)
    with pytest.raises(TrainingError, match="holds a run already"):
        finetune(model, digits, **settings)
    with pytest.raises(TrainingError, match="batch_size: 32 then, 16 now"):
        finetune(model, digits, **settings, batch_size=16, resume=True)
    assert finetune(model, digits, **settings, resume=True).id == first.id


def test_a_spec_takes_its_own_train_and_validation_parts(model, tmp_path):
    run = finetune(
        model, "bundled:digits", epochs=1, out=tmp_path / "r", workspace=tmp_path, show=False
    )
    data = run.record["data"]
    assert (data["train"]["split"], data["validation"]["split"]) == ("train", "val")
    test = load_data("bundled:digits", split="test")
    assert not run.training_ids & set(test.ids)


def test_validation_data_with_other_classes_is_refused(model, digits, tmp_path):
    other = wrap_data([(digits.read(i), i % 2) for i in range(4)], labels=("even", "odd"))
    with pytest.raises(DataError, match=r"classes even, odd, the training data .* same order"):
        finetune(model, digits, validation=other, out=tmp_path / "run", workspace=tmp_path)
