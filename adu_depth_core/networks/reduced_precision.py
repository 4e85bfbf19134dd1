"""A student in FP16 or bfloat16, with the parts in FP32 that an FP16 export keeps there."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from adu_depth_core.networks.student import Student

TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


class ReducedPrecisionStudent(nn.Module):
    """Encoder and decoder in a narrow type and channels last, as tensor cores read them.

    Rays, head and fingerprint stay FP32, as ``deploy.half.RULE`` has it, and so do inputs and outputs.

    :param student: FP32 and in evaluation mode; its encoder and decoder are converted in place
    :param precision: a key of ``TYPES``
    """

    def __init__(self, student: Student, precision: str) -> None:
        super().__init__()
        self._type = TYPES[precision]
        self.student = student
        for part in (student.encoder, student.decoder):
            part.to(self._type, memory_format=torch.channels_last)

    def forward(
        self, image: torch.Tensor, camera: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See ``Student.forward``."""
        student = self.student
        image = image.to(self._type, memory_format=torch.channels_last)
        encoded = student.encoder(image)
        features = [feature.to(self._type) for feature in student.rays(encoded, camera)]
        pixels = F.pixel_unshuffle(image, student.encoder.strides[0])
        features[0] = torch.cat([features[0], pixels], dim=1)
        mu, log_b = student.head(student.decoder(features)[0])
        return mu, log_b, student.fingerprint([feature.float() for feature in encoded])
