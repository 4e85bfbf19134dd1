import pytest

pytest.importorskip("rosbags")
from adu_depth_core.replay.evaluation_result import FrameRecord
from adu_depth_core.replay.frame_log import FrameLog


def test_records_come_back_as_they_went_in():
    records = [
        FrameRecord(0, 1_764_000_000_123_456_789, 0, {}),
        FrameRecord(1, 1_764_000_000_223_456_789, 500, {"rmse": 2.0, "abs_rel": 0.1}),
        FrameRecord(
            3, 1_764_000_000_423_456_789, 400, {"rmse": 2.5, "abs_rel": 0.2, "instability": 0.03}, bag=1
        ),
    ]
    log = FrameLog()
    for record in records:
        log.add(record)
    assert len(log) == 3
    assert log.records() == records
    assert list(log.records()[2].metrics) == ["rmse", "abs_rel", "instability"]
