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
import json
import shutil
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import Benchmark, open_benchmark
from adu_depth_core.evaluation.judged_sets import evaluate
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.subject import Subject, checkpoint_subject, model_subject, sgbm_subject
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.checkpoint_predictor import load_checkpoint_predictor
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.machine import cpu_model
from adu_depth_core.training.config import DistillationConfig, TrainingConfig, load_config
from adu_depth_core.training.data import SourceViews
from adu_depth_core.training.run import Machine, train

RECIPE = Path(__file__).with_name("ablation.yaml")
BASELINE = "student alone"
METRICS = ("abs_rel", "rmse", "d1", "coverage_1sigma", "aurg_abs_rel")

Measured = dict[str, dict[str, float]]
"""Metrics by benchmark."""

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


class Ablation:
    """Runs of one recipe; the data is loaded once and shared.

    :param config: recipe without teacher; sources of pairs without ground truth have ``labels: none``
    :param teacher: safetensors file
    :param benchmarks: frames that each run is evaluated on, by name
    """

    def __init__(
        self,
        config: TrainingConfig,
        teacher: Path,
        benchmarks: Mapping[str, Benchmark],
        out: Path,
        workers: int,
    ) -> None:
        self.config, self.teacher, self.benchmarks = config, teacher, benchmarks
        self.out, self.workers = out, workers
        self._sources: dict[Any, SourceViews] = {}

    def result_path(self, name: str, seed: int | None = None) -> Path:
        """Path of the result of a row or a reference."""
        stem = name.translate(str.maketrans(" ", "_", ",()+")).lstrip("_")
        return self.out / (f"{stem}.json" if seed is None else f"{stem}-{seed}.json")

    def run(self, row: Row, seed: int) -> None:
        """Train and evaluate, unless the result exists."""
        path = self.result_path(row.name, seed)
        if path.is_file():
            return
        folder = self.out / f"{path.stem}.run"
        sources = tuple(
            dataclasses.replace(source, labels=row.unlabelled) if source.labels == "none" else source
            for source in self.config.sources
            if source.labels != "none" or row.unlabelled
        )
        config = dataclasses.replace(self.config, seed=seed, out=str(folder), sources=sources)
        if row.distillation is not None:
            config = dataclasses.replace(config, teacher=str(self.teacher), distillation=row.distillation)
        model, card = train(
            "student", config, Machine(self.workers), [self._views(source) for source in sources]
        )
        result = {
            "row": row.name,
            "seed": seed,
            "metrics": self._measure(model_subject(Predictor(model))),
            "recipe": card.training["recipe"],
            "machine": cpu_model(),
        }
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
        shutil.rmtree(folder)

    def references(self) -> dict[str, Measured]:
        """Metrics of the teacher and of semi-global matching, measured once."""

        def teacher() -> Subject:
            return checkpoint_subject(load_checkpoint_predictor(self.teacher))

        return {
            name: self._reference(name, subject)
            for name, subject in (
                ("teacher (stereo, one seed)", teacher),
                ("OpenCV SGBM, filled (stereo)", sgbm_subject),
            )
        }

    def _reference(self, name: str, subject: Callable[[], Subject]) -> Measured:
        path = self.result_path(name)
        if not path.is_file():
            with write_atomically(path) as temporary:
                temporary.write_text(json.dumps(self._measure(subject()), indent=1), encoding="utf-8")
        return json.loads(path.read_text(encoding="utf-8"))

    def _measure(self, subject: Subject) -> Measured:
        return {
            name: evaluate(subject, frames.dataset, frames.samples, Protocol()).metrics
            for name, frames in self.benchmarks.items()
        }

    def _views(self, source: Any) -> SourceViews:
        if source not in self._sources:
            self._sources[source] = SourceViews(source, cache=True)
        return self._sources[source]

    def metrics(self, row: Row, benchmark: str) -> dict[int, dict[str, float]]:
        """Metrics of the finished runs, by seed."""
        paths = self.out.glob(self.result_path(row.name).stem + "-*.json")
        results = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return {result["seed"]: result["metrics"][benchmark] for result in results}


def print_table(ablation: Ablation, benchmark: str, console: Console) -> None:
    """Mean and standard deviation over seeds, and the paired difference to the baseline."""
    table = Table(title=f"{benchmark}: over seeds; difference to '{BASELINE}' of the same seed")
    for column in ("row", "seeds", *METRICS, "abs_rel difference ± standard error", "relative"):
        table.add_column(column, justify="left" if column == "row" else "right")
    baseline = ablation.metrics(ROWS[0], benchmark)
    for row in ROWS:
        runs = ablation.metrics(row, benchmark)
        if not runs:
            continue
        cells = []
        for metric in METRICS:
            values = [metrics[metric] for metrics in runs.values()]
            spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.4f}{spread}")
        differences = [runs[seed]["abs_rel"] - baseline[seed]["abs_rel"] for seed in runs if seed in baseline]
        if row.name != BASELINE and len(differences) > 1:
            mean = statistics.mean(differences)
            error = statistics.stdev(differences) / len(differences) ** 0.5
            reference = statistics.mean(metrics["abs_rel"] for metrics in baseline.values())
            cells += [f"{mean:+.4f} ± {error:.4f}", f"{mean / reference:+.1%}"]
        table.add_row(row.name, str(len(runs)), *cells)
    for name, measured in ablation.references().items():
        metrics = measured[benchmark]
        cells = [f"{metrics[metric]:.4f}" if metric in metrics else "" for metric in METRICS]
        table.add_row(name, "", *cells, f"D1-all {metrics['d1_all']:.2f} %, EPE {metrics['epe']:.2f} px")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="folder of the real data sets")
    parser.add_argument("--synthetic", required=True, help="training drive, by adu_depth synth-drive")
    parser.add_argument("--streets", type=Path, required=True, help="evaluation drive, with another seed")
    parser.add_argument("--teacher", type=Path, required=True, help="safetensors file, with its card")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--recipe", default=str(RECIPE), help="training configuration (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--rows", nargs="+", help="names of rows, or parts of them (default: all)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only print the table of finished runs")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="entries of the recipe to change")
    arguments = parser.parse_args()
    overrides = [f"root={arguments.root}", f"synthetic={arguments.synthetic}", f"out={arguments.out}"]
    config = load_config(arguments.recipe, [*overrides, *arguments.overrides])
    real = config.validation
    benchmarks = {
        "real frames": open_benchmark(real.dataset, Path(real.path), real.split),
        "synthetic streets": open_benchmark("synthetic", arguments.streets),
    }
    ablation = Ablation(config, arguments.teacher, benchmarks, arguments.out, arguments.workers)
    chosen = [row for row in ROWS if not arguments.rows or any(part in row.name for part in arguments.rows)]
    if not chosen:
        raise UserError(f"no row is called {arguments.rows}; there are: {', '.join(r.name for r in ROWS)}")
    if not arguments.table:
        for seed in arguments.seeds:
            for row in chosen:
                ablation.run(row, seed)
    for benchmark in benchmarks:
        print_table(ablation, benchmark, Console(width=200))


if __name__ == "__main__":
    main()
