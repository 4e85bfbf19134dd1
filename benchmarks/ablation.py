"""What each part of the distillation brings: students of several seeds, in one table with paired differences.

    python benchmarks/ablation.py --root DATA --synthetic SYNTHETIC --teacher TEACHER --out runs/ablation

DATA holds kitti2015/ and the other folders of the recipe, SYNTHETIC is by ``adu_depth synth-drive``,
TEACHER a safetensors file by ``adu_depth train teacher`` with the same input size. Each finished run leaves
a small JSON in ``--out``: started again, the command does what is missing. Several commands with different
``--seeds`` may share ``--out``. ``--table`` prints the table of what is there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.subject import sgbm_subject
from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model
from adu_depth_core.model_card import read_card
from adu_depth_core.training.config import DistillationConfig, TrainingConfig, load_config
from adu_depth_core.training.data import SourceViews
from adu_depth_core.training.model_card import open_frames
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


class Ablation:
    """Runs of one recipe; the data is read once and shared.

    :param config: recipe without teacher; sources of pairs without ground truth have ``labels: none``
    :param teacher: safetensors file
    """

    def __init__(self, config: TrainingConfig, teacher: str, out: Path, workers: int) -> None:
        self.config, self.teacher, self.out, self.workers = config, teacher, out, workers
        self._sources: dict[Any, SourceViews] = {}

    def result_path(self, row: Row, seed: int) -> Path:
        """Where the result of a run is, once it is there."""
        return self.out / f"{row.name.replace(' ', '_').replace(',', '')}-{seed}.json"

    def run(self, row: Row, seed: int) -> None:
        """Train and measure, unless that was done before."""
        path = self.result_path(row, seed)
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
            config = dataclasses.replace(config, teacher=self.teacher, distillation=row.distillation)
        _, card = train("student", config, Machine(self.workers), [self._views(source) for source in sources])
        result = {
            "row": row.name,
            "seed": seed,
            "metrics": card.accuracy[0]["metrics"],
            "recipe": card.training["recipe"],
            "machine": cpu_model(),
        }
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
        shutil.rmtree(folder)

    def references(self) -> dict[str, dict[str, float]]:
        """Metrics of the teacher, from its card, and of semi-global matching, on the validation frames."""
        path = self.out / "semi_global_matching.json"
        if not path.is_file():
            subject, evaluator = sgbm_subject(), Evaluator(Protocol())
            for sample in open_frames(self.config.validation).samples:
                depth, _ = subject.predict(sample)
                evaluator.add(sample.name, sample.depth, depth, None, sample.camera.fx * sample.baseline)
            with write_atomically(path) as temporary:
                temporary.write_text(json.dumps(evaluator.summary().metrics), encoding="utf-8")
        return {
            "teacher (stereo, one seed)": read_card(Path(self.teacher)).accuracy[0]["metrics"],
            "OpenCV SGBM, filled (stereo)": json.loads(path.read_text(encoding="utf-8")),
        }

    def _views(self, source: Any) -> SourceViews:
        if source not in self._sources:
            self._sources[source] = SourceViews(source, cache=True)
        return self._sources[source]

    def metrics(self, row: Row) -> dict[int, dict[str, float]]:
        """Metrics of the runs that are there, by seed."""
        paths = self.out.glob(self.result_path(row, 0).name.replace("-0.json", "-*.json"))
        results = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return {result["seed"]: result["metrics"] for result in results if result["row"] == row.name}


def print_table(ablation: Ablation, console: Console) -> None:
    """Mean and standard deviation over seeds, and the difference to the baseline, seed by seed."""
    table = Table(title=f"abs_rel and others over seeds; difference to '{BASELINE}' of the same seed")
    for column in ("row", "seeds", *METRICS, "abs_rel difference ± standard error", "relative"):
        table.add_column(column, justify="left" if column == "row" else "right")
    baseline = ablation.metrics(ROWS[0])
    for row in ROWS:
        runs = ablation.metrics(row)
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
    for name, metrics in ablation.references().items():
        cells = [f"{metrics[metric]:.4f}" if metric in metrics else "" for metric in METRICS]
        table.add_row(name, "", *cells, f"D1-all {metrics['d1_all']:.2f} %, EPE {metrics['epe']:.2f} px")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="folder of the real data sets")
    parser.add_argument("--synthetic", required=True, help="folder by adu_depth synth-drive")
    parser.add_argument("--teacher", required=True, help="safetensors file, its card beside it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--recipe", default=str(RECIPE), help="training configuration (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--rows", nargs="+", help="names of rows, or parts of them (default: all)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only print the table of what is there")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="entries of the recipe to change")
    arguments = parser.parse_args()
    overrides = [f"root={arguments.root}", f"synthetic={arguments.synthetic}", f"out={arguments.out}"]
    config = load_config(arguments.recipe, [*overrides, *arguments.overrides])
    ablation = Ablation(config, arguments.teacher, arguments.out, arguments.workers)
    chosen = [row for row in ROWS if not arguments.rows or any(part in row.name for part in arguments.rows)]
    if not chosen:
        raise UserError(f"no row is called {arguments.rows}; there are: {', '.join(r.name for r in ROWS)}")
    if not arguments.table:
        for seed in arguments.seeds:
            for row in chosen:
                ablation.run(row, seed)
    print_table(ablation, Console(width=200))


if __name__ == "__main__":
    main()
