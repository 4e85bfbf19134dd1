"""Stereo teacher: the student's encoder and decoder, which also get the depth that stereo geometry gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.correlation import (
    Aggregation,
    correlation_volume,
    local_correlation,
    soft_argmin,
)
from adu_depth_core.networks.decoder import ConvBlock, Decoder, DepthHead, bounded_log_b
from adu_depth_core.networks.encoder import DEFAULT_ENCODER, Encoder
from adu_depth_core.networks.weights import load_weights

MATCHING_STRIDES = (4, 8, 16)
"""Matching is done at the first; the others give context."""

LOCAL_RADIUS = 3
MIN_DISPARITY = 0.5
"""Network pixels; what is farther has no usable parallax and comes from the decoder."""


@dataclass(frozen=True)
class TeacherOutput:
    """Output of the teacher for the left view, ``(N, ..., H, W)`` at the network's input size unless stated.

    :param mu: log canonical depth, ``(N, 1, H, W)``
    :param log_b: log Laplace scale in log depth, ``(N, 1, H, W)``
    :param features: decoder maps, finest first, of the shapes of the student's
    :param disparity: from matching alone, network pixels, ``(N, 1, H / 4, W / 4)``
    :param confidence: share of the matching evidence that agrees with it, 0 to 1, same shape
    :param scores: matching scores of each disparity, ``(N, D, H / 4, W / 4)``
    """

    mu: torch.Tensor
    log_b: torch.Tensor
    features: list[torch.Tensor]
    disparity: torch.Tensor
    confidence: torch.Tensor
    scores: torch.Tensor

    def mirrored(self, where: torch.Tensor) -> TeacherOutput:
        """The same, mirrored left to right for views of the batch that ``where``, bool ``(N,)``, names."""

        def turn(values: torch.Tensor) -> torch.Tensor:
            return torch.where(where.view(-1, 1, 1, 1), values.flip(-1), values)

        return TeacherOutput(
            turn(self.mu),
            turn(self.log_b),
            [turn(feature) for feature in self.features],
            turn(self.disparity),
            turn(self.confidence),
            turn(self.scores),
        )


class Teacher(nn.Module):
    """Two rectified views to log canonical depth and its uncertainty, for any baseline and focal length.

    Geometry gives depth ``z = f_net * B / d``, thus canonical depth ``z * f_ref / f_net = f_ref * B / d``:
    with the disparity in network pixels the camera's own focal length cancels.

    :param f_ref: reference focal length in network pixels, that of the model card
    :param encoder: timm name of the encoder
    :param encoder_weights: source of the initial weights, see ``Encoder``
    :param disparity_share: largest disparity that is searched, as a share of the whole view's width
    :raises ValueError: if the encoder has no levels at strides 4, 8 and 16
    """

    def __init__(
        self,
        f_ref: float,
        encoder: str = DEFAULT_ENCODER,
        encoder_weights: str = "none",
        disparity_share: float = 0.2,
        groups: int = 8,
        matching_channels: int = 48,
    ) -> None:
        super().__init__()
        self.f_ref = f_ref
        self.disparity_share = disparity_share
        self.groups = groups
        self.encoder = Encoder(encoder, encoder_weights)
        channels, strides = self.encoder.channels, list(self.encoder.strides)
        if not set(MATCHING_STRIDES) <= set(strides):
            raise ValueError(
                f"encoder {encoder} has levels at strides {strides}; "
                f"stereo matching needs {', '.join(map(str, MATCHING_STRIDES))}"
            )
        self.matching_levels = [strides.index(stride) for stride in MATCHING_STRIDES]
        self.matching_neck = MatchingNeck(
            [channels[level] for level in self.matching_levels], matching_channels
        )
        self.aggregation = Aggregation(groups)
        # Geometry is log depth and confidence; the finest level also receives the matching scores nearby.
        extra = [2 * (stride <= MATCHING_STRIDES[0]) for stride in strides]
        extra[0] += 2 * LOCAL_RADIUS + 1
        self.decoder = Decoder([own + more for own, more in zip(channels, extra, strict=True)])
        self.head = StereoHead(self.decoder.channels[0], self.encoder.strides[0])

    def forward(
        self,
        left: torch.Tensor,
        right: torch.Tensor,
        baseline: torch.Tensor,
        whole_width: int | None = None,
    ) -> TeacherOutput:
        """Look at both views.

        :param left: ``(N, 3, H, W)`` normalised RGB, H and W multiples of the coarsest stride
        :param right: the right view, same shape
        :param baseline: metres between the cameras, ``(N,)``
        :param whole_width: W of the whole views where these are crops, which show disparities as large as
            the whole views do; None for W
        """
        both = self.encoder(torch.cat([left, right]))
        features = [level.chunk(2)[0] for level in both]
        neck = self.matching_neck([both[level] for level in self.matching_levels])
        matching_left, matching_right = neck.chunk(2)
        searched = self.disparity_share * (whole_width or left.shape[-1])
        disparities = max(int(searched / MATCHING_STRIDES[0]), 4)
        volume = correlation_volume(matching_left, matching_right, disparities, self.groups)
        scores = self.aggregation(volume)
        matched, confidence = soft_argmin(scores)
        disparity = matched * MATCHING_STRIDES[0]

        for level in range(self.matching_levels[0] + 1):
            size = both[level].shape[-2:]
            here, sure = (
                F.interpolate(values, size=size, mode="bilinear", align_corners=False)
                for values in (disparity, confidence)
            )
            features[level] = torch.cat([features[level], self._geometry(here, sure, baseline)], dim=1)
        finest = F.interpolate(disparity, size=both[0].shape[-2:], mode="bilinear", align_corners=False)
        fit = local_correlation(
            *both[0].chunk(2), finest.detach() / self.encoder.strides[0], radius=LOCAL_RADIUS
        )
        features[0] = torch.cat([features[0], fit], dim=1)
        maps = self.decoder(features)
        mu, log_b = self.head(maps[0], self._log_depth(finest, baseline).detach())
        return TeacherOutput(mu, log_b, maps, disparity, confidence, scores)

    def _log_depth(self, disparity: torch.Tensor, baseline: torch.Tensor) -> torch.Tensor:
        return torch.log(self.f_ref * baseline.view(-1, 1, 1, 1) / disparity.clamp(min=MIN_DISPARITY))

    def _geometry(
        self, disparity: torch.Tensor, confidence: torch.Tensor, baseline: torch.Tensor
    ) -> torch.Tensor:
        # Around 15 m and of unit scale, as the activations beside it. Matching has a loss of its own; a
        # gradient from here would only fit it to the decoder.
        return torch.cat([self._log_depth(disparity, baseline) - 2.7, confidence], dim=1).detach()


class MatchingNeck(nn.Module):
    """Features for matching at stride 4: what is there, with the context of strides 8 and 16."""

    def __init__(self, channels: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, outputs, 1) for inputs in channels)
        self.mix = ConvBlock(outputs, outputs)
        self.project = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Levels at strides 4, 8, 16 to ``(N, outputs, H / 4, W / 4)``."""
        fused = self.lateral[-1](levels[-1])
        for lateral, level in zip(reversed(self.lateral[:-1]), reversed(levels[:-1]), strict=True):
            fused = F.interpolate(fused, size=level.shape[-2:], mode="nearest") + lateral(level)
        return self.project(self.mix(fused))


class StereoHead(nn.Module):
    """The student's head, beside a third map that says where to believe geometry instead.

    :param channels: channels of the decoder's finest map
    :param stride: its stride
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.monocular = DepthHead(channels)
        self.trust = nn.Sequential(ConvBlock(channels, channels), nn.Conv2d(channels, 2, 3, padding=1))
        nn.init.zeros_(self.trust[-1].weight)
        nn.init.zeros_(self.trust[-1].bias)
        # Each full-resolution pixel is a convex mixture of its 3x3 neighbours at the map's resolution (RAFT,
        # Teed and Deng 2020): edges stay as sharp as the image's, where bilinear enlargement blurs them.
        self.mixture = nn.Sequential(
            ConvBlock(channels, 2 * channels), nn.Conv2d(2 * channels, 9 * stride * stride, 1)
        )
        self.stride = stride

    def forward(self, feature: torch.Tensor, log_depth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``mu`` and ``log_b`` ``(N, 1, H, W)`` from the finest map and geometric log depth of its size."""
        own, log_b = self.monocular.predict(feature).chunk(2, dim=1)
        gate, correction = self.trust(feature).chunk(2, dim=1)
        gate = torch.sigmoid(gate)
        mu = gate * (log_depth + 0.1 * correction) + (1.0 - gate) * own
        mixture = torch.softmax(self.mixture(feature).unflatten(1, (9, self.stride**2)), dim=1)
        return self._enlarge(mu, mixture), bounded_log_b(self._enlarge(log_b, mixture))

    def _enlarge(self, values: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = values.shape
        padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
        neighbours = F.unfold(padded, 3).view(batch, 9, 1, height, width)
        return F.pixel_shuffle((neighbours * mixture).sum(dim=1), self.stride)


def load_teacher(weights: Path, card: ModelCard) -> Teacher:
    """The teacher of a safetensors file, FP32, in evaluation mode.

    :raises ValueError: if the file is damaged or is not a teacher with the card's encoder
    """
    return load_weights(Teacher(card.f_ref, card.encoder), weights).eval()
