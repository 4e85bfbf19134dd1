import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.evaluator import Evaluator, combined
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.road_plane import Road
from adu_depth_core.evaluation.surfaces import SURFACE_NAMES, Surfaces

CAMERA = Camera(360.0, 350.0, 161.5, 60.0, 320, 160)
HEIGHT = 1.65


def street(box_at: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """Depth of a level road with the rear of a car, and the car's mask."""
    downwards = (np.arange(CAMERA.height) - CAMERA.cy)[:, None] / CAMERA.fy
    depth = np.where(downwards > 0, HEIGHT / np.maximum(downwards, 1e-6), 0.0)
    depth = np.where(depth < 50, depth, 0.0).astype(np.float32).repeat(CAMERA.width, axis=1)
    rows = HEIGHT - (np.arange(CAMERA.height) - CAMERA.cy) / CAMERA.fy * box_at  # heights of its rows
    box = ((rows > 0.5) & (rows < 1.4))[:, None] & (np.abs(np.arange(CAMERA.width) - 150) < 30)
    depth[box] = box_at
    return depth, box


def test_pixels_are_told_apart_by_their_height_above_the_road():
    heights = np.array([-2.0, 0.0, 0.2, 0.3, 0.4, 1.0, 2.65, 2.7])
    z = 10.0
    place = np.rint((HEIGHT - heights) / z * CAMERA.fy + CAMERA.cy).astype(int) * CAMERA.width
    found = Surfaces(Road.level(HEIGHT), CAMERA)
    exact = found.road.heights(place, np.full(8, z), CAMERA)
    assert exact == pytest.approx(heights, abs=0.02)
    names = ["", *SURFACE_NAMES]
    of = [names[kind] for kind in found.at(place[[0, 1, 3, 5, 7]], np.full(5, z))]
    assert of == ["ground", "ground", "", "obstacle", ""]
    assert list(found.at(place, np.full(8, 40.5))) == [0] * 8  # too far to tell


def test_obstacles_and_ground_have_metrics_of_their_own():
    depth, box = street()
    predicted = np.where(box, depth * 1.5, np.maximum(depth, 1.0) * 1.1)
    sigma = np.where(box, 2.0, 8.0)
    evaluator = Evaluator(Protocol())
    frame = evaluator.add("a", depth, predicted, sigma, camera=CAMERA)
    assert frame.road.camera_height == pytest.approx(HEIGHT, abs=0.01)
    assert frame.part_pixels["obstacle"] == np.count_nonzero(box)
    assert frame.metrics["obstacle_abs_rel"] == pytest.approx(0.5)
    assert frame.metrics["obstacle_coverage_1sigma"] == 0.0
    assert frame.metrics["ground_abs_rel"] == pytest.approx(0.1, abs=1e-6)
    assert frame.metrics["ground_coverage_1sigma"] == 1.0


def test_a_camera_height_takes_the_place_of_a_fit():
    depth, box = street()
    thinned = np.where(np.arange(depth.size).reshape(depth.shape) % 997 == 0, depth, 0)  # too few for a fit
    thinned[box] = depth[box]
    frames = {}
    for height in (None, HEIGHT, HEIGHT - 0.3):
        evaluator = Evaluator(Protocol(camera_height=height))
        frames[height] = evaluator.add("a", thinned, np.maximum(depth, 1), camera=CAMERA)
        assert evaluator.summary().roadless == (["a"] if height is None else [])
    assert frames[None].road is None
    assert "obstacle_abs_rel" not in frames[None].metrics
    assert frames[HEIGHT].part_pixels["obstacle"] == np.count_nonzero(box)
    assert frames[HEIGHT - 0.3].part_pixels["obstacle"] < np.count_nonzero(box)


@pytest.mark.parametrize("height", [0.0, -1.0, float("nan"), float("inf")])
def test_a_camera_height_is_a_positive_number(height):
    with pytest.raises(UserError, match="the camera height is"):
        Protocol(camera_height=height)


def test_means_are_over_the_frames_that_have_such_pixels_and_the_others_are_counted():
    depth, box = street()
    empty = np.where(box, 0, depth)  # an empty road
    wall = np.full(depth.shape, 20.0, np.float32)
    evaluator = Evaluator(Protocol())
    for name, truth, factor in (("car", depth, 1.2), ("road", empty, 1.1), ("wall", wall, 1.3)):
        evaluator.add(name, truth, np.maximum(truth, 1.0) * factor, camera=CAMERA)
    summary = evaluator.summary()
    assert summary.metrics["abs_rel"] == pytest.approx(0.2)
    assert summary.metrics["obstacle_abs_rel"] == pytest.approx(0.2)
    assert summary.metrics["ground_abs_rel"] == pytest.approx(0.15)
    assert summary.part_pixels()["obstacle"] == (np.count_nonzero(box), 1)
    assert summary.part_pixels()["ground"][1] == 2
    assert summary.roadless == ["wall"]
    np.testing.assert_allclose(summary.column("obstacle_abs_rel"), [0.2, np.nan, np.nan], rtol=1e-6)


def test_without_a_camera_nothing_is_told_apart():
    depth, _ = street()
    evaluator = Evaluator(Protocol())
    frame = evaluator.add("a", depth, np.maximum(depth, 1))
    assert "ground_abs_rel" not in frame.metrics
    assert evaluator.summary().roadless is None
    with pytest.raises(ValueError, match="frame b: either all frames have sigma, a baseline and a camera"):
        evaluator.add("b", depth, np.maximum(depth, 1), camera=CAMERA)


def test_frames_of_several_evaluations_weigh_the_same():
    depth, _ = street()
    summaries = []
    for frames in ((1.1, 1.2), (1.6,)):
        evaluator = Evaluator(Protocol())
        for number, factor in enumerate(frames):
            evaluator.add(str(number), depth, np.maximum(depth, 1) * factor, camera=CAMERA)
        summaries.append(evaluator.summary())
    total = combined(summaries)
    assert total.metrics["abs_rel"] == pytest.approx(0.3)
    assert total.metrics["ground_abs_rel"] == pytest.approx(0.3)
    assert len(total.frames) == 3
    assert total.roadless == []
