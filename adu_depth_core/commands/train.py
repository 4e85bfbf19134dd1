"""``adu_depth train``: train a teacher or a student from a configuration."""

from __future__ import annotations

import argparse

from adu_depth_core.commands.number_arguments import MOST_THREADS, whole_number
from adu_depth_core.errors import require

EPILOG = """\
Recipes, their requirements and results: docs/training.md

examples:
  adu_depth train teacher kitti2015_small root=DATA synthetic=SYNTHETIC out=runs/teacher
  adu_depth train student kitti2015_small root=DATA synthetic=SYNTHETIC out=runs/student \\
      teacher=runs/teacher/teacher.safetensors
  adu_depth train student kitti2015_small root=DATA synthetic=SYNTHETIC out=runs/alone steps=800
  adu_depth train student kitti2015_small root=DATA synthetic=SYNTHETIC out=runs/all \\
      teacher=runs/teacher/teacher.safetensors \\
      twin=runs/student/student.onnx    # on all frames, none held out
  adu_depth train student kitti_eigen root=KITTI out=runs/eigen precision=bf16-mixed --devices 4

Run again with the same out= to resume an interrupted run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("network", choices=["student", "teacher"], help="which network")
    parser.add_argument("config", help="YAML file, or the name of one in config/training")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="configuration entries to override, including nested ones: distillation.response=0",
    )
    machine = parser.add_argument_group("machine (batch_size is the total over all processes)")
    machine.add_argument(
        "--workers",
        type=whole_number(0, MOST_THREADS),
        default=1,
        help="data loading processes of each device (default: %(default)s)",
    )
    machine.add_argument("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    machine.add_argument(
        "--devices",
        type=whole_number(1, MOST_THREADS),
        default=1,
        metavar="N",
        help="GPUs, or CPU processes, of each node (default: 1)",
    )
    machine.add_argument(
        "--nodes", type=whole_number(1, MOST_THREADS), default=1, metavar="N", help="machines (default: 1)"
    )


def run(arguments: argparse.Namespace) -> int:
    for module in ("torch", "timm", "lightning", "safetensors", "onnx"):
        require(module, "train", "to train")
    from adu_depth_core.training.config import load_config
    from adu_depth_core.training.run import Machine, train

    config = load_config(arguments.config, arguments.overrides)
    machine = Machine(arguments.workers, arguments.accelerator, arguments.devices, arguments.nodes)
    model, card = train(arguments.network, config, machine)
    if card.accuracy:  # only the first of several processes measured it
        accuracy = card.accuracy[0]
        metrics = ", ".join(f"{name} {value}" for name, value in accuracy["metrics"].items())
        whose = f"its twin {config.twin}, " if config.twin else ""
        pseudo = accuracy.get("pseudo", 0)
        marked = f" ({pseudo} frames against pseudo-labels: stereo matching, not measured)" if pseudo else ""
        print(f"{whose}{accuracy['data']} {accuracy['split']}{marked}: {metrics}")
        print(f"wrote {model} and its card")
    return 0
