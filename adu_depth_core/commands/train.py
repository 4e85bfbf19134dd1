"""``adu_depth train``: train a network from a configuration."""

from __future__ import annotations

import argparse

from adu_depth_core.errors import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "example:\n"
        "  adu_depth train student kitti2015_small root=DATA synthetic=SYNTHETIC out=runs/student\n\n"
        "Started again with the same out=, an interrupted run resumes."
    )
    parser.add_argument("network", choices=["student"], help="which network")
    parser.add_argument("config", help="YAML file, or the name of one in config/training")
    parser.add_argument(
        "--workers", type=int, default=1, help="data loading processes (default: %(default)s)"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="entries of the configuration to change"
    )


def run(arguments: argparse.Namespace) -> int:
    for module in ("torch", "timm", "lightning"):
        require(module, "train", "to train")
    from adu_depth_core.training.config import load_config
    from adu_depth_core.training.run import train_student

    config = load_config(arguments.config, arguments.overrides)
    model, card = train_student(config, arguments.workers)
    accuracy = card.accuracy[0]
    metrics = ", ".join(f"{name} {value}" for name, value in accuracy["metrics"].items())
    print(f"{accuracy['data']} {accuracy['split']}: {metrics}")
    print(f"wrote {model} and its card and weights beside it")
    return 0
