import itertools

import cv2
import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from adu_depth_core.stereo_pair import disparity_from_depth
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
from adu_depth_core.synthetic.drive.kitti2015_writer import seen_by_right

TINY = {"frames": 2, "width": 96, "height": 32}


def generate(**options):
    return list(generate_drive(DriveConfig(**{**TINY, **options}))[1])


def everything(frame):
    arrays = (frame.left, frame.right, frame.depth, frame.points, frame.world_from_base)
    return b"".join(array.tobytes() for array in arrays)


def test_the_same_seed_gives_the_same_bytes():
    first, second = generate(seed=5), generate(seed=5)
    assert [everything(f) for f in first] == [everything(f) for f in second]


def test_another_seed_gives_another_street():
    assert not np.array_equal(generate(seed=5)[0].depth, generate(seed=6)[0].depth)


def test_frames_are_typed_and_stamped_as_promised(small_drive):
    assert [f.index for f in small_drive.frames] == [0, 1, 2]
    assert [f.stamp_ns for f in small_drive.frames] == [0, 100_000_000, 200_000_000]
    for frame in small_drive.frames:
        assert frame.left.shape == frame.right.shape == (120, 400, 3)
        assert frame.left.dtype == frame.right.dtype == np.uint8
        assert (frame.depth.dtype, frame.depth.shape) == (np.float32, (120, 400))
        assert (frame.points.dtype, frame.points.shape[1]) == (np.float32, 4)


def test_depth_is_infinite_in_the_sky_and_positive_elsewhere(small_drive):
    for frame in small_drive.frames:
        sky = np.isinf(frame.depth)
        assert sky.any()
        assert not sky[80:].any()
        assert (frame.depth > 0).all()


def test_the_road_lies_below_the_camera_as_in_kitti(small_drive):
    camera = small_drive.rig.camera
    for frame in small_drive.frames:
        v = camera.height - 1
        height = frame.depth[v, camera.width // 2] * (v - camera.cy) / camera.fy
        assert height == pytest.approx(1.65, rel=0.1)  # the vehicle pitches a little


def test_images_have_contrast(small_drive):
    for frame in small_drive.frames:
        assert frame.left.std() > 20


def test_the_right_image_shows_the_left_one_shifted_by_the_disparity(small_drive):
    rig = small_drive.rig
    for frame in small_drive.frames:
        disparity = disparity_from_depth(frame.depth, rig.camera.fx * rig.baseline)
        visible = seen_by_right(disparity)
        v, u = np.mgrid[: rig.camera.height, : rig.camera.width].astype(np.float32)

        def difference(shift, u=u, v=v, frame=frame, visible=visible):
            moved = cv2.remap(frame.right, u - shift, v, cv2.INTER_LINEAR)
            return np.mean(np.abs(moved.astype(float) - frame.left)[visible])

        assert difference(disparity) < 0.5 * difference(disparity + 2)
        assert difference(disparity) < 0.5 * difference(disparity - 2)


def test_static_points_stay_where_they_are_between_frames(small_drive):
    """Depth, pose and mounting agree: points of one frame lie on surfaces of the next."""
    rig, (first, second) = small_drive.rig, small_drive.frames[:2]
    points = rig.camera.unproject(np.where(np.isinf(first.depth), 0, first.depth)).reshape(-1, 3)
    points = points[points[:, 2] > 0]
    second_from_first = np.linalg.inv(second.world_from_base @ rig.base_from_left)
    second_from_first = second_from_first @ first.world_from_base @ rig.base_from_left
    pixels, z = rig.camera.project(points @ second_from_first[:3, :3].T + second_from_first[:3, 3])
    inside = (z > 1) & np.all((pixels >= 0) & (pixels <= (399, 119)), axis=1)
    u, v = np.round(pixels[inside]).astype(int).T
    difference = np.abs(second.depth[v, u] - z[inside]) / z[inside]
    assert np.median(difference) < 0.01


def test_the_vehicle_drives_forward_at_town_speed(small_drive):
    poses = [f.world_from_base for f in small_drive.frames]
    for before, after in itertools.pairwise(poses):
        step = np.linalg.inv(before)[:3] @ after[:, 3]
        assert 0.5 <= step[0] <= 1.4  # 5 to 14 m/s at 10 Hz
        assert abs(step[1]) < 0.1


def test_no_lidar_means_no_points():
    assert generate(frames=1, lidar=None)[0].points.shape == (0, 4)


def test_the_focal_keeps_kittis_view_unless_given():
    assert DriveConfig(width=621, height=188).camera.fx == pytest.approx(721.5 / 2)
    camera = DriveConfig(width=640, height=480, focal=500.0).camera
    assert (camera.fx, camera.fy, camera.width, camera.height) == (500.0, 500.0, 640, 480)


def test_the_right_camera_is_one_baseline_to_the_right():
    rig = DriveConfig(baseline=0.4).rig
    assert rig.baseline == 0.4
    # x of the optical frame is -y of the vehicle: the pair is centred on the vehicle.
    np.testing.assert_allclose(rig.base_from_left @ [0.4, 0, 0, 1], [1.0, -0.2, 1.65, 1], atol=1e-12)


@pytest.mark.parametrize(
    "option",
    [
        {"seed": -1},
        {"frames": 0},
        {"width": 8},
        {"height": 0},
        {"focal": 0.0},
        {"focal": float("nan")},
        {"baseline": -0.5},
        {"rate_hz": 0.0},
        {"rate_hz": float("inf")},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_named(option):
    ((name, _),) = option.items()
    with pytest.raises(ValueError, match=name):
        DriveConfig(**option)
