"""Schedule progress by steps and by wall-clock time."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("lightning")

from adu_depth_core.training import schedule
from adu_depth_core.training.schedule import WARM_UP, Progress, one_cycle


def test_the_learning_rate_rises_to_its_largest_and_falls_to_almost_nothing():
    assert one_cycle(0.0) == pytest.approx(0.04)
    assert one_cycle(WARM_UP) == pytest.approx(1.0)
    assert one_cycle(1.0) < 1e-4
    assert one_cycle(1.3) == one_cycle(1.0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_it_only_rises_before_the_peak_and_only_falls_after(one, other):
    one, other = sorted((one, other))
    if other <= WARM_UP:
        assert one_cycle(one) <= one_cycle(other) + 1e-12
    elif one >= WARM_UP:
        assert one_cycle(one) >= one_cycle(other) - 1e-12


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(schedule.time, "monotonic", lambda: now.seconds)
    return now


def trainer(step):
    return SimpleNamespace(
        global_step=step, should_stop=False, strategy=SimpleNamespace(broadcast=lambda value: value)
    )


def test_progress_goes_by_steps_without_a_limit():
    module = SimpleNamespace(progress=0.0)
    Progress(steps=40).on_train_batch_start(trainer(10), module)
    assert module.progress == 0.25


def test_progress_goes_by_whichever_is_farther_and_ends_the_run(clock):
    module, progress = SimpleNamespace(progress=0.0), Progress(steps=1000, max_hours=1.0)
    progress.on_train_start()
    clock.seconds += 1800.0
    run = trainer(10)
    progress.on_train_batch_start(run, module)
    assert module.progress == 0.5
    assert not run.should_stop
    progress.on_train_batch_start(trainer(900), module)
    assert module.progress == 0.9
    clock.seconds += 1800.0
    progress.on_train_batch_start(run, module)
    assert run.should_stop


def test_time_before_a_resume_counts(clock):
    before = Progress(steps=1000, max_hours=1.0)
    before.on_train_start()
    clock.seconds += 900.0
    after, module = Progress(steps=1000, max_hours=1.0), SimpleNamespace(progress=0.0)
    after.load_state_dict(before.state_dict())
    clock.seconds += 5000.0
    after.on_train_start()
    clock.seconds += 900.0
    after.on_train_batch_start(trainer(10), module)
    assert module.progress == 0.5
