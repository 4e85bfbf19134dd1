import pytest

pytest.importorskip("diagnostic_msgs")
from diagnostic_msgs.msg import DiagnosticStatus

from adu_depth_ros.diagnostics import frame_values, judge
from adu_depth_ros.frame_statistics import FrameStatistics

OK, WARN, ERROR, STALE = (getattr(DiagnosticStatus, name) for name in ("OK", "WARN", "ERROR", "STALE"))


DOUBT = "fx 7215 is not what the model was trained for"


def snapshot(received=0, published=0, dropped=0, rejected=0, failed=0, latency=0.05, unfamiliar=0, doubt=""):
    statistics = FrameStatistics()
    for _ in range(received):
        statistics.received()
    for number in range(published):
        statistics.published(latency, inference=0.02, unfamiliar=number < unfamiliar, camera_doubt=doubt)
    for _ in range(dropped):
        statistics.dropped()
    for _ in range(rejected):
        statistics.rejected("unknown encoding")
    for _ in range(failed):
        statistics.failed("TypeError: no")
    return statistics.snapshot()


@pytest.mark.parametrize(
    ("state", "failure", "frames", "level", "message"),
    [
        ("active", "", {"received": 9, "published": 9}, OK, "50 ms"),
        ("active", "", {"received": 9}, OK, "nobody listens"),
        ("active", "", {"received": 9, "published": 6, "dropped": 3}, WARN, "3 of 9 frames dropped"),
        ("active", "", {"received": 9, "published": 8, "unfamiliar": 4}, OK, "50 ms"),
        (
            "active",
            "",
            {"received": 9, "published": 8, "unfamiliar": 5},
            WARN,
            "62% of the frames are not like",
        ),
        ("active", "", {"received": 9, "published": 9, "doubt": DOUBT}, WARN, DOUBT),
        ("active", "", {"received": 9, "published": 8, "unfamiliar": 8, "doubt": DOUBT}, WARN, DOUBT),
        ("active", "", {"received": 9, "published": 8, "rejected": 1}, WARN, "1 frames rejected: unknown"),
        ("active", "", {"received": 9, "rejected": 9}, ERROR, "every frame is rejected: unknown encoding"),
        ("active", "", {"received": 9, "published": 9, "latency": 9e8}, WARN, "use_sim_time"),
        ("active", "", {"received": 9, "published": 9, "latency": -5.0}, WARN, "use_sim_time"),
        ("active", "", {"received": 9, "published": 8, "failed": 1}, ERROR, "see its log: TypeError: no"),
        ("active", "", {"received": 9, "rejected": 8, "failed": 1}, ERROR, "see its log: TypeError: no"),
        ("active", "", {}, STALE, "no image on /image"),
        ("inactive", "", {}, STALE, "inactive"),
        ("unconfigured", "model file x.onnx does not exist", {}, ERROR, "x.onnx does not exist"),
    ],
)
def test_the_level_and_its_reason(state, failure, frames, level, message):
    actual_level, actual_message = judge(state, failure, "/image", snapshot(**frames))
    assert actual_level == level
    assert message in actual_message


def test_a_build_is_told_before_anything_else():
    level, message = judge("building", "", "/image", snapshot(), "building the engine of x.onnx: 3/6")
    assert (level, message) == (WARN, "building the engine of x.onnx: 3/6")


def test_values_are_numbers_or_empty():
    values = {pair.key: pair.value for pair in frame_values(snapshot(received=3, published=2, dropped=1))}
    assert values["latency p50 (ms)"] == values["latency p99 (ms)"] == "50.0"
    assert values["inference p99 (ms)"] == "20.0"
    assert (values["frames received"], values["frames published"], values["frames dropped"]) == (
        "3",
        "2",
        "1",
    )
    empty = {pair.key: pair.value for pair in frame_values(snapshot())}
    assert empty["latency p50 (ms)"] == ""
