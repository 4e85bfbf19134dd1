"""Weights of a network from a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def load_weights(network: Network, weights: Path) -> Network:
    """Copy every tensor of the file into the network; FP16 values are widened.

    :return: the network
    :raises ValueError: if the file is damaged, or its tensors are not exactly the network's
    """
    try:
        stored = load_file(weights)
    except SafetensorError as error:
        raise ValueError(f"{weights} is not a safetensors file, or damaged: {error}") from error
    own = network.state_dict()
    missing = [name for name in own if name not in stored]
    foreign = [name for name in stored if name not in own]
    misfit = [name for name in own if name in stored and own[name].shape != stored[name].shape]
    problems = [
        f"{len(names)} tensors {what} (first: {names[0]})"
        for what, names in (("are missing", missing), ("are unknown", foreign), ("have other shapes", misfit))
        if names
    ]
    if problems:
        raise ValueError(
            f"{weights} does not hold the weights of this {type(network).__name__}: {', '.join(problems)}"
        )
    network.load_state_dict(stored)
    return network


def load_matching(network: nn.Module, weights: Path) -> list[str]:
    """Copy the tensors whose names and shapes the network shares with the file, and leave the others.

    :return: names of the network's tensors that were not in the file
    :raises ValueError: if the file is damaged, or shares no tensor with the network
    """
    try:
        stored = load_file(weights)
    except SafetensorError as error:
        raise ValueError(f"{weights} is not a safetensors file, or damaged: {error}") from error
    own = network.state_dict()
    shared = {
        name: tensor for name, tensor in stored.items() if name in own and own[name].shape == tensor.shape
    }
    if not shared:
        raise ValueError(f"{weights} shares no tensor with a {type(network).__name__}")
    network.load_state_dict(shared, strict=False)
    return [name for name in own if name not in shared]
