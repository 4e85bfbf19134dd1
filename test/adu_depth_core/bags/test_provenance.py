from pathlib import Path

import pytest

pytest.importorskip("rosbags")
from adu_depth_core.bags.provenance import bag_name, frame_name

DATE = 1_764_000_000_123_456_789


@pytest.mark.parametrize("path", ["drives/monday", "monday.mcap", "monday.bag"])
def test_a_bag_goes_by_its_name_without_folder_and_ending(path):
    assert bag_name(Path(path)) == "monday"
    assert frame_name(Path(path), 7, DATE) == f"monday_000007_{DATE}"
