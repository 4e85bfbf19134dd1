import numpy as np
import pytest

pytest.importorskip("sensor_msgs")
from sensor_msgs.msg import PointField
from std_msgs.msg import Header

from adu_depth_core.camera import Camera
from adu_depth_ros.point_cloud import Selection, point_cloud

CAMERA = Camera(fx=100.0, fy=50.0, cx=1.0, cy=0.5, width=4, height=3)
POINT = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("rgb", "u4"), ("sigma", "f4")])


def cloud(**selection):
    depth = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    depth[0, 0], depth[2, 2] = np.nan, np.inf
    rgb = np.zeros((3, 4, 3), np.uint8)
    rgb[1, 3] = 0x12, 0x34, 0x56
    return point_cloud(depth, depth / 10, rgb, CAMERA, Header(frame_id="camera"), Selection(**selection))


def points(message):
    """Decodes a cloud from its field descriptions alone."""
    assert all(field.datatype == PointField.FLOAT32 for field in message.fields)
    assert {field.name: field.offset for field in message.fields} == {
        n: f[1] for n, f in POINT.fields.items()
    }
    assert (message.point_step, message.row_step) == (POINT.itemsize, POINT.itemsize * message.width)
    return np.frombuffer(message.data, POINT).reshape(message.height, message.width)


def test_points_lie_where_the_camera_sees_them():
    message = cloud()
    assert (message.height, message.width, message.header.frame_id) == (3, 4, "camera")
    point = points(message)[1, 3]
    assert point["z"] == 8.0
    assert point["x"] == pytest.approx((3 - 1.0) / 100 * 8)
    assert point["y"] == pytest.approx((1 - 0.5) / 50 * 8)
    assert point["sigma"] == pytest.approx(0.8)


def test_color_is_packed_as_rviz_reads_it():
    assert points(cloud())[1, 3]["rgb"] == 0x123456


def test_pixels_without_depth_are_nan_points():
    message = cloud()
    assert not message.is_dense
    missing = np.argwhere(np.isnan(points(message)["x"])).tolist()
    assert missing == [[0, 0], [2, 2]]


def test_a_stride_thins_the_cloud_out():
    every, second = points(cloud()), points(cloud(stride=2))
    assert second.shape == (2, 2)
    assert second["z"][1, 0] == every["z"][2, 0]
    assert second["x"][1, 0] == every["x"][2, 0]


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        ({"near": 5.0, "far": 9.0}, lambda x, y, z, sigma: (z >= 5) & (z <= 9)),
        ({"left": 0.03}, lambda x, y, z, sigma: x >= -0.03),
        ({"right": 0.03}, lambda x, y, z, sigma: x <= 0.03),
        ({"above": 0.02}, lambda x, y, z, sigma: y >= -0.02),
        ({"below": 0.1}, lambda x, y, z, sigma: y <= 0.1),
        ({"max_sigma": 0.55}, lambda x, y, z, sigma: sigma <= 0.55),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_points_outside_the_region_or_too_uncertain_are_nan(selection, kept):
    everything, selected = points(cloud()), points(cloud(**selection))
    expected = kept(*(everything[name] for name in ("x", "y", "z", "sigma"))) & np.isfinite(everything["z"])
    assert 0 < expected.sum() < np.isfinite(everything["z"]).sum()
    assert np.array_equal(np.isfinite(selected["z"]), expected)
    assert np.array_equal(np.isfinite(selected["x"]), expected)
    assert np.array_equal(selected["z"][expected], everything["z"][expected])


def test_a_cloud_of_voxels_is_a_list_of_finite_points():
    message = cloud(voxel=0.01, voxel_sigmas=0.0)
    thinned = points(message)
    assert (message.height, message.is_dense) == (1, True)
    everything = points(cloud())
    finite = np.isfinite(everything["z"])
    assert sorted(thinned["z"][0]) == pytest.approx(sorted(everything["z"][finite]))
    (coarse,) = points(cloud(voxel=10.0))
    assert 0 < len(coarse) < finite.sum()


def test_a_cloud_of_nothing_is_empty():
    message = cloud(near=100.0, voxel=0.1)
    assert (message.height, message.width, len(message.data)) == (1, 0, 0)
