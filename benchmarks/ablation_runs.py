"""Runs of an ablation: each row over several seeds, evaluated on the same frames, and their tables."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol as Interface
from typing import TypeVar

from rich.table import Table

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import Benchmark
from adu_depth_core.evaluation.judged_sets import evaluate
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.subject import Subject
from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model
from adu_depth_core.training.data import SourceViews
from adu_depth_core.training.sources import SourceConfig

Measured = dict[str, dict[str, float]]
"""Metrics by benchmark."""


class Named(Interface):
    """A row, identified by its name."""

    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=Named)


class Runs:
    """Runs that share their data, and their results in a folder.

    :param out: folder for the results, one JSON file each
    :param benchmarks: frames that each network is evaluated on, by name
    """

    def __init__(self, out: Path, benchmarks: Mapping[str, Benchmark]) -> None:
        self.out, self.benchmarks = out, benchmarks
        self._sources: dict[SourceConfig, SourceViews] = {}
        out.mkdir(parents=True, exist_ok=True)

    def views(self, sources: Sequence[SourceConfig]) -> list[SourceViews]:
        """The training views of sources, loaded once."""
        for source in sources:
            if source not in self._sources:
                self._sources[source] = SourceViews(source, cache=True)
        return [self._sources[source] for source in sources]

    def run_rows(
        self,
        rows: Sequence[R],
        parts: Sequence[str] | None,
        seeds: Sequence[int],
        train: Callable[[R, int, Path], Subject],
    ) -> None:
        """Train and evaluate rows with each seed, unless the result exists.

        :param parts: names of rows, or parts of them; None for all rows
        :param train: trains a row with a seed in the given folder
        :raises UserError: if no row has such a name
        """
        chosen = [row for row in rows if not parts or any(part in row.name for part in parts)]
        if not chosen:
            raise UserError(f"no row is called {parts}; there are: {', '.join(row.name for row in rows)}")
        for seed in seeds:
            for row in chosen:
                self._run(row.name, seed, partial(train, row, seed))

    def _run(self, row: str, seed: int, train: Callable[[Path], Subject]) -> None:
        """Train and evaluate, unless the result exists.

        :param train: trains in the given folder
        """
        path = self.out / f"{_stem(row)}-{seed}.json"
        if path.is_file():
            return
        folder = path.with_suffix(".run")
        metrics = self._measure(train(folder))
        _write(path, {"row": row, "seed": seed, "metrics": metrics, "machine": cpu_model()})
        shutil.rmtree(folder)

    def reference(self, name: str, subject: Callable[[], Subject]) -> Measured:
        """Metrics of a network that is not trained here, evaluated once."""
        path = self.out / f"{_stem(name)}.json"
        if not path.is_file():
            _write(path, self._measure(subject()))
        return json.loads(path.read_text(encoding="utf-8"))

    def metrics(self, row: str, benchmark: str) -> dict[int, dict[str, float]]:
        """Metrics of the finished runs, by seed."""
        results = [
            json.loads(path.read_text(encoding="utf-8")) for path in self.out.glob(f"{_stem(row)}-*.json")
        ]
        return {result["seed"]: result["metrics"][benchmark] for result in results}

    def table(self, benchmark: str, rows: Sequence[str], metrics: Sequence[str]) -> Table:
        """Mean and standard deviation over seeds, and the paired difference to the first row."""
        baseline = self.metrics(rows[0], benchmark)
        table = Table(title=f"{benchmark}: over seeds; difference to '{rows[0]}' of the same seed")
        for column in ("row", "seeds", *metrics, "abs_rel difference ± standard error", "relative"):
            table.add_column(column, justify="left" if column == "row" else "right")
        for row in rows:
            runs = self.metrics(row, benchmark)
            if not runs:
                continue
            cells = [
                _over_seeds([run[metric] for run in runs.values() if metric in run]) for metric in metrics
            ]
            differences = [
                runs[seed]["abs_rel"] - baseline[seed]["abs_rel"] for seed in runs if seed in baseline
            ]
            if row != rows[0] and len(differences) > 1:
                mean = statistics.mean(differences)
                error = statistics.stdev(differences) / len(differences) ** 0.5
                reference = statistics.mean(run["abs_rel"] for run in baseline.values())
                cells += [f"{mean:+.4f} ± {error:.4f}", f"{mean / reference:+.1%}"]
            table.add_row(row, str(len(runs)), *cells)
        return table

    def _measure(self, subject: Subject) -> Measured:
        return {
            name: evaluate(subject, frames.dataset, frames.samples, Protocol()).metrics
            for name, frames in self.benchmarks.items()
        }


def _stem(name: str) -> str:
    return name.translate(str.maketrans(" ", "_", ",()+")).lstrip("_")


def _over_seeds(values: Sequence[float]) -> str:
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def _write(path: Path, content: object) -> None:
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
