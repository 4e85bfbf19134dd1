"""Write a trained student as safetensors, ONNX and model card."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import onnx
import torch
from safetensors.torch import save
from torch import nn

from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.base import CAMERA, FINGERPRINT, INPUTS, OUTPUTS, blank_input
from adu_depth_core.model_card import ModelCard, card_path, file_sha256
from adu_depth_core.networks.student import Student, load_student

OPSET = 17

FULL_PRECISION = "fingerprint."
"""Tensors that stay FP32 in a file: features differ so in scale that a whitening spans more than FP16."""


def save_weights(network: nn.Module, path: Path) -> None:
    """Save weights as FP16 safetensors, atomically; the fingerprint's and integer buffers keep their type."""
    tensors = {
        name: (
            tensor.half() if tensor.is_floating_point() and not name.startswith(FULL_PRECISION) else tensor
        ).contiguous()
        for name, tensor in network.state_dict().items()
    }
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(tensors))


def export_onnx(student: Student, card: ModelCard, path: Path) -> None:
    """Export as FP32 ONNX, checked by ``onnx.checker``, atomically.

    Inputs ``image`` float32 ``(N, 3, H, W)`` and ``camera`` ``(N, 4)``, outputs ``mu`` and ``log_b`` float32
    ``(N, 1, H, W)`` and ``fingerprint`` ``(N, 1 + faults)``, see ``backends.base``; N, H and W are dynamic,
    H and W multiples of the card's ``size_multiple``.
    """
    inputs = blank_input(2, (card.input_height, card.input_width))
    pixels, rows = {0: "batch", 2: "height", 3: "width"}, {0: "batch"}
    with write_atomically(path) as temporary:
        with warnings.catch_warnings():
            # The newer exporter did not finish in 10 minutes with dynamic height and width (torch 2.15).
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                student.eval(),
                tuple(map(torch.from_numpy, inputs)),
                temporary,
                dynamo=False,
                opset_version=OPSET,
                input_names=list(INPUTS),
                output_names=list(OUTPUTS),
                dynamic_axes={
                    name: rows if name in (CAMERA, FINGERPRINT) else pixels for name in (*INPUTS, *OUTPUTS)
                },
            )
        onnx.checker.check_model(temporary, full_check=True)


def export_student(weights: Path, card: ModelCard, out: Path) -> ModelCard:
    """Export a safetensors student to ``out`` (``NAME.onnx``) with its weights and card beside it.

    The ONNX is made from the stored, FP16-rounded weights, so that every backend computes with the
    same numbers.

    :return: the card, naming the SHA-256 of both files
    """
    student = load_student(weights, card)
    stored = out.with_suffix(".safetensors")
    if stored.resolve() != weights.resolve():
        save_weights(student, stored)
        student = load_student(stored, card)
    export_onnx(student, card, out)
    card = dataclasses.replace(
        card,
        files={path.name: file_sha256(path) for path in (out, stored)},
        extra={**card.extra, "opset": OPSET, "precision": "fp32"},
    )
    card.write(card_path(out))
    return card
