"""``metrics.json`` and ``frames.csv`` of an evaluation of bags."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.evaluation.sparsification import REMOVED
from adu_depth_core.evaluation.uncertainty import LEVELS
from adu_depth_core.replay.evaluation_result import EvaluationResult

FORMAT = "adu_depth-bag-evaluation"
FORMAT_VERSION = 2


def write_metrics_json(result: EvaluationResult, path: Path) -> None:
    """Everything but the pictures and the single frames; a number that is not known is null."""
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **_plain(dataclasses.replace(result, models=())),
    }
    content["failed"] = result.failed
    content["models"] = []
    for model in result.models:
        entry = _plain(dataclasses.replace(model, frames=(), worst=()))
        del entry["frames"]
        entry["worst"] = [_plain(frame.record) for frame in model.worst]
        content["models"].append(entry)
    content["curves"] = {"levels": LEVELS.tolist(), "removed": REMOVED.tolist()}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_frames_csv(result: EvaluationResult, path: Path) -> None:
    """One row for each frame and model; a metric that a frame does not have is empty."""
    metrics = list(dict.fromkeys(name for m in result.models for f in m.frames for name in f.metrics))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "bag", "index", "stamp_ns", "pixels", *metrics])
        for model in result.models:
            for frame in model.frames:
                values = [frame.metrics.get(name, "") for name in metrics]
                writer.writerow([model.label, frame.bag, frame.index, frame.stamp_ns, frame.pixels, *values])


def _plain(value: Any) -> Any:
    """JSON types of dataclasses, arrays and numbers."""
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
