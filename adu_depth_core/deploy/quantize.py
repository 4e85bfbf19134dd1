"""INT8 by Q/DQ nodes, calibrated on real frames."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from adu_depth_core.deploy.graph import fingerprint_nodes, head_nodes, nodes_after, ray_nodes
from adu_depth_core.deploy.split_convolutions import split_convolutions
from adu_depth_core.errors import require
from adu_depth_core.inference.backends.base import IMAGE, MU, NetworkInput

RULE = (
    "everything but convolutions and sums; the first convolution and the depthwise ones (their channels' "
    "ranges differ too much for one scale); the rays of pixels, the fingerprint, and the last convolution. "
    "Convolutions of concatenated features are sums of one convolution per part (OpenVINO 2026.4 computes "
    "INT8 convolutions that read a concatenation wrongly)"
)
METHOD = (
    "NNCF post-training quantisation with fast bias correction, symmetric INT8, weights per channel in 7 "
    "bits; then log depth is shifted to FP32's mean over the calibration frames"
)
FLOAT_KINDS = ("MatMul", "Softmax", "InstanceNormalization", "Mul", "Resize", "Concat")


def quantize(model: Any, inputs: list[NetworkInput]) -> tuple[Any, list[str]]:
    """Quantise the convolutions.

    :param model: FP32 ``onnx.ModelProto``, changed in place
    :param inputs: calibration frames as network inputs
    :return: the new graph, and the names of the convolutions kept in FP32
    """
    nncf = require("nncf", "deploy", "for INT8")
    # Not nncf.set_log_level: it also sets the level of handlers that others have put on its logger.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    split_convolutions(model)
    kept = sorted(
        head_nodes(model) | fingerprint_nodes(model) | ray_nodes(model) | _narrow_convolutions(model)
    )
    quantized = nncf.quantize(
        model,
        nncf.Dataset(inputs, NetworkInput._asdict),
        subset_size=len(inputs),
        preset=nncf.QuantizationPreset.PERFORMANCE,  # symmetric
        # 7 bits: CPUs without VNNI add two products of 8 bits in 16, which saturates. With 8 bits OpenVINO's
        # abs_rel was 3.9 % above FP32's on such a CPU (AVX2), with 7 it is 0.9 %.
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
        ignored_scope=nncf.IgnoredScope(names=kept, types=list(FLOAT_KINDS), validate=False),
    )
    _make_signed(quantized)
    _shift_log_depth(quantized, _mean_log_depth(quantized, inputs) - _mean_log_depth(model, inputs))
    convolutions = {node.name for node in model.graph.node if node.op_type == "Conv"}
    return quantized, sorted(convolutions & set(kept))


def _narrow_convolutions(model: Any) -> set[str]:
    """Names of the first convolution of the image and of the depthwise ones."""
    seeing = nodes_after(model, (IMAGE,))
    convolutions = [node for node in model.graph.node if node.op_type == "Conv" and node.name in seeing]
    depthwise = (n for n in convolutions if any(a.name == "group" and a.i > 1 for a in n.attribute))
    return {node.name for node in (*convolutions[:1], *depthwise)}


def _mean_log_depth(model: Any, inputs: list[NetworkInput]) -> float:
    """Mean of ``mu`` over all pixels of the inputs."""
    onnxruntime = require("onnxruntime", "onnxruntime", "for INT8")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return float(np.mean([session.run([MU], seen._asdict())[0].mean() for seen in inputs]))


def _shift_log_depth(model: Any, excess: float) -> None:
    """Subtract a constant from ``mu``, in place.

    Rounding shifts the mean of each layer a little. NNCF corrects layers one at a time on FP32 inputs, so the
    decoder's shifts add up: to 4 % of depth for base.
    """
    import onnx

    unshifted, offset = f"{MU}/unshifted", f"{MU}/excess"
    for node in model.graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == MU:
                    names[index] = unshifted
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(excess), offset))
    model.graph.node.append(onnx.helper.make_node("Sub", [unshifted, offset], [MU], f"/{MU}/Sub"))


def _make_signed(model: Any) -> None:
    """Turn UINT8 activations without zero point into INT8 of the same range: TensorRT takes only INT8.

    NNCF chooses UINT8 where an activation is never negative and cannot be told otherwise.
    """
    import onnx

    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    scales, zeros = set(), set()
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            _, scale, zero = node.input
            if tensors[zero].data_type == onnx.TensorProto.UINT8:
                scales.add(scale)
                zeros.add(zero)
    for name in scales:
        wider = onnx.numpy_helper.to_array(tensors[name]) * np.float32(255 / 127)
        tensors[name].CopyFrom(onnx.numpy_helper.from_array(wider, name))
    for name in zeros:
        zero = onnx.numpy_helper.to_array(tensors[name])
        if zero.any():
            raise ValueError(f"{name} is a zero point other than 0: the quantisation is not symmetric")
        tensors[name].CopyFrom(onnx.numpy_helper.from_array(zero.astype(np.int8), name))
    del model.graph.value_info[:]  # they still have the former types
