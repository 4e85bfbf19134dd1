"""Schema of a model card: every entry that code reads.

``ModelCard`` validates itself against it, so that code with a card need not check again.
"""

from __future__ import annotations

from typing import Any

from adu_depth_core.json_checks import (
    anything,
    array,
    exactly,
    fixed,
    flag,
    interval,
    mapping,
    matching,
    nullable,
    number,
    one_of,
    plain,
    record,
    text,
    whole,
)

POSITIVE = number(1e-6, 1e6)
"""Limit for metres, pixels and scales; beyond it, float32 computations would overflow."""

SIZE = whole(1, 1 << 14)
COUNT = whole(0, 1 << 62)
VERSION = matching(r"\d+(\.\w+)*", "a version such as 10.3.0")
SHA256 = matching(r"[0-9a-f]{64}", "a SHA-256, 64 hexadecimal digits")
FILES = mapping(SHA256)

DATA = array(
    record(
        {"name": text},
        {
            "split": text,
            "scenes": array(text),
            "drives": array(text),
            "kind": text,
            "licence": text,
            "weight": number(0.0, 1e6),
            "frames": COUNT,
        },
    )
)
"""Training data as ``evaluation.leakage`` reads it."""

NETWORK = record({"name": text, "files": FILES}, {"data": DATA})
"""Another network that this one comes from."""

TRAINING = record(
    {},
    {
        "data": DATA,
        "recipe": mapping(anything),
        "start": NETWORK,
        "teacher": NETWORK,
        "twin": NETWORK,
        # Two frames: the scale that a frame is judged by is fitted without it.
        "calibration": record({"data": text, "scales": mapping(POSITIVE, least=2)}, {"pseudo": array(text)}),
    },
)

ACCURACY = array(record({"data": text, "split": text, "metrics": mapping(number())}, {"pseudo": COUNT}))

GPU = record({"name": nullable(text), "compute_capability": VERSION})

ENGINE = record(
    {
        "flavour": text,
        "version": VERSION,
        "gpu": GPU,
        "options": record(
            {"version_compatible": flag, "hardware_compatible": flag}, {"dla_core": nullable(COUNT)}
        ),
        "profiles": array(array(array(SIZE, length=4), length=3)),
        "precisions": mapping(COUNT),
        "layers": array(fixed(text, text, array(text), array(text))),
    }
)

EXTRA = record(
    {},
    {
        "precision": one_of("fp32", "fp16", "int8"),
        "opset": COUNT,
        "input_shape": array(anything, length=4),
        "cost": exactly({"operations": mapping(COUNT), "activation_bytes": COUNT, "weight_bytes": COUNT}),
        "kept_fp32": array(text),
        "source_files": FILES,
        "engine": ENGINE,
        "cache": mapping(anything),
    },
)

PARITY_NOT_RUN = "not run"
"""``parity`` in the card of an engine whose answers have not been compared with anything."""


def check_extra(extra: Any, name: str) -> None:
    """The entries of exported files and engines."""
    EXTRA(extra, name)
    if "engine" in extra:
        record({"precision": anything, "source_files": anything, "parity": _check_engine_parity})(extra, name)


def _check_engine_parity(parity: Any, name: str) -> None:
    if parity == PARITY_NOT_RUN:
        return
    record({"passed": flag, "reference": text})(parity, name)
    if parity["passed"]:
        record({"ran_on": record({"gpu": GPU, "version": VERSION})})(parity, name)


NOVELTY = exactly(
    {
        "threshold": POSITIVE,
        "fault_threshold": POSITIVE,
        # A larger exponent of a float32 could leave what a double holds.
        "sigma_growth": number(0.0, 4.0),
        "reference": POSITIVE,
    }
)


def check_novelty(entries: Any, name: str) -> None:
    """The entry is empty or complete."""
    if entries != {}:
        NOVELTY(entries, name)


TYPICAL = exactly({"depth": array(POSITIVE, length=2), "relative_sigma": array(POSITIVE, length=2)})


def check_typical(entries: Any, name: str) -> None:
    """The entry is empty or complete, and its ranges are not empty."""
    if entries == {}:
        return
    TYPICAL(entries, name)
    for key, (low, high) in entries.items():
        if low > high:
            raise ValueError(f"{name}.{key} is [{low}, {high}]: the first must be the smaller")


CAMERAS = exactly({"horizontal_fov": interval(1.0, 179.0), "network_focal": interval(1e-6, 1e6)})


def check_cameras(entries: Any, name: str) -> None:
    """The entry is empty or complete."""
    if entries != {}:
        CAMERAS(entries, name)


CARD = {
    "name": text,
    "role": one_of("student", "teacher"),
    "encoder": text,
    "input_height": SIZE,
    "input_width": SIZE,
    "size_multiple": SIZE,
    "f_ref": POSITIVE,
    "depth_min": POSITIVE,
    "depth_max": POSITIVE,
    "sigma_scale": POSITIVE,
    "mean": array(number(-1e6, 1e6), length=3),
    "std": array(POSITIVE, length=3),
    "novelty": check_novelty,
    "typical": check_typical,
    "cameras": check_cameras,
    "files": FILES,
    "training": TRAINING,
    "accuracy": ACCURACY,
    "licence": text,
    "extra": check_extra,
}


def check_card(entries: dict[str, Any]) -> None:
    """:raises ValueError: with the first entry that is not as it must be"""
    for name, value in entries.items():
        plain(value, name)
        CARD[name](value, name)
    if entries["depth_min"] >= entries["depth_max"]:
        raise ValueError(f"depth range [{entries['depth_min']}, {entries['depth_max']}] is empty")
