"""Data opened by a configured source, and its entry in the model card."""

import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.training.sources import SourceConfig, describe_source, open_source, weights_licence

HELD_OUT, KEPT = "2011_09_26_drive_0005_sync", "2011_09_26_drive_0011_sync"


@pytest.fixture
def eigen(tmp_path, write_kitti_raw_frame):
    for drive in (HELD_OUT, KEPT):
        write_kitti_raw_frame(tmp_path, drive, 5, "train")
    lines = [f"2011_09_26/{drive} 5 l\n" for drive in (HELD_OUT, KEPT)]
    (tmp_path / "train_files.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def test_held_out_drives_are_not_trained_on(eigen):
    source = SourceConfig("kitti_eigen", str(eigen), 1.0, scenes="training")
    assert open_source(source).scenes == [f"{KEPT}/0000000005"]


def test_the_card_names_drives_of_large_data_sets(eigen):
    assert describe_source(SourceConfig("kitti_eigen", str(eigen), 1.0, scenes="training")) == {
        "name": "kitti_eigen",
        "kind": "kitti_eigen",
        "weight": 1.0,
        "licence": "CC BY-NC-SA 3.0 (KITTI, non-commercial)",
        "split": "training",
        "drives": [KEPT],
        "frames": 1,
    }


def test_the_card_names_scenes_of_small_ones(tmp_path, write_kitti2015_scene):
    write_kitti2015_scene(tmp_path / "monday", "000003", (0, 0, 0), 5.0)
    description = describe_source(SourceConfig("synthetic", str(tmp_path / "monday"), 0.5))
    assert (description["name"], description["scenes"]) == ("monday", ["000003"])
    assert "split" not in description


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "kiti2015"}, "choose from kitti2015, kitti2012, kitti_eigen"),
        ({"kind": "stereo_folder", "scenes": "training"}, "stereo_folder holds no frames out"),
        (
            {"kind": "kitti_folder", "scenes": "training"},
            "kitti_folder holds no frames out but of folders that it knows by name",
        ),
        ({"kind": "kitti2015", "weight": 0}, "must be positive"),
    ],
)
def test_a_source_that_cannot_be_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        SourceConfig(**{"path": "x", "weight": 1.0, **options})


def test_scenes_of_kitti_2015_in_a_folder_are_held_out_with_their_neighbours(tmp_path):
    root = tmp_path / "kitti2015_more"
    (root / "image_2").mkdir(parents=True)
    for scene in ("000043", "000054", "000055", "000056", "000057", "000072"):
        (root / "image_2" / f"{scene}_10.jpg").touch()
    source = SourceConfig("kitti_folder", str(root), 1.0, scenes="training")
    assert open_source(source).scenes == ["000043_10", "000057_10"]
    neighbours = SourceConfig("kitti_folder", str(root), 1.0, scenes="not_held_out")
    assert open_source(neighbours).scenes == ["000043_10", "000055_10", "000057_10"]
    description = describe_source(source)
    assert (description["name"], description["kind"]) == ("kitti2015_more", "kitti_folder")


def test_frames_of_other_folders_that_show_held_out_places_are_not_trained_on(tmp_path):
    root = tmp_path / "kitti_object_lidar_pairs"
    (root / "image_2").mkdir(parents=True)
    for frame in ("000006", "000007", "000009"):  # the latter show scenes 106, and 110 and 111
        (root / "image_2" / f"{frame}.png").touch()
    assert open_source(SourceConfig("kitti_folder", str(root), 1.0, scenes="training")).scenes == ["000006"]
    assert len(open_source(SourceConfig("kitti_folder", str(root), 1.0)).scenes) == 3


def test_weights_carry_the_restrictions_of_each_folder():
    licence = weights_licence(
        [SourceConfig("kitti_folder", f"x/{name}", 1.0) for name in ("radiate_fog", "y")]
    )
    assert licence.startswith(
        "Non-commercial research use only: trained on images under CC BY-NC-SA 3.0 (KITTI"
    )
    assert "CC BY-NC-SA 4.0 (RADIATE, non-commercial)" in licence
    assert weights_licence([SourceConfig("kitti_folder", "pandaset_002", 1.0)]) == (
        "Apache-2.0; trained on images under CC BY 4.0 (PandaSet)"
    )


@pytest.mark.parametrize(
    ("kinds", "licence"),
    [
        (("synthetic",), "Apache-2.0"),
        (("synthetic", "drivingstereo"), "Apache-2.0; trained on images under MIT (DrivingStereo)"),
        (("stereo_folder", "drivingstereo"), "As the owner of the recordings decides"),
        (("stereo_folder", "kitti2012"), "Non-commercial research use only"),
    ],
)
def test_the_strictest_licence_of_the_sources_holds_for_the_weights(kinds, licence):
    assert weights_licence([SourceConfig(kind, "x", 1.0) for kind in kinds]).startswith(licence)
