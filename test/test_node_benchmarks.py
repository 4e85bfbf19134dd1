"""Verdicts of the node's benchmarks: each fault is detected."""

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
import lifecycle_cycles
import node_endurance
import node_latency
from node_latency import Run

COUNTS = {"sent": 9, "received": 8, "published": 5, "dropped": 3, "rejected": 0, "answered": 5}


def samples(**grown):
    steady = {"pss_mb": 200.0, "rss_mb": 300.0, "files": 23, "threads": 22}
    return [
        steady | {name: steady[name] * (1 + i / 100 * by) for name, by in grown.items()} for i in range(101)
    ]


@pytest.mark.parametrize(
    ("grown", "changed", "fault"),
    [
        ({}, {}, None),
        ({"rss_mb": 0.005}, {}, None),
        ({"rss_mb": 0.02}, {}, "memory grew by 1"),
        ({"files": 1.0}, {}, "files grew"),
        ({"threads": 1.0}, {}, "threads grew"),
        ({}, {"dropped": 2}, "8 frames received, 7 have an outcome"),
        ({}, {"published": 0, "dropped": 8}, "no frame was published"),
    ],
)
def test_an_endurance_run_is_judged(grown, changed, fault):
    faults = node_endurance.judge(samples(**grown), {"": COUNTS | changed})["faults"]
    assert (fault is None and not faults) or (len(faults) == 1 and fault in faults[0])


def runs(overhead=5.0, tail=30.0):
    relay = Run("relay", 30.0, 100, 100, (4.0, 5.0, 6.0), None, 4.0)
    floor = Run("relay 32FC1", 30.0, 100, 100, (5.0, 6.0, 7.0), None, 5.0)
    ours = Run("depth_node", 30.0, 100, 100, (20.0, tail, 60.0), 15.0, overhead)
    usual = Run("usual", 30.0, 100, 100, (300.0, 400.0, 500.0), 15.0, 285.0)
    return [relay, floor, ours, usual]


@pytest.mark.parametrize(
    ("changes", "age", "fault"),
    [
        ({}, 34.0, None),
        ({"overhead": 6.1}, 34.0, "overhead is 6.1 ms, 1.22 times the 5.0 of relay 32FC1"),
        ({"tail": 41.0}, 34.0, "p99 is 2.05 times p50"),
        ({}, 36.0, "p99 of the age is 36.0 ms (limit 35.0)"),
    ],
)
def test_latency_is_judged(changes, age, fault):
    flooded = Run("depth_node", 133.0, 100, 60, (25.0, age, 50.0), 15.0, 10.0)
    faults = node_latency.judge(runs(**changes), flooded)
    assert (fault is None and not faults) or (len(faults) == 1 and fault in faults[0])


def test_growth_over_lifecycle_cycles_is_a_fault(capsys):
    steady = [(200.0, 300.0, 23, 21)] * 40
    lifecycle_cycles.check_growth(steady)
    with pytest.raises(lifecycle_cycles.Fault, match="threads"):
        lifecycle_cycles.check_growth([*steady[:30], *[(200.0, 300.0, 23, 22)] * 10])
    with pytest.raises(lifecycle_cycles.Fault, match="PSS"):
        lifecycle_cycles.check_growth([(200.0 + 2 * i, 300.0, 23, 21) for i in range(40)])
