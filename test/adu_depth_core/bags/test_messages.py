import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info

pytest.importorskip("rosbags")
from adu_depth_core.bags import messages
from adu_depth_core.bags.messages import TYPES

STAMP = 1_700_000_000_123_456_789


def over_the_wire(message):
    """Round trip through CDR, the serialisation of DDS and bags."""
    kind = message.__msgtype__
    return TYPES.deserialize_cdr(TYPES.serialize_cdr(message, kind), kind)


@pytest.mark.parametrize(
    ("encoding", "dtype", "shape"),
    [
        ("rgb8", np.uint8, (3, 5, 3)),
        ("bgr8", np.uint8, (3, 5, 3)),
        ("mono8", np.uint8, (3, 5)),
        ("16UC1", np.uint16, (3, 5)),
        ("32FC1", np.float32, (3, 5)),
    ],
)
def test_an_image_survives_the_wire(encoding, dtype, shape):
    image = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    message = over_the_wire(messages.image_message(image, encoding, STAMP, "camera"))
    assert (message.height, message.width, message.encoding) == (3, 5, encoding)
    assert message.step * message.height == message.data.size == image.nbytes
    assert (message.header.frame_id, messages.stamp_of(message)) == ("camera", STAMP)
    np.testing.assert_array_equal(messages.image_array(message), image)


def test_depth_keeps_infinity_and_nan():
    depth = np.array([[1.5, np.inf, np.nan]], np.float32)
    message = over_the_wire(messages.image_message(depth, "32FC1", STAMP, "camera"))
    np.testing.assert_array_equal(messages.image_array(message), depth)


def test_a_cropped_view_of_an_image_is_written_as_seen():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)[1:3, 2:5]
    np.testing.assert_array_equal(
        messages.image_array(messages.image_message(image, "rgb8", STAMP, "camera")), image
    )


def test_row_padding_and_big_endian_pixels_are_understood():
    message = messages.image_message(np.zeros((2, 2), np.uint16), "16UC1", STAMP, "camera")
    message.is_bigendian, message.step = 1, 6
    message.data = np.frombuffer(bytes.fromhex("00010002ffff 01000200ffff"), np.uint8)
    assert messages.image_array(message).tolist() == [[1, 2], [256, 512]]


@pytest.mark.parametrize(
    ("image", "encoding"),
    [
        (np.zeros((2, 2), np.uint8), "rgb8"),
        (np.zeros((2, 2)), "32FC1"),
        (np.zeros((2, 2, 4), np.uint8), "rgb8"),
    ],
)
def test_an_image_that_is_not_of_its_encoding_is_refused(image, encoding):
    with pytest.raises(ValueError, match=encoding):
        messages.image_message(image, encoding, STAMP, "camera")


def test_too_little_image_data_is_refused():
    message = messages.image_message(np.zeros((2, 2), np.uint8), "mono8", STAMP, "camera")
    message.data = message.data[:3]
    with pytest.raises(ValueError, match="3 bytes"):
        messages.image_array(message)


def test_the_right_camera_of_a_pair_carries_the_baseline_in_its_projection():
    camera = Camera(700.0, 710.0, 320.0, 240.0, 640, 480)
    message = over_the_wire(messages.camera_info_message(camera, STAMP, "right", baseline=0.5))
    assert message.k.tolist() == [700, 0, 320, 0, 710, 240, 0, 0, 1]
    assert message.p.tolist() == [700, 0, 320, -350, 0, 710, 240, 0, 0, 0, 1, 0]
    assert message.r.tolist() == np.eye(3).ravel().tolist()
    assert (message.distortion_model, message.d.tolist()) == ("plumb_bob", [0] * 5)
    assert camera_from_info(message, message.width, message.height) == camera


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 9), st.just(4)), elements=st.floats(-90, 90, width=32))
)
def test_points_survive_the_wire_in_any_order_of_fields(points):
    message = over_the_wire(
        messages.point_cloud_message(points, ("x", "y", "z", "intensity"), STAMP, "lidar")
    )
    np.testing.assert_array_equal(messages.point_cloud_array(message), points[:, :3])
    np.testing.assert_array_equal(messages.point_cloud_array(message, ("intensity", "x")), points[:, [3, 0]])


def test_a_missing_point_field_is_named():
    message = messages.point_cloud_message(np.zeros((1, 3)), ("x", "y", "z"), STAMP, "lidar")
    with pytest.raises(ValueError, match="ring"):
        messages.point_cloud_array(message, ("x", "ring"))


@given(arrays.arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_a_rotation_matrix_gives_back_its_quaternion(q):
    x, y, z, w = q = q / np.linalg.norm(q)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    result = messages.quaternion(rotation)
    assert result[3] >= 0
    assert abs(np.dot(result, q)) == pytest.approx(1.0, abs=1e-9)  # q and -q are the same rotation


def test_transforms_name_parent_and_child():
    pose = np.eye(4)
    pose[:3, 3] = 1, 2, 3
    (transform,) = over_the_wire(
        messages.transforms_message([("base_link", "lidar", pose)], STAMP)
    ).transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ("base_link", "lidar")
    translation, rotation = transform.transform.translation, transform.transform.rotation
    assert (translation.x, translation.y, translation.z) == (1, 2, 3)
    assert (rotation.x, rotation.y, rotation.z, rotation.w) == (0, 0, 0, 1)
