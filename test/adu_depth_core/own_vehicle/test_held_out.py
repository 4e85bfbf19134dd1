"""Corrections are evaluated only on data they were not fitted to."""

import dataclasses

import numpy as np
import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.own_vehicle.held_out import HeldOut, hold_out


def test_no_fit_sees_its_block_or_the_frames_around_it(drive):
    frames = drive(frames=60)
    held_out = hold_out(frames)
    assert held_out.in_time
    assert held_out.description == "10 blocks of 6 s"
    seen = held_out.fits(lambda others: {o.seconds for o in others})
    for frame, others in zip(frames, seen, strict=True):
        assert all(abs(frame.seconds - other) > 2 for other in others)
        assert len(others) >= 60 - 10


def test_drives_do_not_touch_each_other(drive):
    second = [dataclasses.replace(o, drive=1, seconds=o.seconds + 1000) for o in drive(frames=20)]
    held_out = hold_out([*drive(frames=20), *second])
    assert held_out.description == "10 blocks of 4 s"
    assert len(np.unique(held_out.block[:20])) == 5
    assert not set(held_out.block[:20]) & set(held_out.block[20:])


def test_a_few_pictures_are_cut_into_strips(drive):
    held_out = hold_out(drive(frames=2))
    assert not held_out.in_time
    assert held_out.description == "6 strips of each of 2 pictures"
    assert sum(len(o.depth) for o in held_out.observations) == 800
    for strip, number in zip(held_out.observations, held_out.block, strict=True):
        assert np.all((strip.across * 6).astype(int) == number)


def test_too_little_is_refused(drive):
    (frame,) = drive(frames=1)
    with pytest.raises(UserError, match=r"1 frames cannot be held out .* record 10 frames or more"):
        hold_out([frame.part(frame.across < 0.3, 0.0)])


def test_the_interval_of_strips_is_students(drive):
    held_out = HeldOut(drive(frames=4), np.arange(4), 0.0, "", False)
    interval = held_out.interval(np.array([1.0, 2.0, 3.0, 4.0]))
    # deviation 1.291, / sqrt(4) * 3.182
    assert interval.mean == 2.5
    assert (interval.low, interval.high) == pytest.approx((2.5 - 2.054, 2.5 + 2.054), abs=1e-3)
