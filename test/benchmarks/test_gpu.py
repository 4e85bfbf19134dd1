"""The GPU benchmark, run on the CPU: its output, and isolation of failing rows."""

import json

import gpu
import numpy as np
import pytest
from failing_tasks import row, task
from isolated import Isolated, TaskFailed
from ros2_metrics import ros2_metrics


@pytest.fixture
def isolated():
    isolated = Isolated(task)
    yield isolated
    isolated.close()


@pytest.mark.parametrize(
    ("what", "message", "same"),
    [
        ("crash", "the process ended with status -6", False),
        ("hang", "took longer than 1 s", False),
        ("error", "RuntimeError: CUDA error: an illegal memory access", False),
        ("user error", "not installed here", True),
    ],
)
def test_a_task_that_fails_leaves_a_working_process(isolated, what, message, same):
    before = isolated("number", 60)
    with pytest.raises(TaskFailed, match=message):
        isolated(what, 1)
    after = isolated("number", 60)
    assert (after == before) == same
    assert isolated("number", 60) == after


def test_metrics_have_the_names_and_meanings_of_ros2_benchmark():
    stamps = np.array([[0, 4], [10, 15], [20, 24], [30, 36]]) * 1_000_000
    metrics = {
        name.removeprefix("BasicPerformanceMetrics."): v for name, v in ros2_metrics(stamps, 2).items()
    }
    assert metrics["NUM_FRAMES_SENT"] == 8
    assert metrics["RECEIVED_DURATION"] == 32
    assert metrics["MEAN_FRAME_RATE"] == pytest.approx(250)
    assert (metrics["MIN_LATENCY"], metrics["MEAN_LATENCY"], metrics["MAX_LATENCY"]) == (4, 4.75, 6)
    # The intervals between ends are 11, 9 and 12 ms.
    assert (metrics["MIN_JITTER"], metrics["MEAN_JITTER"], metrics["MAX_JITTER"]) == (2, 2.5, 3)


@pytest.fixture
def run(shipped_model, tmp_path):
    """Runs the benchmark with options; its exit status and output files."""
    for module in ("onnx", "onnxruntime", "onnxslim"):
        pytest.importorskip(module)

    def run(*options: str):
        arguments = ["--out", str(tmp_path), "--backends", "onnxruntime", "--sizes", "32x96", "--runs", "3"]
        status = gpu.main([*arguments, "--precisions", "fp32", *options])
        return status, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]

    return run


def test_a_row_that_crashes_or_hangs_loses_only_itself(run, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "measure_row", row)
    monkeypatch.setattr(gpu, "OF_EACH_ROW", 30.0)
    written = []
    write = gpu.write
    monkeypatch.setattr(
        gpu, "write", lambda record, path: written.append(len(record["results"])) or write(record, path)
    )
    status, rows = run("--batches", "4", "1", "2")
    assert status == 0
    assert written == list(range(1, len(rows) + 1))  # as soon as each is complete
    machine, crashed, one, two, frame = rows
    assert machine["versions"]["onnxruntime"]
    assert crashed["not_run"] == "the process ended with status -6"
    for measured, batch in ((one, 1), (two, 2)):
        assert measured["batch"] == batch
        assert measured["excess"] == []
        assert measured["metrics"]["BasicPerformanceMetrics.MEAN_FRAME_RATE"] > 0
    assert frame["frame_to_depth"]["p50"] > sum(frame["stages_ms"].values()) / 4
    assert "4 of 5 rows were measured" in capsys.readouterr().out


def test_what_no_time_is_left_for_is_told(run):
    status, rows = run("--batches", "1", "--seconds", "0")
    assert status == 1
    assert {row["not_run"] for row in rows} == {"the time limit of 0 s was reached"}


def test_a_row_ends_with_the_time_limit(run, monkeypatch):
    monkeypatch.setattr(gpu, "measure_row", row)
    monkeypatch.setattr(gpu, "LEAST", 0.0)
    _, rows = run("--batches", "8", "--seconds", "3")
    assert sum(row["took_s"] for row in rows) < 8


def test_a_runtime_that_is_missing_is_told_in_its_rows(run):
    pytest.importorskip("cuda.bindings.runtime")
    status, rows = run("--batches", "1", "--backends", "tensorrt")
    if status == 0:
        pytest.skip("this machine runs TensorRT")
    assert all("not_run" in row for row in rows if row["kind"] == "network")


def test_every_kind_of_row_is_planned_once():
    rows = gpu.plan(gpu.GPU_BACKENDS, [(192, 640), (352, 1216)], gpu.PRECISIONS, [1, 8])
    assert len(rows) == len(set(rows))
    assert [row.kind for row in rows[:2]] == ["machine", "ceilings"]
    networks = {(row.backend, row.precision) for row in rows if row.kind == "network"}
    assert networks == {
        *(("pytorch-cuda", precision) for precision in ("fp32", "fp16", "bf16")),
        *(("onnxruntime-cuda", precision) for precision in ("fp32", "fp16", "int8")),
        *(("tensorrt", precision) for precision in ("fp32", "fp16", "int8")),
    }
    assert {row.precision for row in rows[-8:]} <= set(gpu.LATER)  # dropped first when time runs out
