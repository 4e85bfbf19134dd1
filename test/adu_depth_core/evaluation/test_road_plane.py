import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.road_plane import Road, fit_road

SIZE = (160, 320)
CAMERA = Camera(360.0, 350.0, 161.5, 60.0, 320, 160)


def tilted(pitch: float, roll: float, height: float) -> Road:
    """A road seen by a camera pitched up by ``pitch`` and rolled by ``roll`` degrees."""
    x, z = np.sin(np.radians(roll)), np.sin(np.radians(pitch))
    return Road((x, -np.sqrt(1 - x * x - z * z), z), height)


def depth_of(road: Road, camera: Camera = CAMERA) -> np.ndarray:
    """Depth of an empty road; 0 above the horizon."""
    downwards = -camera.rays() @ np.array(road.up, np.float32)
    depth = np.where(downwards > 1e-3, road.camera_height / np.maximum(downwards, 1e-3), 0.0)
    return np.where(depth < 80, depth, 0.0).astype(np.float32)


def put_box(depth: np.ndarray, rows: slice, columns: slice, at: float) -> None:
    """Draws a vertical face wherever it is nearer than the existing depth."""
    part = depth[rows, columns]
    part[(part == 0) | (part > at)] = at


@settings(max_examples=25)
@given(
    pitch=st.floats(-8, 5),
    roll=st.floats(-4, 4),
    height=st.floats(1.0, 2.5),
    seed=st.integers(0, 100),
)
def test_a_noisy_road_with_obstacles_and_gaps_is_found(pitch, roll, height, seed):
    road, rng = tilted(pitch, roll, height), np.random.default_rng(seed)
    depth = depth_of(road)
    put_box(depth, slice(30, 85), slice(100, 150), 9.0)
    put_box(depth, slice(20, 120), slice(0, 40), 6.0)  # a wall beside the road
    depth *= rng.normal(1, 0.004, depth.shape).astype(np.float32)
    depth[rng.random(depth.shape) < 0.8] = 0
    found = fit_road(depth, CAMERA)
    assert found.camera_height == pytest.approx(height, abs=0.06)
    np.testing.assert_allclose(found.up, road.up, atol=np.sin(np.radians(0.6)))


@settings(max_examples=25)
@given(pitch=st.floats(-8, 8), roll=st.floats(-4, 4), height=st.floats(1.0, 3.0), above=st.floats(-0.5, 0.9))
def test_height_is_measured_along_the_normal(pitch, roll, height, above):
    road = tilted(pitch, roll, height)
    raised = depth_of(Road(road.up, height - above))
    place = np.flatnonzero(raised)
    heights = road.heights(place, raised.ravel()[place].astype(float), CAMERA)
    np.testing.assert_allclose(heights, above, atol=1e-3)


def test_a_level_road_is_below_the_optical_axis():
    place = np.array([90 * 320 + 5])
    below = Road.level(1.65).heights(place, np.array([11.0]), CAMERA)
    assert below == pytest.approx(1.65 - 11.0 * 30 / 350)


def test_neither_a_ditch_nor_a_platform_is_taken_for_the_road():
    road = tilted(0.0, 0.0, 1.6)
    depth = depth_of(road)
    depth[:, :60] = depth_of(Road(road.up, 2.4))[:, :60]
    depth[:, 240:] = depth_of(Road(road.up, 1.1))[:, 240:]
    assert fit_road(depth, CAMERA).camera_height == pytest.approx(1.6, abs=0.02)


def test_the_same_truth_has_the_same_road():
    depth = depth_of(tilted(1.0, 1.0, 1.5))
    depth[np.random.default_rng(1).random(depth.shape) < 0.7] = 0
    assert fit_road(depth, CAMERA) == fit_road(depth, CAMERA)


NOTHING = np.zeros(SIZE, np.float32)
WALL = np.full(SIZE, 6.0, np.float32)
CEILING = np.flipud(depth_of(tilted(0, 0, 1.6))).copy()
FEW = np.where(np.arange(160 * 320).reshape(SIZE) % 400 == 0, depth_of(tilted(0, 0, 1.6)), 0)
ONE_LINE = np.where(np.arange(160)[:, None] == 100, depth_of(tilted(0, 0, 1.6)), 0)
STEEP = depth_of(tilted(20, 0, 1.6))
NOISE = np.random.default_rng(0).uniform(2, 80, SIZE).astype(np.float32)
UNKNOWN = np.full(SIZE, np.nan, np.float32)
SKY = np.full(SIZE, np.inf, np.float32)


SCATTERED = np.zeros(SIZE, np.float32)
"""So few points that the initial plane loses its inliers during refinement."""
SCATTERED.ravel()[np.random.default_rng(0).choice(np.arange(80 * 320, 160 * 320), 150, replace=False)] = (
    np.random.default_rng(1).uniform(3, 20, 150)
)


@pytest.mark.parametrize(
    "depth", [NOTHING, WALL, CEILING, FEW, ONE_LINE, STEEP, NOISE, UNKNOWN, SKY, SCATTERED]
)
def test_where_there_is_no_road_none_is_found(depth):
    assert fit_road(depth, CAMERA) is None


def test_truth_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"depth is \(160, 319\)"):
        fit_road(NOTHING[:, 1:], CAMERA)


def test_kitti_s_camera_is_1_65_m_above_the_road(real_data):
    from adu_depth_core.datasets.kitti_folder import KittiFolder

    frames = KittiFolder(real_data / "kitti2015_more", ["000054_10", "000073_10", "000106_10", "000141_10"])
    heights = [fit_road(frame.depth, frame.camera).camera_height for frame in frames]
    assert heights == pytest.approx([1.65] * 4, abs=0.06)


def test_a_wide_camera_s_road_is_found_beside_the_vehicle(real_data):
    from adu_depth_core.datasets.kitti_folder import KittiFolder

    frames = KittiFolder(real_data / "other_cameras" / "dev" / "ddad_dgp")
    roads = [fit_road(frame.depth, frame.camera) for frame in frames if "scene_02" in frame.name]
    assert all(1.4 < road.camera_height < 1.75 for road in roads)
