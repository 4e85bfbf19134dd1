import json

import pytest

from adu_depth_core.deploy.engine_layers import (
    Layer,
    check_precision,
    count_precisions,
    layers_of_inspector,
    layers_of_log,
)
from adu_depth_core.errors import UserError

LINE = (
    "Name: conv_{n}, LayerType: correlation, "
    "Inputs: [ {{ Name: a, Dimensions: [1,3], Strides: [3,1], Datatype: {kind}, Format: (NHWC) }}], "
    "Constants: [ {{ Name: w, Datatype: Float }}], "
    "Outputs: [ {{ Name: b, Dimensions: [1,3], Datatype: Float }}], TacticName: t_Half, StreamId: 0"
)


def log(*kinds: str) -> list[str]:
    return [
        "Engine Layer Information:\nLayers:\n"
        + "\n".join(LINE.format(n=n, kind=k) for n, k in enumerate(kinds))
    ]


def test_layers_of_the_builders_log():
    first, second = layers_of_log(log("Half", "Int8"))
    assert first == Layer("conv_0", "correlation", ("fp16",), ("fp32",))
    assert (second.precision, second.is_matrix) == ("int8", True)


@pytest.mark.parametrize(
    ("tensor", "precision"),
    [
        # TensorRT 10: the developer guide's Engine Inspector section
        ({"Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format"}, "int8"),
        ({"Format/Datatype": "Row major linear FP32 format"}, "fp32"),
        ({"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}, "fp16"),
        # TensorRT 11: the migration guide's IEngineInspector page splits the two
        ({"Format": "Row major linear FP32 format (kLINEAR)", "DataType": "Float"}, "fp32"),
        ({"Format": "Channel major format where channel % 8 == 0 (kHWC8)", "DataType": "Half"}, "fp16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_layers_of_the_inspector(tensor, precision):
    tensors = [{"Name": "a", "Location": "Device", "Dimensions": [1, 3], **tensor}]
    layer = {"Name": "c", "LayerType": "CaskConvolution", "Inputs": tensors, "Outputs": tensors}
    (found,) = layers_of_inspector(json.dumps({"Layers": [layer], "Bindings": ["image"]}))
    assert found == Layer("c", "CaskConvolution", (precision,), (precision,))
    assert found.is_matrix


def test_layer_names_alone_prove_nothing():
    with pytest.raises(UserError, match="only layer names"):
        layers_of_inspector('{"Layers": ["c"]}')


def test_an_engine_that_fell_back_to_fp32_is_refused():
    layers = layers_of_log(log("Float", "Float", "Half"))
    assert count_precisions(layers) == {"fp32": 2, "fp16": 1}
    check_precision(layers, "fp32")
    with pytest.raises(UserError, match=r"not fp16: of its 3 .* 1 fp16, 2 fp32"):
        check_precision(layers, "fp16")
    with pytest.raises(UserError, match="cannot be verified"):
        check_precision([], "fp16")
