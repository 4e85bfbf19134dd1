import io

import numpy as np
import pytest
from rich.console import Console

from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.report import DEPTH, UNCERTAINTY, print_frames, print_summary


def summary_of(depths, with_sigma=True):
    evaluator = Evaluator(Protocol())
    for index, depth in enumerate(depths):
        sigma = np.full((4, 5), 1.0) if with_sigma else None
        evaluator.add(f"frame{index}", np.full((4, 5), 10.0), np.full((4, 5), depth), sigma)
    evaluator.add("dark", np.zeros((4, 5)), np.ones((4, 5)))
    return evaluator.summary()


def printed(function, summary) -> dict[str, list[str]]:
    """Cells of each row, keyed by the first."""
    console = Console(file=io.StringIO(), width=80)
    function(summary, console)
    lines = console.file.getvalue().splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert max(map(len, lines)) <= 80
    return {row[0]: row[1:] for row in rows} | {"text": lines}


def test_every_metric_has_a_row_with_mean_spread_and_worst_frame():
    summary = summary_of([10.0, 11.0, 13.0])
    rows = printed(print_summary, summary)
    assert rows["abs_rel"] == ["0", "0.1333", "0.1247", "0.3000", "frame2"]
    assert rows["d1"] == ["1", "0.6667", "0.4714", "0.0000", "frame2"]
    assert rows["rmse (m)"][1] == "1.3333"
    assert {name.partition(" ")[0] for name in rows} >= set(summary.metrics)
    assert set(summary.metrics) == {*DEPTH, *UNCERTAINTY}


def test_the_worst_coverage_is_the_farthest_from_nominal():
    rows = printed(print_summary, summary_of([10.5, 12.0]))  # 0.5 and 2 sigma: covers all, covers nothing
    assert rows["coverage_1sigma"] == ["0.683", "0.5000", "0.5000", "0.0000", "frame1"]
    assert rows["coverage_95"][:2] == ["0.950", "1.0000"]
    assert rows["calibration_area"][2:] == ["", "", ""]


def test_skipped_frames_are_named():
    assert any("dark" in line for line in printed(print_summary, summary_of([10.0]))["text"])


def test_without_sigma_there_are_no_uncertainty_rows():
    rows = printed(print_summary, summary_of([10.0], with_sigma=False))
    assert "abs_rel" in rows
    assert "nll (nats)" not in rows


@pytest.mark.parametrize("with_sigma", [True, False])
def test_every_frame_has_a_row(with_sigma):
    rows = printed(print_frames, summary_of([10.0, 13.0], with_sigma))
    assert rows["frame0"][:2] == ["20", "0.0000"]
    assert rows["frame1"][:2] == ["20", "0.3000"]
    assert len(rows["frame0"]) == (5 if with_sigma else 4)
