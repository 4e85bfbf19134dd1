"""The JSON file of an evaluation: everything needed to read, trust and repeat it."""

from __future__ import annotations

import dataclasses
import json
import platform
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import adu_depth_core
from adu_depth_core.evaluation.benchmarks import Benchmark
from adu_depth_core.evaluation.evaluator import Summary
from adu_depth_core.evaluation.leakage import Leakage
from adu_depth_core.evaluation.protocol import MIN_DEPTH, Protocol
from adu_depth_core.evaluation.sparsification import REMOVED
from adu_depth_core.evaluation.subject import Subject
from adu_depth_core.evaluation.uncertainty import LEVELS
from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model

FORMAT = "adu_depth-evaluation"
FORMAT_VERSION = 1


def evaluation_record(
    summary: Summary,
    benchmark: Benchmark,
    protocol: Protocol,
    subject: Subject,
    leakage: Leakage,
    flip: bool,
    command: str,
) -> dict[str, Any]:
    """What was measured, on what, by which model, how, and where; plain JSON types.

    :param summary: the result
    :param benchmark: the frames
    :param protocol: which pixels counted
    :param subject: what was judged
    :param leakage: what the model card says of these frames
    :param flip: whether predictions were averaged with those of the mirrored images
    :param command: the command line
    """
    curves = {name: values.tolist() for name, values in summary.curves.items()}
    if curves:
        curves |= {"levels": LEVELS.tolist(), "removed": REMOVED.tolist()}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "command": command,
        "dataset": {
            "name": benchmark.dataset,
            "split": benchmark.split,
            "frames": len(summary.frames),
            "skipped": summary.skipped,
            "unlabelled": list(benchmark.unlabelled),
        },
        "model": subject.record(),
        "protocol": {
            **dataclasses.asdict(protocol),
            "min_depth": MIN_DEPTH,
            "median_scaling": False,
            "flip": flip,
            "text": protocol.describe(),
        },
        "leakage": dataclasses.asdict(leakage),
        "machine": {"cpu": cpu_model(), "system": platform.system(), "architecture": platform.machine()},
        "versions": {
            "adu_depth": adu_depth_core.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "runtime": subject.runtime,
        },
        "metrics": summary.metrics,
        "frames": [dataclasses.asdict(frame) for frame in summary.frames],
        "curves": curves,
    }


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, atomically."""
    with write_atomically(path) as temporary:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
