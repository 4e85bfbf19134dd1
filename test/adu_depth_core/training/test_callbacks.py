"""Throughput: computing and waiting time, by a clock that the test advances."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import torch

from adu_depth_core.training import callbacks
from adu_depth_core.training.callbacks import ProgressLog, Throughput


class Log:
    """Collects what a module would log."""

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


class Run:
    """The parts of a trainer that the log reads."""

    max_steps, is_global_zero, global_step = 100, True, 0


def test_where_there_is_no_terminal_a_line_is_written_every_ten_seconds_and_at_the_end(capsys, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    log, trainer, module = ProgressLog(), Run(), Run()
    trainer.global_step, module.progress = 20, 0.0  # resumed: the share is known when a step begins
    log.on_train_start(trainer, module)
    for step in range(21, 101):
        now[0] += 0.25
        module.progress = (step - 1) / 100  # set at the start of each step
        trainer.global_step = step
        log.on_train_batch_end(trainer, module, {"loss": torch.tensor(3.0 - step / 50)})
    log.on_train_end(trainer, module)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "training: step 60 of at most 100, loss 1.800, 4.0 steps/s, 0:00:10 left",
        "training: step 100 of at most 100, loss 1.000, 4.0 steps/s, 0:00:00 left",
        "training: step 100, 0:00:20 elapsed",
    ]


def test_one_of_several_processes_writes_it(capsys, monkeypatch):
    log, trainer, module = ProgressLog(), Run(), Run()
    trainer.is_global_zero, module.progress = False, 0.0
    log.on_train_start(trainer, module)
    log.on_train_end(trainer, module)
    assert capsys.readouterr().err == ""
