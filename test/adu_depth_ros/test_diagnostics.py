import pytest

pytest.importorskip("diagnostic_msgs")
from diagnostic_msgs.msg import DiagnosticStatus

from adu_depth_ros.diagnostics import Condition, frame_values, judge
from adu_depth_ros.frame_statistics import DRIFT_FRAMES, FrameStatistics
from adu_depth_ros.parameters import Parameters

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
        ("active", "", {"received": 9}, OK, "no subscribers"),
        ("active", "", {}, OK, "depth has no subscribers: not subscribed to images"),
        ("active", "", {"received": 9, "published": 6, "dropped": 3}, WARN, "3 of 9 frames dropped"),
        ("active", "", {"received": 9, "published": 8, "unfamiliar": 4}, OK, "50 ms"),
        (
            "active",
            "",
            {"received": 9, "published": 8, "unfamiliar": 5},
            WARN,
            "62% of the frames are unlike",
        ),
        ("active", "", {"received": 9, "published": 9, "doubt": DOUBT}, WARN, DOUBT),
        ("active", "", {"received": 9, "published": 8, "unfamiliar": 8, "doubt": DOUBT}, WARN, DOUBT),
        ("active", "", {"received": 9, "published": 8, "rejected": 1}, WARN, "1 frames rejected: unknown"),
        ("active", "", {"received": 9, "rejected": 9}, ERROR, "every frame is rejected: unknown encoding"),
        ("active", "", {"received": 9, "published": 9, "latency": 9e8}, WARN, "use_sim_time"),
        ("active", "", {"received": 9, "published": 9, "latency": -5.0}, WARN, "use_sim_time"),
        (
            "active",
            "",
            {"received": 9, "published": 8, "failed": 1},
            ERROR,
            "see the node's log: TypeError: no",
        ),
        (
            "active",
            "",
            {"received": 9, "rejected": 8, "failed": 1},
            ERROR,
            "see the node's log: TypeError: no",
        ),
        ("inactive", "", {}, STALE, "inactive"),
        ("unconfigured", "model file x.onnx does not exist", {}, ERROR, "x.onnx does not exist"),
    ],
)
def test_the_level_and_its_reason(state, failure, frames, level, message):
    condition = Condition(state, snapshot(**frames), "/image", failure)
    actual_level, actual_message, _ = judge(condition)
    assert actual_level == level
    assert message in actual_message


def test_a_build_is_told_before_anything_else():
    condition = Condition("building", snapshot(), building="building the engine of x.onnx: 3/6")
    level, message, _ = judge(condition)
    assert (level, message) == (WARN, "building the engine of x.onnx: 3/6")


@pytest.mark.parametrize(
    ("latencies", "limits", "level", "message"),
    [
        ([0.05] * 50, {}, OK, "50 ms behind"),
        ([0.05] * 50, {"latency_budget": 0.06}, OK, "50 ms behind"),
        ([0.05] * 48 + [0.2] * 2, {"latency_budget": 0.1}, WARN, "of a latency_budget of 100 ms"),
        (
            [0.05] * 20 + [0.2] * 30,
            {"latency_budget": 0.1},
            ERROR,
            "half of the outputs take 200 ms or more",
        ),
        ([1e9] * 50, {"latency_budget": 0.1}, WARN, "different clock"),
    ],
)
def test_answers_that_come_too_late(latencies, limits, level, message):
    statistics = FrameStatistics()
    for latency in latencies:
        statistics.received()
        statistics.published(latency, 0.02)
    actual, text, _ = judge(Condition("active", statistics.snapshot(), parameters=Parameters(**limits)))
    assert actual == level
    assert message in text


def test_an_input_is_stale_after_the_time_that_was_set():
    now = [100.0]
    statistics = FrameStatistics(clock=lambda: now[0])
    statistics.subscribed()
    now[0] += 2.0
    assert judge(Condition("active", statistics.snapshot(), "/image"))[0] == OK
    now[0] += 0.5
    level, text, _ = judge(Condition("active", statistics.snapshot(), "/image"))
    assert (level, text) == (STALE, "no image on /image for 2.5 s (limit 2 s)")
    statistics.received()
    statistics.idle()
    now[0] += 1.0
    limits = Parameters(stale_after=1.5)
    assert judge(Condition("active", statistics.snapshot(), "/image", parameters=limits))[0] == OK
    now[0] += 1.0
    level, text, _ = judge(Condition("active", statistics.snapshot(), "/image", parameters=limits))
    assert (level, text) == (STALE, "no image on /image for 2.0 s (limit 1.5 s)")
    statistics.unsubscribed()
    assert judge(Condition("active", statistics.snapshot(), "/image", parameters=limits))[0] == OK


def test_drops_are_tolerated_up_to_the_share_that_was_set():
    frames = snapshot(received=10, published=8, dropped=2)
    assert judge(Condition("active", frames, parameters=Parameters(max_drop_share=0.2)))[0] == OK
    level, text, _ = judge(Condition("active", frames, parameters=Parameters(max_drop_share=0.1)))
    assert level == WARN
    assert "2 of 10 frames dropped in the last 5 s (limit 10%)" in text


@pytest.mark.parametrize(
    ("unfused", "level", "message"),
    [
        (["first frame", "", "", ""], OK, "Hz"),
        (["first frame"], OK, "Hz"),
        (["first frame", "motion unknown: no a", "", "motion unknown: no b"], WARN,
         "3 of 4 frames are not stabilised: motion unknown: no b"),
    ],
)  # fmt: skip
def test_frames_that_are_not_stabilised_are_told_with_the_reason(unfused, level, message):
    statistics = FrameStatistics()
    for reason in unfused:
        statistics.received()
        statistics.published(0.05, 0.02)
        statistics.stabilised(reason)
    snapshot = statistics.snapshot()
    actual, text, _ = judge(Condition("active", snapshot))
    assert (actual, message in text) == (level, True)
    values = {value.key: value.value for value in frame_values(snapshot)}
    assert values["frames stabilised"] == str(unfused.count(""))
    if level == WARN:
        assert values["frames not stabilised"] == "first frame 1, motion unknown 2"


def test_withheld_pixels_are_told_with_their_limit():
    statistics = FrameStatistics()
    statistics.received()
    statistics.published(0.05, 0.02, withheld=0.6)
    assert judge(Condition("active", statistics.snapshot()))[0] == OK
    level, text, _ = judge(
        Condition("active", statistics.snapshot(), parameters=Parameters(max_withheld_share=0.5))
    )
    assert level == WARN
    assert "60% of the pixels have no depth (limit 50%)" in text


TYPICAL = {"depth": [10.0, 40.0], "relative_sigma": [0.1, 0.3]}


@pytest.mark.parametrize(
    ("depth", "relative_sigma", "level", "message"),
    [
        (7.0, 0.44, OK, ""),
        (6.0, 0.2, WARN, "median depth of the last 60 s is 6 m, typical of the model are 10 to 40 m"),
        (61.0, 0.2, WARN, "median depth"),
        (
            20.0,
            0.5,
            WARN,
            "median sigma / depth of the last 60 s is 0.5, typical of the model are 0.1 to 0.3",
        ),
    ],
)
def test_depth_and_sigma_that_drift_from_the_card(depth, relative_sigma, level, message):
    statistics = FrameStatistics()
    for count in range(DRIFT_FRAMES):
        drifted = judge(Condition("active", statistics.snapshot(), typical=TYPICAL))
        assert drifted[0] != WARN, f"after {count} frames"
        statistics.received()
        statistics.published(0.05, 0.02, typical=(depth, relative_sigma))
    actual, text, _ = judge(Condition("active", statistics.snapshot(), typical=TYPICAL))
    assert actual == level
    assert message in text
    assert judge(Condition("active", statistics.snapshot()))[0] == OK  # a card without the entry


def test_what_is_less_severe_is_told_beside_the_worst():
    frames = snapshot(received=9, published=6, dropped=2, failed=1)
    level, text, others = judge(
        Condition("active", frames, worker="the worker has been busy with one frame for 9 s")
    )
    assert (level, text) == (ERROR, "the worker has been busy with one frame for 9 s")
    assert len(others) == 2
    assert "TypeError" in others[0]
    assert "dropped" in others[1]


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
