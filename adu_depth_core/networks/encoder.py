"""Image encoder: any timm model with ``features_only``, behind a contract of channels and strides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import timm
import torch
from timm.layers import Format
from torch import nn

from adu_depth_core.networks.encoder_weights import load_package, load_timm_file

DEFAULT_ENCODER = "tf_efficientnet_lite0"


class Encoder(nn.Module):
    """Feature pyramid of an image.

    :param name: timm model name
    :param weights: ``package`` (ImageNet weights from a Python package), ``hub`` (timm downloads them),
        ``none`` (random), or the path of a timm model's state dict
    :raises ValueError: if there is no package with this encoder's weights, or not every tensor of the encoder
        is in the package or file

    :ivar channels: channels of each level, finest first
    :ivar strides: input pixels per feature pixel of each level, finest first
    """

    channels: Sequence[int]
    strides: Sequence[int]

    def __init__(self, name: str = DEFAULT_ENCODER, weights: str = "none") -> None:
        super().__init__()
        self.name = name
        self.backbone = _create(name, pretrained=weights == "hub")
        self.channels = tuple(self.backbone.feature_info.channels())
        self.strides = tuple(self.backbone.feature_info.reduction())
        for module in self.backbone.modules():
            if isinstance(module, nn.BatchNorm2d):
                # Some of timm's ImageNet recipes average the statistics over 100 batches and more: after
                # a few hundred steps of ours they would still be those of ImageNet's photographs.
                module.momentum = 0.1
        if weights == "package":
            load_package(self.backbone, name)
        elif weights not in ("none", "hub"):
            load_timm_file(self.backbone, Path(weights))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Features ``(N, C_i, H / stride_i, W / stride_i)`` of ``image`` ``(N, 3, H, W)``, normalised RGB."""
        features = self.backbone(image)
        if getattr(self.backbone, "output_fmt", Format.NCHW) == Format.NHWC:  # Swin
            features = [feature.permute(0, 3, 1, 2).contiguous() for feature in features]
        return features


def _create(name: str, pretrained: bool) -> nn.Module:
    try:
        # Windowed transformers accept one size only unless given this option; others do not have it.
        return timm.create_model(name, features_only=True, pretrained=pretrained, strict_img_size=False)
    except TypeError:
        return timm.create_model(name, features_only=True, pretrained=pretrained)
