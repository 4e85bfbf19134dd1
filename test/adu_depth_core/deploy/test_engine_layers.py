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


def test_layers_of_the_inspector():
    tensors = [{"Name": "a", "Dimensions": [1, 3], "Format/Datatype": "Half"}]
    text = json.dumps(
        {"Layers": [{"Name": "c", "LayerType": "Convolution", "Inputs": tensors, "Outputs": tensors}]}
    )
    assert layers_of_inspector(text) == [Layer("c", "Convolution", ("fp16",), ("fp16",))]
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
