"""Gain from each part of the distillation: students over several seeds, with paired differences.

    python benchmarks/ablation.py --root DATA --synthetic SYNTHETIC --streets STREETS --teacher TEACHER \\
        --out runs/ablation

DATA holds kitti2015/ and the other folders of the recipe; SYNTHETIC and STREETS are drives by ``adu_depth
synth-drive`` with different seeds, one for training, one for evaluation next to the real validation frames;
TEACHER is a safetensors file by ``adu_depth train teacher`` with the same input size. Each finished run
writes a small JSON to ``--out``; a restarted command runs only the missing ones. Several commands with
different ``--seeds`` may share ``--out``. ``--table`` prints the tables of finished runs.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from ablation_runs import Runs
from rich.console import Console
from rich.table import Table

from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.evaluation.subject import Subject, checkpoint_subject, model_subject, sgbm_subject
from adu_depth_core.inference.checkpoint_predictor import load_checkpoint_predictor
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.training.config import DistillationConfig, TrainingConfig, load_config
from adu_depth_core.training.run import Machine, train

RECIPE = Path(__file__).with_name("ablation.yaml")
BASELINE = "student alone"
METRICS = ("abs_rel", "rmse", "d1", "coverage_1sigma", "aurg_abs_rel")

WITHOUT = DistillationConfig(
    response=1.0, feature=0.0, attention=False, focal="disagreement", uncertainty=False
)
FEATURE = dataclasses.replace(WITHOUT, feature=1.0)
ATTENTION = dataclasses.replace(FEATURE, attention=True)
ALL = dataclasses.replace(ATTENTION, uncertainty=True)


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table.

    :param distillation: its terms; None trains without a teacher
    :param unlabelled: labels of the pairs without ground truth, see ``SourceConfig``; empty leaves them out
    """

    name: str
    distillation: DistillationConfig | None
    unlabelled: str = ""


ROWS = (
    Row(BASELINE, None),
    Row("+ response", WITHOUT),
    Row("+ feature without attention", FEATURE),
    Row("+ feature with attention", ATTENTION),
    Row("+ uncertainty guidance (all)", ALL),
    Row("all, focal weight of the opposite sign", dataclasses.replace(ALL, focal="agreement")),
    Row("all + unlabelled pairs", ALL, unlabelled="none"),
    Row("student alone + unlabelled pairs labelled by SGM", None, unlabelled="auto"),
)


def train_row(row: Row, recipe: TrainingConfig, teacher: Path, runs: Runs, workers: int) -> Subject:
    """The network of a row.

    :param recipe: with the row's seed and folder, without teacher; sources of pairs without ground truth have
        ``labels: none``
    :param teacher: safetensors file
    """
    sources = tuple(
        dataclasses.replace(source, labels=row.unlabelled) if source.labels == "none" else source
        for source in recipe.sources
        if source.labels != "none" or row.unlabelled
    )
    config = dataclasses.replace(recipe, sources=sources)
    if row.distillation is not None:
        config = dataclasses.replace(config, teacher=str(teacher), distillation=row.distillation)
    model, _ = train("student", config, Machine(workers), runs.views(sources))
    return model_subject(Predictor(model))


def add_references(table: Table, benchmark: str, runs: Runs, teacher: Path) -> None:
    """Rows of the teacher and of semi-global matching, measured once."""
    for name, subject in (
        ("teacher (stereo, one seed)", lambda: checkpoint_subject(load_checkpoint_predictor(teacher))),
        ("OpenCV SGBM, filled (stereo)", sgbm_subject),
    ):
        metrics = runs.reference(name, subject)[benchmark]
        cells = [f"{metrics[metric]:.4f}" if metric in metrics else "" for metric in METRICS]
        table.add_row(name, "", *cells, f"D1-all {metrics['d1_all']:.2f} %, EPE {metrics['epe']:.2f} px")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="folder of the real data sets")
    parser.add_argument("--synthetic", required=True, help="drive to train on, by adu_depth synth-drive")
    parser.add_argument("--streets", type=Path, required=True, help="drive to measure on, of another seed")
    parser.add_argument("--teacher", type=Path, required=True, help="safetensors file, its card beside it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--recipe", default=str(RECIPE), help="training configuration (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--rows", nargs="+", help="names of rows, or parts of them (default: all)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only print the tables of finished runs")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="entries of the recipe to change")
    arguments = parser.parse_args()
    overrides = [f"root={arguments.root}", f"synthetic={arguments.synthetic}", f"out={arguments.out}"]
    config = load_config(arguments.recipe, [*overrides, *arguments.overrides])
    real = config.validation
    benchmarks = {
        "real frames": open_benchmark(real.dataset, Path(real.path), real.split),
        "synthetic streets": open_benchmark("synthetic", arguments.streets),
    }
    runs = Runs(arguments.out, benchmarks)
    if not arguments.table:
        runs.run_rows(
            ROWS,
            arguments.rows,
            arguments.seeds,
            lambda row, seed, folder: train_row(
                row,
                dataclasses.replace(config, seed=seed, out=str(folder)),
                arguments.teacher,
                runs,
                arguments.workers,
            ),
        )
    for benchmark in benchmarks:
        table = runs.table(benchmark, [row.name for row in ROWS], METRICS)
        add_references(table, benchmark, runs, arguments.teacher)
        Console(width=200).print(table)


if __name__ == "__main__":
    main()
