import re

import pytest

from adu_depth_core.datasets.kitti2015_scenes import (
    CALIBRATION_SCENES,
    GROUPS,
    VALIDATION_SCENES,
    place_of,
    scene_of,
)


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ("000006", "scene 6"),
        ("000007", "scenes 7 to 12"),
        ("000012_10", "scenes 7 to 12"),
        ("000012_11", "scenes 7 to 12"),
        ("000199", "scene 199"),
        ("d0005_000031", "d0005_000031"),
    ],
)
def test_the_place_of_a_scene_is_that_of_its_group(frame, place):
    assert place_of(frame) == place


def test_groups_are_in_order_and_share_no_scene():
    limits = [limit for group in GROUPS for limit in group]
    assert limits == sorted(set(limits))


def test_validation_and_calibration_share_no_scene_and_are_36_scenes():
    assert (len(VALIDATION_SCENES), len(CALIBRATION_SCENES)) == (25, 11)
    assert len({*VALIDATION_SCENES, *CALIBRATION_SCENES}) == 36


def test_held_out_scenes_and_groups_are_those_of_the_datas_readme(real_data):
    text = " ".join((real_data / "README.md").read_text(encoding="utf-8").split())
    validation = text[text.index("Validation scenes:") : text.index("Calibration scenes:")]
    calibration = text[text.index("Calibration scenes:") : text.index("Other cameras are judged")]
    assert _scenes(validation) == list(VALIDATION_SCENES)
    assert _scenes(calibration) == list(CALIBRATION_SCENES)
    listed = re.search(r"never split such a group .*?: ([\d, -]+)\.", text)[1]
    groups = [tuple(map(int, group.split("-"))) for group in listed.split(", ")]
    # Two more were found by matching image features: a street with the same van in both, and a hillside.
    assert sorted([*groups, (4, 5), (55, 56)]) == list(GROUPS)


def _scenes(text: str) -> list[str]:
    found = []
    for first, last in re.findall(r"(\d{6})(?:-(\d{6}))?", text):
        found += [f"{scene:06d}" for scene in range(int(first), int(last or first) + 1)]
    return [scene_of(scene) for scene in found]
