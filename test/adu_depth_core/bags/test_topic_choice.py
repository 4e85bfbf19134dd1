import pytest

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from adu_depth_core.bags.messages import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, POINT_CLOUD, TRANSFORMS
from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics

DRIVE = {
    "/camera/left/image_rect": IMAGE,
    "/camera/left/camera_info": CAMERA_INFO,
    "/camera/right/image_rect": IMAGE,
    "/camera/right/camera_info": CAMERA_INFO,
    "/camera/left/depth": IMAGE,
    "/lidar/points": POINT_CLOUD,
    "/tf_static": TRANSFORMS,
}


def without(*topics):
    return {name: kind for name, kind in DRIVE.items() if name not in topics}


def test_the_left_rectified_photo_and_the_exact_depth_are_preferred():
    topics = choose_topics({**DRIVE, "/camera/left/image_raw": IMAGE}, "drive")
    assert topics.image == "/camera/left/image_rect"
    assert topics.camera_info == "/camera/left/camera_info"
    assert (topics.truth, topics.truth_topic) == ("depth", "/camera/left/depth")
    (image, *_) = topics.choices
    assert "before /camera/left/image_raw, /camera/right/image_rect" in image.reason


@pytest.mark.parametrize(
    ("types", "truth"),
    [
        (DRIVE, "depth"),
        (without("/camera/left/depth"), "lidar"),
        (without("/camera/left/depth", "/tf_static"), "stereo"),
        (without("/camera/left/depth", "/lidar/points"), "stereo"),
        (without("/camera/left/depth", "/lidar/points", "/camera/right/camera_info"), "none"),
    ],
)
def test_the_best_ground_truth_that_is_there_is_taken(types, truth):
    assert choose_topics(types, "drive").truth == truth


def test_depth_by_the_node_is_no_ground_truth():
    types = {
        **without("/camera/left/depth", "/lidar/points", "/camera/right/image_rect"),
        "/depth/image": IMAGE,
    }
    assert choose_topics(types, "drive").truth == "none"


def test_compressed_images_have_their_calibration_beside_them():
    types = {"/front/image_raw/compressed": COMPRESSED_IMAGE, "/front/camera_info": CAMERA_INFO}
    topics = choose_topics(types, "drive")
    assert (topics.image, topics.camera_info) == ("/front/image_raw/compressed", "/front/camera_info")


def test_options_come_first():
    options = TopicOptions(image="/camera/right/image_rect", truth="lidar")
    topics = choose_topics(DRIVE, "drive", options)
    assert (topics.image, topics.camera_info) == ("/camera/right/image_rect", "/camera/right/camera_info")
    assert (topics.truth, topics.truth_topic) == ("lidar", "/lidar/points")


def test_a_pair_keeps_lidar_as_its_ground_truth():
    topics = choose_topics(without("/camera/left/depth"), "drive", pair=True)
    assert topics.right_image == "/camera/right/image_rect"
    assert topics.truth == "lidar"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (TopicOptions(image="/rear"), "no image topic /rear"),
        (TopicOptions(image="/lidar/points"), "no image topic /lidar/points"),
        (TopicOptions(truth_topic="/tf_static"), "no ground truth topic /tf_static"),
        (TopicOptions(truth="depth", truth_topic="/lidar/points"), "no depth topic /lidar/points"),
        (TopicOptions(right_image="/rear"), "no right image topic /rear"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(options, complaint):
    with pytest.raises(UserError, match=rf"{complaint}.*it has: /camera/left/camera_info"):
        choose_topics(DRIVE, "drive", options)


def test_a_wanted_ground_truth_that_is_not_there_is_an_error():
    with pytest.raises(UserError, match="no stereo ground truth"):
        choose_topics(without("/camera/right/image_rect"), "drive", TopicOptions(truth="stereo"))
