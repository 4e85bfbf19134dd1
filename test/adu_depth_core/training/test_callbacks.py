"""Throughput: what is computing and what is waiting, by a clock that the test turns."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from adu_depth_core.training import callbacks
from adu_depth_core.training.callbacks import Throughput


class Log:
    """Takes what a module would log."""

    def __init__(self):
        self.values = []

    def log_dict(self, values, batch_size):
        self.values.append(values)


@pytest.fixture
def clock(monkeypatch):
    """``clock(seconds)`` lets time pass."""
    now = [100.0]
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: now[0])

    def turn(seconds):
        now[0] += seconds

    return turn


def test_the_share_of_waiting_for_data_is_that_between_the_steps(clock):
    throughput, log = Throughput(batch_size=8, every=4), Log()
    throughput.on_train_start()
    for _ in range(8):
        clock(0.75)  # waiting for data
        throughput.on_train_batch_start()
        clock(0.25)  # computing
        throughput.on_train_batch_end(None, log)
    expected = {"speed/data_share": pytest.approx(0.75), "speed/views_per_second": pytest.approx(8.0)}
    assert log.values == [expected, expected]


def test_validation_counts_as_neither(clock):
    throughput, log = Throughput(batch_size=8, every=1), Log()
    throughput.on_train_start()
    clock(60.0)
    throughput.on_validation_end(None)
    throughput.on_train_batch_start()
    clock(0.5)
    throughput.on_train_batch_end(None, log)
    assert log.values[0]["speed/data_share"] == pytest.approx(0.0)
