"""Depth from a network in PyTorch, monocular or stereo: for evaluating checkpoints, not for vehicles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.network_size import check_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card

Infer = Callable[[np.ndarray, "np.ndarray | None", "float | None"], tuple[np.ndarray, np.ndarray]]
"""From the left and right network input ``(1, 3, H, W)`` and the baseline in metres to ``mu`` and ``log_b``,
``(H, W)``. Right view and baseline are None for a monocular network."""


@dataclass(frozen=True)
class Runtime:
    """What computes, for reports."""

    runtime: str


class CheckpointPredictor:
    """Like ``predictor.Predictor``, for any callable network.

    :param card: model card
    :param infer: the network
    :param stereo: whether it looks at the right view too
    :param network_size: ``(height, width)`` of its input; None for the card's
    :param model_path: where it came from
    :param runtime: name of what computes
    """

    def __init__(
        self,
        card: ModelCard,
        infer: Infer,
        stereo: bool,
        network_size: tuple[int, int] | None = None,
        model_path: Path | None = None,
        runtime: str = "PyTorch",
    ) -> None:
        self.card = card
        self.stereo = stereo
        self.network_size = network_size or (card.input_height, card.input_width)
        self.model_path = model_path
        self.backend = Runtime(runtime)
        self._infer = infer
        # One buffer each: a preprocessor's tensor is valid until its next call.
        self._preprocessors = [Preprocessor(card, self.network_size) for _ in range(1 + stereo)]

    def predict(
        self,
        left: np.ndarray,
        camera: Camera,
        right: np.ndarray | None = None,
        baseline: float | None = None,
    ) -> Prediction:
        """Depth and uncertainty of the left view.

        :param left: RGB uint8 ``(H, W, 3)``
        :param camera: its intrinsics
        :param right: the rectified right view; a monocular network does not look at it
        :param baseline: metres between the cameras
        :raises UserError: if a stereo network gets no right view
        """
        placement = Placement.fit(camera, self.network_size)
        if not self.stereo:
            mu, log_b = self._infer(self._preprocessors[0](left, placement), None, None)
        elif right is None or baseline is None:
            raise UserError(f"{self.card.name} is a stereo network: it needs frames with a right view")
        else:
            tensors = [
                prepare(view, placement)
                for prepare, view in zip(self._preprocessors, (left, right), strict=True)
            ]
            mu, log_b = self._infer(*tensors, baseline)
        return postprocess(mu, log_b, placement, self.card)


def load_checkpoint_predictor(path: Path, network_size: tuple[int, int] | None = None) -> CheckpointPredictor:
    """The student or teacher of a ``.safetensors`` file with its card beside it, on a GPU if there is one.

    :raises UserError: if the file or its card is missing, damaged or not made for each other, the size does
        not fit, or torch is not installed
    """
    for module in ("timm", "safetensors"):
        require(module, "train", "to evaluate a checkpoint")
    torch = require("torch", "train", "to evaluate a checkpoint")
    from adu_depth_core.networks.student import load_student
    from adu_depth_core.networks.teacher import load_teacher

    try:
        card = read_card(path)
        check_network_size(network_size or (card.input_height, card.input_width), card)
        stereo = card.role == "teacher"
        network = (load_teacher if stereo else load_student)(path, card)
    except (FileNotFoundError, ModelCardError, ValueError) as error:
        raise UserError(str(error)) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    infer = network_infer(network.to(device), stereo)
    return CheckpointPredictor(
        card, infer, stereo, network_size, path, f"PyTorch {torch.__version__} ({device})"
    )


def network_infer(network, stereo: bool) -> Infer:
    """A student or teacher module as a function of arrays; it computes where its weights are."""
    import torch

    def infer(left: np.ndarray, right: np.ndarray | None, baseline: float | None):
        device = next(network.parameters()).device
        with torch.inference_mode():
            inputs = [torch.from_numpy(view).to(device) for view in (left, right) if view is not None]
            if stereo:
                output = network(*inputs, torch.tensor([baseline], dtype=torch.float32, device=device))
                mu, log_b = output.mu, output.log_b
            else:
                mu, log_b = network(*inputs)
        return mu[0, 0].float().cpu().numpy(), log_b[0, 0].float().cpu().numpy()

    return infer
