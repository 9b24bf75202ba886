"""ONNX files by what they declare."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import ModelError
from pellucid.inside.structure import structure_of_onnx
from pellucid.inside.structure.blocks import in_blocks
from pellucid.inside.structure.parts import Operator

onnx = pytest.importorskip("onnx", reason="onnx is not installed")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """/stem/Conv, /stem/Relu, a product with a matrix, LSTM without a formula; batch is free."""
    from onnx import TensorProto, helper, numpy_helper

    def weight(name: str, *shape: int):
        return numpy_helper.from_array(np.zeros(shape, np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="/stem/conv/Conv"),
        helper.make_node("Relu", ["c"], ["r"], name="/stem/Relu"),
        helper.make_node("Flatten", ["r"], ["f"], name="/Flatten"),
        helper.make_node("MatMul", ["f", "m"], ["y"], name="/head/MatMul"),
        helper.make_node("Einsum", ["y"], ["z"], name="/Einsum", equation="ij->ij"),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 5])],
        [weight("w", 4, 3, 3, 3), weight("b", 4), weight("m", 144, 5)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    path = tmp_path / "made.onnx"
    onnx.save(model, path)
    return path


def test_figures_by_hand(made):
    structure = structure_of_onnx(made)
    data = structure.data
    operators = data["operator"].values.tolist()
    assert operators == ["input", "convolution", "relu", "Flatten", "matmul", "Einsum", "output"]
    conv, product, unknown = operators.index("convolution"), operators.index("matmul"), 5
    assert data["flops"].values[conv] == 2 * 4 * 36 * 27
    assert data["parameters"].values[conv] == 4 * 27 + 4
    assert data["shape"].values[conv] == "batch × 4 × 6 × 6"
    assert data["bytes"].values[conv] == 4 * 4 * 36
    assert data["flops"].values[product] == 2 * 144 * 5
    assert math.isnan(data["flops"].values[unknown])
    assert "unknown" in structure.summary()
    names = data["group_name"].values[data["node_group"].values].tolist()
    assert names[conv] == "stem/conv"
    assert names[2] == "stem"
    assert int(data["group_parameters"].values[0]) == 112 + 720


def test_weights_may_be_missing(made, tmp_path):
    model = onnx.load(made)
    onnx.save(
        model, tmp_path / "big.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    (tmp_path / "w").unlink()
    one, other = structure_of_onnx(made), structure_of_onnx(tmp_path / "big.onnx")
    assert one.data.drop_attrs().identical(other.data.drop_attrs())


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07" + b"\xff" * 40])
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"x.onnx .*ONNX model"):
        structure_of_onnx(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelError, match="there is no such file"):
        structure_of_onnx(tmp_path / "nothing.onnx")


def test_operators_without_modules_are_put_in_blocks():
    operators = [Operator(name="x", operator="input", kind="input")]
    for _ in range(10):
        start = len(operators) - 1
        names = ["conv", "relu", "conv", "conv"]
        for number, name in enumerate(names):
            operators.append(Operator(name="", operator=name, inputs=(start + number,)))
        operators.append(Operator(name="", operator="add", inputs=(start, len(operators) - 1)))
    found = [one.path for one in in_blocks(operators)]
    assert found[0] == ()
    assert found[1:] == [(f"block {1 + place // 5}",) for place in range(50)]
    assert in_blocks(operators[:20]) == tuple(operators[:20])


def test_shapes_that_cannot_be_inferred_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("inference gave up\nat length")

    file = tmp_path / "net.onnx"
    node = onnx.helper.make_node("Relu", ["x"], ["y"], name="act")
    value = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 4]) for n in "xy"]
    graph = onnx.helper.make_graph([node], "net", value[:1], value[1:])
    onnx.save(onnx.helper.make_model(graph), str(file))
    monkeypatch.setattr(onnx.shape_inference, "infer_shapes", broken)
    notes = structure_of_onnx(file).meta.notes
    assert "Shapes that the file does not give are unknown: inference gave up" in notes
