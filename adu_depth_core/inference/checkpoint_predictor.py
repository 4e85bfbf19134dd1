"""Depth from a network in PyTorch, monocular or stereo: for evaluating checkpoints, not for vehicles."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.backends.base import NetworkInput, NetworkOutput
from adu_depth_core.inference.network_size import check_network_size, fit_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card

if TYPE_CHECKING:
    from torch import Tensor, nn

logger = logging.getLogger(__name__)

Infer = Callable[[NetworkInput, "np.ndarray | None", "float | None"], NetworkOutput]
"""Maps the left view and its camera, the right view ``(1, 3, H, W)`` and the baseline in metres to the output
for that image. Right view and baseline are None for a monocular network."""


@dataclass(frozen=True)
class Runtime:
    """Name of the runtime, for reports."""

    runtime: str


class CheckpointPredictor:
    """Like ``predictor.Predictor``, for any callable network.

    :param card: model card
    :param infer: the network
    :param stereo: true if it uses the right view too
    :param network_size: ``(height, width)`` of its input; None to match each camera's aspect ratio
    :param model_path: its file
    :param runtime: name of the runtime

    :ivar network_sizes: all that frames were predicted at, in the order of their first use
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
        self._fixed_size = network_size
        self.network_sizes: list[tuple[int, int]] = []
        self.model_path = model_path
        self.backend = Runtime(runtime)
        self._infer = infer
        self._warned_of_camera = False

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
        :param right: the rectified right view; ignored by a monocular network
        :param baseline: metres between the cameras
        :raises UserError: if a stereo network gets no right view
        """
        size = self._fixed_size or fit_network_size(camera, self.card)
        if size not in self.network_sizes:
            self.network_sizes.append(size)
        placement = Placement.fit(camera, size)
        seen = Preprocessor(self.card, size)(left, placement)
        if not self.stereo:
            output = self._infer(seen, None, None)
        elif right is None or baseline is None:
            raise UserError(f"{self.card.name} is a stereo network: it needs frames with a right view")
        else:
            other = Preprocessor(self.card, size)(right, placement)
            output = self._infer(seen, other.image, baseline)
        prediction = postprocess(output, placement, self.card)
        if prediction.camera_doubt and not self._warned_of_camera:
            self._warned_of_camera = True
            logger.warning(prediction.camera_doubt)
        return prediction


def load_checkpoint_predictor(path: Path, network_size: tuple[int, int] | None = None) -> CheckpointPredictor:
    """The student or teacher of a ``.safetensors`` file with its card beside it, on a GPU if there is one.

    :raises UserError: if the file or its card is missing, damaged or do not match, the size does not fit,
        or torch is not installed
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


def network_infer(network: nn.Module, stereo: bool) -> Infer:
    """A student or teacher module as a function of arrays; it runs on the device of its weights.

    The function raises ValueError if a stereo network gets no right view or no baseline.
    """
    import torch

    def infer(left: NetworkInput, right: np.ndarray | None, baseline: float | None) -> NetworkOutput:
        device = next(network.parameters()).device

        def tensor(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values).to(device)

        def array(values: Tensor) -> np.ndarray:
            return values[0].float().cpu().numpy()

        with torch.inference_mode():
            if stereo:
                if right is None or baseline is None:
                    raise ValueError("a stereo network needs the right view and the baseline")
                output = network(tensor(left.image), tensor(right), tensor(np.array([baseline], np.float32)))
                return NetworkOutput(array(output.mu)[0], array(output.log_b)[0], None)
            mu, log_b, fingerprint = network(*map(tensor, left))
            return NetworkOutput(array(mu)[0], array(log_b)[0], array(fingerprint))

    return infer
