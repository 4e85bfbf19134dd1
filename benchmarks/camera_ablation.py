"""Gain from each part of the recipe any_camera: students trained without it, over several seeds.

    python benchmarks/camera_ablation.py --root DATA --synthetic SYNTHETIC --streets STREETS \\
        --out runs/cameras

DATA holds kitti2015/, kitti2015_more/, other_cameras/, ...; SYNTHETIC and STREETS are drives by ``adu_depth
synth-drive --random-camera`` with different seeds, one for training, one for evaluation. Each finished run
writes a small JSON to ``--out``; a restarted command runs only the missing ones. Several commands with
different ``--seeds`` may share ``--out``. ``--table`` prints the tables of finished runs.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from ablation_runs import Runs
from rich.console import Console

from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.evaluation.subject import Subject, model_subject
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.networks.rays import RayEncoding
from adu_depth_core.training.config import TrainingConfig, load_config
from adu_depth_core.training.run import Machine, train
from adu_depth_core.training.sources import SourceConfig

RECIPE = Path(__file__).with_name("camera_ablation.yaml")
METRICS = ("abs_rel", "obstacle_abs_rel", "d1", "boundary_f1", "coverage_1sigma", "nll", "aurg_abs_rel")

Change = Callable[[TrainingConfig], TrainingConfig]


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the tables.

    :param change: turns the recipe into the row's
    :param rays: the network gets the rays of its pixels
    """

    name: str
    change: Change = dataclasses.replace
    rays: bool = True


def _without(matches: Callable[[SourceConfig], bool]) -> Change:
    return lambda config: dataclasses.replace(
        config, sources=tuple(source for source in config.sources if not matches(source))
    )


def _fixed_cameras(config: TrainingConfig) -> TrainingConfig:
    virtual = dataclasses.replace(
        config.virtual_cameras, min_zoom=1.0, max_zoom=1.0, zoom_probability=0.0, rotation_probability=0.0
    )
    return dataclasses.replace(config, virtual_cameras=virtual)


ROWS = (
    Row("all"),
    Row("without rays", rays=False),
    Row("without zoom and rotation", _fixed_cameras),
    Row("without other cameras", _without(lambda source: "other_cameras" in source.path)),
    Row("without synthetic streets", _without(lambda source: source.kind == "synthetic")),
    Row("without loss on edges", lambda config: dataclasses.replace(config, edges=0.0)),
    Row("without weight on obstacles", lambda config: dataclasses.replace(config, obstacle_weight=1.0)),
)


@contextlib.contextmanager
def without_rays() -> Iterator[None]:
    """Networks trained, exported and run in this context ignore the rays of their pixels."""
    encoded = RayEncoding.forward
    # The graph must keep its input.
    RayEncoding.forward = lambda self, features, camera: [f + 0 * camera[:, :1, None, None] for f in features]
    try:
        yield
    finally:
        RayEncoding.forward = encoded


def train_row(row: Row, recipe: TrainingConfig, runs: Runs, machine: Machine) -> Subject:
    """Train the network of a row.

    :param recipe: of the baseline, with the row's seed and folder
    """

    with contextlib.nullcontext() if row.rays else without_rays():
        config = row.change(recipe)
        path, _ = train("student", config, machine, runs.views(config.sources))
        return model_subject(Predictor(path))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="folder of the real data sets")
    parser.add_argument("--synthetic", required=True, help="training drive, by adu_depth synth-drive")
    parser.add_argument("--streets", type=Path, required=True, help="evaluation drive, with another seed")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rows", nargs="+", help="names of rows, or parts of them (default: all)")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="only print the tables of finished runs")
    parser.add_argument(
        "--set",
        dest="overrides",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="entries of the recipe to change",
    )
    arguments = parser.parse_args()
    overrides = [f"root={arguments.root}", f"synthetic={arguments.synthetic}", f"out={arguments.out}"]
    config = load_config(str(RECIPE), [*overrides, *arguments.overrides])
    dev = Path(arguments.root) / "other_cameras" / "dev"
    real = config.validation
    benchmarks = {
        "18 scenes of KITTI 2015": open_benchmark(real.dataset, Path(real.path), real.split),
        "ddad_dgp": open_benchmark("kitti_folder", dev / "ddad_dgp"),
        "sustechpoints": open_benchmark("kitti_folder", dev / "sustechpoints"),
        "synthetic streets": open_benchmark("synthetic", arguments.streets),
    }
    runs, machine = Runs(arguments.out, benchmarks), Machine(arguments.workers, "cpu")
    if not arguments.table:
        runs.run_rows(
            ROWS,
            arguments.rows,
            arguments.seeds,
            lambda row, seed, folder: train_row(
                row, dataclasses.replace(config, seed=seed, out=str(folder)), runs, machine
            ),
        )
    for benchmark in benchmarks:
        Console(width=200).print(runs.table(benchmark, [row.name for row in ROWS], METRICS))


if __name__ == "__main__":
    main()
