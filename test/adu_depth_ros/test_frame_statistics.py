import pytest

from adu_depth_ros.frame_statistics import FATES, WINDOW_S, FrameStatistics


class HandClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return HandClock()


def test_rates_and_percentiles_are_those_of_the_window(clock):
    statistics = FrameStatistics(clock)
    for frame in range(200):  # 20 s at 10 Hz; every second frame is published, with increasing delay
        clock.now += 0.1
        statistics.received()
        if frame % 2:
            statistics.published(latency=frame / 1000, inference=0.01)
    snapshot = statistics.snapshot()
    assert snapshot.total == {**dict.fromkeys(FATES, 0), "received": 200, "published": 100}
    assert snapshot.input_rate == pytest.approx(10.0, abs=0.3)
    assert snapshot.output_rate == pytest.approx(5.0, abs=0.3)
    median, high = snapshot.latency
    assert median == pytest.approx(0.174, abs=0.003)  # from frames 149, 151, ... 199
    assert high == pytest.approx(0.199, abs=0.003)
    assert snapshot.inference == (pytest.approx(0.01), pytest.approx(0.01))


def test_a_young_rate_is_not_diluted_by_the_window(clock):
    statistics = FrameStatistics(clock)
    for _ in range(10):
        clock.now += 0.1
        statistics.received()
    assert statistics.snapshot().input_rate == pytest.approx(10.0)


def test_old_frames_leave_the_window_but_not_the_total(clock):
    statistics = FrameStatistics(clock)
    statistics.received()
    statistics.rejected("too dark")
    clock.now += WINDOW_S + 0.1
    snapshot = statistics.snapshot()
    assert snapshot.recent["rejected"] == 0
    assert snapshot.total["rejected"] == 1
    assert snapshot.last_rejection == "too dark"
    assert snapshot.latency is None


def test_a_fault_is_told_until_frames_are_published_a_window_later(clock):
    statistics = FrameStatistics(clock)
    statistics.fault("TypeError: no")
    clock.now += 10 * WINDOW_S
    assert statistics.snapshot().fault == "TypeError: no"
    statistics.failed("TypeError: again")
    clock.now += 0.5 * WINDOW_S
    statistics.published(0.1, 0.1)
    assert statistics.snapshot().fault == "TypeError: again"
    assert statistics.snapshot().recent["failed"] == 1
    clock.now += WINDOW_S
    statistics.published(0.1, 0.1)
    assert statistics.snapshot().fault == ""
