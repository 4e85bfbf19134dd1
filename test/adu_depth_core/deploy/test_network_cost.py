import numpy as np
import pytest

from adu_depth_core.deploy.graph import fix_size, load_graph
from adu_depth_core.deploy.network_cost import Cost, network_cost

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxslim")


@pytest.mark.parametrize("batch", [1, 4, None])
def test_convolutions_by_hand(color_student, batch):
    """Two 1x1 convolutions from three channels to one, on 64x192 images; a weighted sum of four numbers."""
    pixels = 64 * 192
    cost = network_cost(fix_size(load_graph(color_student), (64, 192), batch))
    assert cost == Cost(
        operations={"fp32": 2 * 2 * 3 * pixels + 2 * 4},
        activation_bytes=2 * (3 + 1) * pixels * 4 + (4 + 1) * 4,
        weight_bytes=2 * 3 * 4 + 4 * 4,
    )
    assert cost.moved(4) == 4 * cost.activation_bytes + 40


def test_a_product_sums_over_its_inner_dimension():
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT16
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["image", "w"], ["mu"])],
        "product",
        [helper.make_tensor_value_info("image", kind, [1, 5, 7])],
        [helper.make_tensor_value_info("mu", kind, [1, 5, 11])],
        [onnx.numpy_helper.from_array(np.zeros((7, 11), np.float16), "w")],
    )
    cost = network_cost(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]))
    assert cost == Cost({"fp16": 2 * 5 * 11 * 7}, 2 * (5 * 7 + 5 * 11), 2 * 7 * 11)


def test_precisions_move_and_compute_less_of_the_same(exported):
    costs = {
        name: network_cost(onnx.load(str(exported / f"{name}.onnx"))) for name in ("fp32", "fp16", "int8")
    }
    total = {name: sum(cost.operations.values()) for name, cost in costs.items()}
    assert total["fp32"] == total["fp16"] == total["int8"]
    assert costs["fp16"].operations["fp16"] > 0.9 * total["fp16"]
    assert costs["int8"].operations["int8"] > 0.3 * total["int8"]
    assert costs["fp16"].weight_bytes == pytest.approx(costs["fp32"].weight_bytes / 2, rel=0.06)
    assert costs["fp16"].activation_bytes < costs["int8"].activation_bytes < costs["fp32"].activation_bytes
