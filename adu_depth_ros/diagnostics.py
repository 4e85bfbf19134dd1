"""The node's entry in ``/diagnostics``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from adu_depth_ros.frame_statistics import DRIFT_S, WINDOW_S, Snapshot
from adu_depth_ros.parameters import Parameters

FOREIGN_CLOCK_S = 60.0
"""A latency above this, or a negative one, means that stamps and node do not share a clock."""

OK, WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
ERROR, STALE = DiagnosticStatus.ERROR, DiagnosticStatus.STALE

SEVERITY = (ERROR, STALE, WARN)
"""Levels by priority: with several findings the first of these is the status."""


class Finding(NamedTuple):
    """A finding for the operator."""

    level: bytes
    text: str


@dataclass(frozen=True)
class Condition:
    """Inputs to the node's health check.

    :param state: lifecycle state
    :param snapshot: statistics of the frames
    :param image_topic: full name of the topic that images come from
    :param failure: reason why the last configuration failed, empty if it did not
    :param building: progress of an engine build; empty if none is running
    :param worker: reason why prediction has stopped; empty while it works
    :param typical: the ``typical`` entry of the model card
    :param parameters: the thresholds
    """

    state: str
    snapshot: Snapshot
    image_topic: str = ""
    failure: str = ""
    building: str = ""
    worker: str = ""
    typical: Mapping[str, Sequence[float]] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=Parameters)


def judge(condition: Condition) -> tuple[bytes, str, list[str]]:
    """Level, a one-line message for the operator, and further findings.

    STALE: no depth is expected (node not active) or no image arrives. ERROR: the node could not be
    configured, had an internal error, could use no frame of the last seconds, or most outputs are too late.
    WARN: see ``warnings``.
    """
    if condition.building:
        return WARN, condition.building, []
    if condition.failure:
        return ERROR, f"could not be configured: {condition.failure}", []
    if condition.state != "active":
        return STALE, f"{condition.state}: configure and activate the node to get depth", []
    findings = [*errors(condition), *warnings(condition)]
    if not findings:
        return OK, _all_is_well(condition.snapshot), []
    findings.sort(key=lambda finding: SEVERITY.index(finding.level))
    first, *others = findings
    return first.level, first.text, [other.text for other in others]


def errors(condition: Condition) -> Iterator[Finding]:
    """Reasons for which there is no usable depth."""
    snapshot, recent = condition.snapshot, condition.snapshot.recent
    if condition.worker:
        yield Finding(ERROR, condition.worker)
    if snapshot.fault:
        yield Finding(ERROR, f"internal error, see the node's log: {snapshot.fault}")
    if recent["rejected"] and not recent["published"]:
        yield Finding(ERROR, f"every frame is rejected: {snapshot.last_rejection}")
    since, limit = snapshot.since_received, condition.parameters.stale_after
    if since is not None and since > limit:
        yield Finding(STALE, f"no image on {condition.image_topic} for {since:.1f} s (limit {limit:g} s)")
    budget = condition.parameters.latency_budget
    if budget and snapshot.latency is not None and budget < snapshot.latency[0] <= FOREIGN_CLOCK_S:
        yield Finding(
            ERROR, f"half of the outputs take {1e3 * snapshot.latency[0]:.0f} ms or more, {_of(budget)}"
        )


def warnings(condition: Condition) -> Iterator[Finding]:
    """Conditions that degrade depth, delay it or reduce its rate."""
    snapshot, recent, limits = condition.snapshot, condition.snapshot.recent, condition.parameters
    if recent["rejected"] and recent["published"]:
        yield Finding(WARN, f"{recent['rejected']} frames rejected: {snapshot.last_rejection}")
    if snapshot.camera_doubt:
        yield Finding(WARN, snapshot.camera_doubt)
    if snapshot.unfamiliar is not None and snapshot.unfamiliar > 0.5:
        yield Finding(
            WARN,
            f"{snapshot.unfamiliar:.0%} of the frames are unlike the training data: depth and its "
            f"uncertainty may both be far off",
        )
    if recent["dropped"] > limits.max_drop_share * recent["received"]:
        yield Finding(
            WARN,
            f"{recent['dropped']} of {recent['received']} frames dropped in the last {WINDOW_S:g} s (limit "
            f"{limits.max_drop_share:.0%}): they arrive faster than they are processed",
        )
    if snapshot.latency is not None:
        yield from _late(*snapshot.latency, limits.latency_budget)
    if snapshot.withheld is not None and snapshot.withheld > limits.max_withheld_share:
        yield Finding(
            WARN,
            f"{snapshot.withheld:.0%} of the pixels have no depth (limit {limits.max_withheld_share:.0%}): "
            f"their sigma / depth is above max_relative_sigma {limits.max_relative_sigma:g}",
        )
    yield from _unstable(snapshot.recently_stabilised)
    for name, unit, value in (
        ("depth", " m", snapshot.depth),
        ("relative_sigma", "", snapshot.relative_sigma),
    ):
        yield from _drifted(name, unit, value, condition)


def _late(median: float, slowest: float, budget: float) -> Iterator[Finding]:
    if not 0.0 <= median <= FOREIGN_CLOCK_S:
        yield Finding(
            WARN,
            f"images are stamped {median:.1f} s before now: different clock? In a replay set use_sim_time "
            "and play the bag with --clock",
        )
    elif budget and median <= budget < slowest:
        yield Finding(WARN, f"the slowest outputs take {1e3 * slowest:.0f} ms, {_of(budget)}")


def _unstable(recent: Mapping[str, int]) -> Iterator[Finding]:
    """Stabilisation is on, and most frames are as they would be without."""
    unfused = {reason: count for reason, count in recent.items() if reason}
    missed, total = sum(unfused.values()), sum(recent.values())
    if missed > total / 2 and total > 1:
        *_, last = unfused
        yield Finding(WARN, f"{missed} of {total} frames are not stabilised: {last}")


def _of(budget: float) -> str:
    return f"of a latency_budget of {1e3 * budget:.0f} ms"


def _drifted(name: str, unit: str, value: float | None, condition: Condition) -> Iterator[Finding]:
    if value is None or name not in condition.typical:
        return
    (low, high), tolerance = condition.typical[name], condition.parameters.drift_tolerance
    if not low / tolerance <= value <= high * tolerance:
        called = "sigma / depth" if name == "relative_sigma" else name
        yield Finding(
            WARN,
            f"median {called} of the last {DRIFT_S:g} s is {value:.2g}{unit}, typical of the model are "
            f"{low:.2g} to {high:.2g}{unit}: a different scene, or a camera that has moved, lost focus or "
            f"fogged up?",
        )


def _all_is_well(snapshot: Snapshot) -> str:
    if snapshot.since_received is None:
        return "depth has no subscribers: not subscribed to images"
    if snapshot.latency is None:
        return (
            f"nothing was published in the last {WINDOW_S:g} s: no subscribers, or the node has just started"
        )
    return f"{snapshot.output_rate:.1f} Hz, {1e3 * snapshot.latency[0]:.0f} ms behind the image"


def frame_values(snapshot: Snapshot) -> list[KeyValue]:
    """The statistics as key-value pairs; empty text if there is no value."""
    values = {
        "input rate (Hz)": f"{snapshot.input_rate:.2f}",
        "output rate (Hz)": f"{snapshot.output_rate:.2f}",
        **_percentiles("latency", snapshot.latency),
        **_percentiles("inference", snapshot.inference),
        **{f"frames {name}": str(count) for name, count in snapshot.total.items()},
        "since last image (s)": _number(snapshot.since_received, ".1f"),
        "unfamiliar (%)": _number(snapshot.unfamiliar, ".0f", 100),
        "withheld (%)": _number(snapshot.withheld, ".0f", 100),
        "median depth (m)": _number(snapshot.depth, ".2f"),
        "median sigma / depth": _number(snapshot.relative_sigma, ".3f"),
        "frames stabilised": str(snapshot.stabilised.get("", 0)),
        "frames not stabilised": ", ".join(f"{r} {n}" for r, n in snapshot.stabilised.items() if r),
        "last rejection": snapshot.last_rejection,
        "last fault": snapshot.fault,
    }
    return key_values(values)


def key_values(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def _number(value: float | None, form: str, scale: float = 1) -> str:
    return "" if value is None else format(scale * value, form)


def _percentiles(name: str, seconds: tuple[float, float] | None) -> dict[str, str]:
    texts = ("", "") if seconds is None else (f"{1e3 * value:.1f}" for value in seconds)
    return {f"{name} p{percent} (ms)": text for percent, text in zip((50, 99), texts, strict=True)}
