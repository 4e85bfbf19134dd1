"""The node's entry in ``/diagnostics``."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from adu_depth_ros.frame_statistics import WINDOW_S, Snapshot

FOREIGN_CLOCK_S = 60.0
"""A latency beyond this, or negative, means that stamps and node do not share a clock."""


def judge(
    state: str, failure: str, image_topic: str, snapshot: Snapshot, building: str = ""
) -> tuple[bytes, str]:
    """Level and one line for whoever watches the robot.

    STALE: no depth is expected (node not active) or no image arrives. ERROR: the node could not be
    configured, something went wrong in it that should not, or no frame of the last seconds could be used.
    WARN: some could not, or some were dropped, or the model was not trained for their camera, or most are
    unlike its training data, or an engine is being built first.

    :param state: lifecycle state
    :param failure: why the last configuration failed, empty if it did not
    :param image_topic: full name of the topic that images come from
    :param building: what the build of an engine is at; empty while none is built
    """
    recent = snapshot.recent
    if building:
        return DiagnosticStatus.WARN, building
    if failure:
        return DiagnosticStatus.ERROR, f"could not be configured: {failure}"
    if state != "active":
        return DiagnosticStatus.STALE, f"{state}: configure and activate the node to get depth"
    if snapshot.fault:
        return DiagnosticStatus.ERROR, f"a fault in the node, see its log: {snapshot.fault}"
    if recent["rejected"] and not recent["published"]:
        return DiagnosticStatus.ERROR, f"every frame is rejected: {snapshot.last_rejection}"
    if not recent["received"]:
        return DiagnosticStatus.STALE, f"no image on {image_topic} in the last {WINDOW_S:g} s"
    if recent["rejected"]:
        return DiagnosticStatus.WARN, f"{recent['rejected']} frames rejected: {snapshot.last_rejection}"
    if snapshot.camera_doubt:
        return DiagnosticStatus.WARN, snapshot.camera_doubt
    if snapshot.unfamiliar is not None and snapshot.unfamiliar > 0.5:
        return DiagnosticStatus.WARN, (
            f"{snapshot.unfamiliar:.0%} of the frames are not like what the model was trained on: depth and "
            "its uncertainty may both be far off"
        )
    if recent["dropped"]:
        return DiagnosticStatus.WARN, (
            f"{recent['dropped']} of {recent['received']} frames dropped in the last {WINDOW_S:g} s: "
            "they come faster than they are processed"
        )
    if snapshot.latency is None:
        return DiagnosticStatus.OK, "nobody listens to depth: frames are not processed"
    median = snapshot.latency[0]
    if not 0.0 <= median <= FOREIGN_CLOCK_S:
        return DiagnosticStatus.WARN, (
            f"images are stamped {median:.1f} s before now: another clock? In a replay set use_sim_time "
            "and play the bag with --clock"
        )
    return (
        DiagnosticStatus.OK,
        f"{snapshot.output_rate:.1f} Hz, {1e3 * median:.0f} ms behind the image",
    )


def frame_values(snapshot: Snapshot) -> list[KeyValue]:
    """The statistics as key-value pairs; empty text where there is no value."""
    values = {
        "input rate (Hz)": f"{snapshot.input_rate:.2f}",
        "output rate (Hz)": f"{snapshot.output_rate:.2f}",
        **_percentiles("latency", snapshot.latency),
        **_percentiles("inference", snapshot.inference),
        **{f"frames {name}": str(count) for name, count in snapshot.total.items()},
        "unfamiliar (%)": "" if snapshot.unfamiliar is None else f"{100 * snapshot.unfamiliar:.0f}",
        "last rejection": snapshot.last_rejection,
        "last fault": snapshot.fault,
    }
    return key_values(values)


def key_values(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def _percentiles(name: str, seconds: tuple[float, float] | None) -> dict[str, str]:
    texts = ("", "") if seconds is None else (f"{1e3 * value:.1f}" for value in seconds)
    return {f"{name} p{percent} (ms)": text for percent, text in zip((50, 99), texts, strict=True)}
