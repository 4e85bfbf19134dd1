"""``python -m adu_depth_ros.demo``: from camera frames to depth, through the real node, with figures."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

import adu_depth_core
from adu_depth_core.bags.drive_bag import DriveBagWriter
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.installed_models import find_model
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.machine import cpu_model
from adu_depth_core.progress import progress_bar
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
from adu_depth_core.terminal import plain_console
from adu_depth_ros.dds_profile import use_profile_for_images
from adu_depth_ros.demo.live import LiveRun, run_live
from adu_depth_ros.demo.pictures import write_pictures
from adu_depth_ros.demo.results import Judge, Result, node_report, read_results
from adu_depth_ros.isolation import private_domain

SUMMARY = "summary.json"
SEED = 20
CONTENTS = {
    "demo.mp4": "image, depth and sigma of every frame",
    "demo.gif": "the first part, for web pages",
    "frame.png": "one frame",
    SUMMARY: "these and further figures",
    "drive": "the bag that was played",
    "depth": "the bag that was recorded from the node",
    "depth_node.log": "log of the node",
}
PACKAGES = ("numpy", "opencv-python-headless", "openvino", "onnxruntime", "rosbags", "ros-jazzy-rclpy")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adu_depth_ros.demo",
        description="Play a drive to the real depth_node over DDS at its recorded rate, record what it "
        "publishes, evaluate it against exact depth and render pictures.",
        epilog="examples:\n"
        "  python -m adu_depth_ros.demo --out demo                  a generated synthetic drive\n"
        "  python -m adu_depth_ros.demo --out kitti --bag drive_02  a bag of `adu_depth make-bag`",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="results (default demo)"
    )
    parser.add_argument("--bag", type=Path, help="play this bag instead of a synthetic drive")
    parser.add_argument(
        "--frames", type=int, default=40, metavar="N", help="length of the synthetic drive (default 40)"
    )
    parser.add_argument(
        "--model", type=find_model, help="name of an installed model, or an ONNX file (default: small)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the demo; returns the exit status (0 success, 1 failure, 130 interrupted)."""
    try:
        arguments = _parser().parse_args(argv)
        _run(arguments)
    except UserError as error:
        print(f"demo: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    if arguments.frames < 2:
        raise UserError(f"--frames is {arguments.frames}: a drive has at least 2")
    console = plain_console()
    _remove_former(arguments.out)
    if warning := use_profile_for_images():
        console.print(Text("warning:", "yellow"), warning, soft_wrap=True)
    # The folder is renamed into place when it is complete: a failed demo leaves no folder.
    with private_domain() as environment, write_atomically(arguments.out) as work:
        os.environ.update(environment)
        work.mkdir()
        source = arguments.bag or _make_drive(work / "drive", arguments.frames)
        run = run_live(source, work, arguments.model)
        judge = Judge()
        results = _judged(run, judge, Predictor(arguments.model))
        with progress_bar() as progress:
            total = run.frames_answered
            write_pictures(progress.track(results, total, description="Making pictures"), run.rate, work)
        summary = {
            **judge.figures(run.frames_played),
            "drive": str(arguments.bag or f"synthetic, {arguments.frames} frames"),
            "rate_hz": run.rate,
            "node": node_report(run),
            "machine": _machine(),
            "versions": _versions(),
        }
        (work / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    console.print(_table(summary))
    for name, content in CONTENTS.items():
        if (arguments.out / name).exists():
            console.print(Text.assemble(f"{arguments.out / name}  ", (content, "dim")))


def _remove_former(out: Path) -> None:
    """Remove the output of an earlier demo, so that it cannot be mistaken for this one's."""
    if (out / SUMMARY).is_file():
        shutil.rmtree(out)
    elif out.exists():
        raise UserError(f"{out} exists and was not written by this demo; choose another folder with --out")


def _make_drive(path: Path, frames: int) -> Path:
    try:
        config = DriveConfig(seed=SEED, frames=frames)
    except ValueError as error:
        raise UserError(str(error)) from error
    rig, drive = generate_drive(config)
    with DriveBagWriter(path, rig) as bag, progress_bar() as progress:
        for frame in progress.track(drive, total=frames, description="Making a drive"):
            bag.write(frame)
    return path


def _judged(run: LiveRun, judge: Judge, predictor: Predictor) -> Iterator[Result]:
    for result in read_results(run, predictor):
        judge.add(result)
        yield result


def _machine() -> dict[str, Any]:
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _versions() -> dict[str, str]:
    versions = {"adu_depth": adu_depth_core.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def _table(summary: dict[str, Any]) -> Table:
    rows = {
        "frames in": ("frames_in", "d"),
        "frames out": ("frames_out", "d"),
        "frames dropped": ("frames_dropped", "d"),
        "latency p50 (ms)": ("latency_p50_ms", ".1f"),
        "latency p99 (ms)": ("latency_p99_ms", ".1f"),
        "fraction of pixels published, the rest withheld": ("answered_share", ".1%"),
        "abs_rel of published pixels": ("abs_rel", ".3f"),
        "abs_rel of all pixels": ("all_pixels", "abs_rel", ".3f"),
        "published pixels with |error| <= sigma": ("coverage_1sigma", ".1%"),
        "all pixels with |error| <= sigma": ("all_pixels", "coverage_1sigma", ".1%"),
    }
    table = Table(title=f"depth_node, {summary['drive']}, {summary['rate_hz']:.1f} Hz", show_header=False)
    for title, (*names, form) in rows.items():
        value = functools.reduce(dict.__getitem__, names, summary)
        table.add_row(title, "no exact depth in this bag" if value is None else format(value, form))
    table.add_row("backend", summary["node"].get("backend", "unknown"))
    table.add_row("CPU", f"{summary['machine']['cpu']}, {summary['machine']['cores']} cores")
    return table


if __name__ == "__main__":
    sys.exit(main())
