"""Batch norm folded into the convolution before it, as in an ONNX export: one pass over memory fewer."""

from __future__ import annotations

import copy
import itertools
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)

TOLERANCE = 1e-3
"""Largest difference of an output, relative and absolute, that another order of rounding may make."""


def fold_batch_norms(network: Network, *inputs: torch.Tensor) -> Network:
    """The network with each batch norm folded that its module lists right after a convolution.

    Modules need not list their parts in the order in which they run, though the student's do. If the outputs
    would change, the network stays as it is.

    :param network: in evaluation mode
    :param inputs: inputs on which the outputs are compared
    :return: a copy, or the network itself where it cannot be folded so
    """
    folded = copy.deepcopy(network)
    for parent in list(folded.modules()):
        for (name, convolution), (next_name, norm) in itertools.pairwise(list(parent.named_children())):
            if not (isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)):
                continue
            if convolution.out_channels != norm.num_features:
                continue
            setattr(parent, name, fuse_conv_bn_eval(convolution, norm))
            # timm's batch norms bring dropout and activation along.
            setattr(parent, next_name, nn.Sequential(*norm.children()))
    with torch.inference_mode():
        outputs = zip(folded(*inputs), network(*inputs), strict=True)
        same = all(torch.allclose(ours, before, TOLERANCE, TOLERANCE) for ours, before in outputs)
    return folded if same else network
