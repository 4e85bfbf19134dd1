"""Files of an evaluation: JSON with everything needed to reproduce it, CSV of the frames."""

from __future__ import annotations

import csv
import dataclasses
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import adu_depth_core
from adu_depth_core.evaluation.evaluator import Summary, combined
from adu_depth_core.evaluation.judged_sets import JudgedSet
from adu_depth_core.evaluation.protocol import MIN_DEPTH, Protocol
from adu_depth_core.evaluation.sparsification import REMOVED
from adu_depth_core.evaluation.subject import Subject
from adu_depth_core.evaluation.uncertainty import LEVELS
from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model

FORMAT = "adu_depth-evaluation"
FORMAT_VERSION = 2


def evaluation_record(
    sets: Sequence[JudgedSet], protocol: Protocol, subject: Subject, flip: bool, command: str
) -> dict[str, Any]:
    """Record of an evaluation: results, data, model, protocol and machine; plain JSON types.

    ``metrics`` and ``curves`` are over the frames of all sets; those of each set are in ``sets``.

    :param sets: the frames and the result on them
    :param protocol: the evaluated pixels
    :param subject: the evaluated model or method
    :param flip: whether predictions were averaged with those of the mirrored images
    :param command: the command line
    """
    total = combined([judged.summary for judged in sets])
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "command": command,
        "model": subject.record(),
        "protocol": {
            **dataclasses.asdict(protocol),
            "min_depth": MIN_DEPTH,
            "median_scaling": False,
            "flip": flip,
            "text": protocol.describe(),
        },
        "machine": {"cpu": cpu_model(), "system": platform.system(), "architecture": platform.machine()},
        "versions": {
            "adu_depth": adu_depth_core.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "runtime": subject.runtime,
        },
        **_figures(total),
        "sets": [
            {
                "name": judged.benchmark.dataset,
                "split": judged.benchmark.split,
                "skipped": judged.summary.skipped,
                "roadless": judged.summary.roadless,
                "unlabelled": list(judged.benchmark.unlabelled),
                "pseudo": list(judged.benchmark.pseudo),
                "leakage": dataclasses.asdict(judged.leakage),
                **_figures(judged.summary),
                "frames": [dataclasses.asdict(frame) for frame in judged.summary.frames],
            }
            for judged in sets
        ],
    }


def _figures(summary: Summary) -> dict[str, Any]:
    curves = {name: values.tolist() for name, values in summary.curves.items()}
    if curves:
        curves |= {"levels": LEVELS.tolist(), "removed": REMOVED.tolist()}
    return {
        "frame_count": len(summary.frames),
        "metrics": summary.metrics,
        "parts": {
            part: {"pixels": pixels, "frames": frames}
            for part, (pixels, frames) in summary.part_pixels().items()
            if pixels
        },
        "sigma_rank_correlation": summary.sigma_rank_correlation,
        "curves": curves,
    }


def write_frames_csv(path: Path, sets: Sequence[JudgedSet]) -> None:
    """Write a row for each frame, atomically; a metric that a frame does not have is empty.

    Column ``truth`` is ``measured``, or ``pseudo`` of frames judged by stereo matching.
    """
    frames = [(judged.benchmark, frame) for judged in sets for frame in judged.summary.frames]
    metrics = list(dict.fromkeys(name for _, frame in frames for name in frame.metrics))
    parts = list(dict.fromkeys(part for _, frame in frames for part in frame.part_pixels))
    with write_atomically(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        counts = [f"{part}_pixels" for part in parts]
        writer.writerow(["set", "split", "frame", "truth", "pixels", *counts, *metrics])
        for benchmark, frame in frames:
            values: list[float | str] = [frame.part_pixels.get(part, 0) for part in parts]
            values += [frame.metrics.get(name, "") for name in metrics]
            truth = "pseudo" if frame.name in benchmark.pseudo else "measured"
            writer.writerow([benchmark.dataset, benchmark.split, frame.name, truth, frame.pixels, *values])


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, atomically."""
    with write_atomically(path) as temporary:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
