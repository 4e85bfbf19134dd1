"""A synthetic result of `evaluate-bag` with every part that its page can show."""

from collections.abc import Callable

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.report import DEPTH, SURFACE, UNCERTAINTY
from adu_depth_core.evaluation.sparsification import METRICS, REMOVED
from adu_depth_core.evaluation.uncertainty import LEVELS

MEANS = {
    **dict.fromkeys(DEPTH, 0.5),
    **dict.fromkeys(SURFACE, 0.3),
    **dict.fromkeys(UNCERTAINTY, 0.05),
    "abs_rel": 0.11,
    "rmse": 4.2,
    "d1": 0.88,
    "coverage_50": 0.46,
    "coverage_1sigma": 0.61,
    "coverage_95": 0.93,
    "nll": 1.9,
    "instability": 0.021,
}
PERIOD_NS = 100_000_000
START_NS = 1_700_000_000_123_000_000


@pytest.fixture(scope="session")
def make_result() -> Callable[..., object]:
    """Makes an ``EvaluationResult``: ``make_result(labels=("A",), frames=40, truth=True, **changes)``."""
    pytest.importorskip("rosbags")
    from adu_depth_core.replay import evaluation_result as er

    def estimate(mean: float) -> er.Estimate:
        return er.Estimate(mean, 0.95 * mean, 1.06 * mean, 17.4, True)

    def group(name: str, error: float, frames: int, pixels: int = 12_345) -> er.Group:
        return er.Group(name, pixels, frames, {"abs_rel": error, "rmse": 20 * error})

    def model(number: int, label: str, frames: int, truth: bool) -> er.ModelResult:
        rng = np.random.default_rng(number)
        factor = 1 - 0.15 * number
        means = {name: mean * factor for name, mean in MEANS.items() if truth or name == "instability"}
        wave = 1 + 0.3 * np.sin(np.arange(frames) / 6) + rng.normal(0, 0.06, frames)
        records = tuple(
            er.FrameRecord(
                index=i,
                # A gap of one second after two thirds.
                stamp_ns=START_NS + (i + (10 if i > 2 * frames / 3 else 0)) * PERIOD_NS,
                pixels=21_000 if truth else 0,
                metrics={
                    name: mean * float(wave[i]) if name != "instability" or i else float("nan")
                    for name, mean in means.items()
                },
            )
            for i in range(frames)
        )
        picture = rng.integers(0, 256, (4, 3, 6, 3), dtype=np.uint8)
        worst = tuple(
            er.WorstFrame(record, picture[0], picture[1], picture[2] if truth else None, picture[3])
            for record in sorted(records, key=lambda r: -r.metrics.get("abs_rel", 0))[:2]
        )
        curves, error_by_sigma = {}, None
        if truth:
            curves["coverage"] = LEVELS ** (1.25 - 0.1 * number)
            for metric in METRICS:
                by_sigma = means[metric] * (1 - 0.6 * REMOVED) * (REMOVED < 1)
                curves[f"{metric}_by_sigma"] = by_sigma
                curves[f"{metric}_by_oracle"] = by_sigma * (1 - REMOVED)
            sigma = np.geomspace(0.02, 0.6, 10)
            error_by_sigma = er.ErrorBySigma(sigma, sigma**0.9 * factor, rng.integers(100, 90_000, 10))
        bands = [("0-10 m", 0.06), ("10-20 m", 0.09), ("20-40 m", 0.13), ("40-80 m", 0.19)]
        surfaces = [("ground", 0.08), ("obstacle", 0.3)]
        rows, columns = ("top", "middle", "bottom"), ("left", "centre", "right")
        regions = [f"{row} {column}" for row in rows for column in columns]
        return er.ModelResult(
            label=label,
            name="adu_student",
            file=f"{label}.onnx",
            sha256=f"{number}" * 64,
            sigma_scale=1.31,
            backend="OpenVINO 2026.4.1",
            network_size=(192, 640),
            metrics={name: estimate(mean) for name, mean in means.items()},
            by_distance=tuple(group(name, error * factor, frames) for name, error in bands if truth),
            by_region=tuple(group(name, 0.05 + 0.02 * i, frames) for i, name in enumerate(regions) if truth),
            by_surface=tuple(
                group(name, error * factor, frames - 1) for name, error in surfaces if truth and frames > 1
            ),
            roadless_frames=1 if truth else 0,
            curves=curves,
            error_by_sigma=error_by_sigma,
            frames=records,
            worst=worst,
            worst_metric="abs_rel" if truth else "instability",
            latency=er.Latency(15.2, 19.8, 44.0, 20),
        )

    def make(
        labels: tuple[str, ...] = ("A",), frames: int = 40, truth: bool = True, **changes
    ) -> er.EvaluationResult:
        models = tuple(model(i, label, frames, truth) for i, label in enumerate(labels))
        comparisons = tuple(
            er.Comparison(
                models[0].label,
                other.label,
                metric,
                er.Estimate(
                    (d := other.metrics[metric].mean - models[0].metrics[metric].mean),
                    d - 0.001,
                    d + 0.001,
                    17.4,
                    True,
                ),
                frames,
            )
            for other in models[1:]
            for metric in other.metrics
        )
        source = er.Source(
            bags=("drive_0042",),
            topics=(
                er.TopicChoice(
                    "image", "/camera/left/image_rect", "sensor_msgs/msg/Image", "the only image topic"
                ),
                er.TopicChoice("ground truth", "/lidar/points", "sensor_msgs/msg/PointCloud2", "by option"),
            ),
            camera=Camera(721.5, 721.5, 620.5, 187.0, 1242, 375),
            truth=er.GroundTruth("lidar", "/lidar/points, projected; nearest within 50 ms")
            if truth
            else er.GroundTruth("none", "none in the bag"),
            frames_in_bags=frames + 3,
            frames_read=frames + 1,
            frames_evaluated=frames,
            skipped=(er.Skipped("no LiDAR scan within 50 ms of the image", 1, 7),),
            duration_s=frames / 10 + 1,
            motion="poses",
        )
        fields = {
            "source": source,
            "protocol": "the whole image; ground truth between 0.001 and 80 m",
            "models": models,
            "comparisons": comparisons,
            "conditions": (),
            "warnings": (),
            "interrupted": False,
            "seconds": 3.1,
            "frames_per_second": 41.7,
            "command": "adu_depth evaluate-bag drive_0042 --out report",
            "machine": {"cpu": "a processor", "system": "Linux"},
            "versions": {"adu_depth": "0.1.0", "numpy": "2.4"},
        }
        return er.EvaluationResult(**(fields | changes))

    return make
