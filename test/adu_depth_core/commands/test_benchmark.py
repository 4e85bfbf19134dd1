import json
import time

import pytest

from adu_depth_core.cli import main
from adu_depth_core.deploy.benchmark import measure


def test_latency_is_that_of_the_timed_runs():
    calls = []

    def run() -> None:
        calls.append(None)
        time.sleep(0.05 if len(calls) <= 2 else 0.002)

    latency = measure(run, runs=5, warm_up=2)
    assert len(calls) == 7
    assert 2 <= latency.p50 <= latency.p90 <= latency.p99
    assert latency.p50 < 50
    assert latency.throughput == pytest.approx(1e3 / latency.mean)


def test_every_model_is_measured_and_recorded(color_student, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    record = tmp_path / "result.json"
    options = ["--backend", "onnxruntime", "--runs", "3", "--warm-up", "1", "--json", str(record)]
    assert main(["benchmark", str(color_student), str(color_student), *options]) == 0
    results = json.loads(record.read_text(encoding="utf-8"))["results"]
    assert [result["runs"] for result in results] == [3, 3]
    assert results[0]["size"] == [64, 192]
    assert "milliseconds per image" in capsys.readouterr().out


def test_bad_counts_are_refused(color_student, capsys):
    assert main(["benchmark", str(color_student), "--runs", "0"]) == 1
    assert "--runs must be at least 1" in capsys.readouterr().err
