import json
import re
import time

import pytest

from adu_depth_core.cli import main
from adu_depth_core.commands.benchmark import print_results
from adu_depth_core.deploy import latency as module
from adu_depth_core.deploy.latency import Latency, Result, benchmark, cost_of, measure
from adu_depth_core.deploy.network_cost import Cost
from adu_depth_core.deploy.roofline import Ceilings
from adu_depth_core.model_card import read_card


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
    assert [result["with_copies"]["runs"] for result in results] == [3, 3]
    assert results[0]["size"] == [64, 192]
    assert "milliseconds per run" in capsys.readouterr().out


def test_what_is_printed_is_whole_at_80_columns_and_in_a_file(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    name = "a_student_with_a_long_name_192x640_calibrated_int8.onnx"
    latency = Latency(100, 1234.5, 2345.6, 3456.7, 1300.0, 1234.5)
    results = [
        Result(name, "int8", "TensorRT for RTX 1.7.1.17", (192, 640), 16, latency, latency, {"share": 0.5}),
        Result("b.onnx", "fp32", "OpenVINO 2026.4.1", (192, 640), 1, latency),
    ]
    print_results(results, "NVIDIA H100", on_gpu=True)
    text = capsys.readouterr().out
    assert "…" not in text
    assert f"1  {name}, int8, TensorRT for RTX 1.7.1.17, input 16 x 192x640\n" in text
    assert "2  b.onnx, fp32, OpenVINO 2026.4.1, input 192x640\n" in text
    rows = [line.split() for line in text.splitlines() if re.match(r" *[12] +\d", line)]
    assert rows[0] == ["1", "1234.5", "2345.6", "3456.7", "1234.5", "1.00", "1234.50", "50%"]
    assert rows[1][:6] == ["2", "1234.5", "2345.6", "3456.7", "1234.5", "1.00"]
    assert max(len(line.rstrip()) for line in text.splitlines() if name not in line) <= 80


def test_a_batch_counts_as_many_images(color_student, tmp_path):
    pytest.importorskip("onnxruntime")
    record = tmp_path / "result.json"
    options = ["--backend", "onnxruntime", "--runs", "3", "--batch", "4", "--json", str(record)]
    assert main(["benchmark", str(color_student), *options]) == 0
    (result,) = json.loads(record.read_text(encoding="utf-8"))["results"]
    assert result["batch"] == 4
    assert result["with_copies"]["throughput"] == pytest.approx(4e3 / result["with_copies"]["mean"])
    assert result["without_copies"] is result["roofline"] is None  # no host-device copies on a CPU


def test_a_batch_that_the_model_does_not_take_is_named(exported, capsys):
    assert main(["benchmark", str(exported / "fp32.onnx"), "--batch", "4"]) == 1
    assert "takes 1 images at once, not 4: export it with --batch 4" in capsys.readouterr().err


def test_the_cost_of_an_export_is_in_its_card(exported, shipped_model):
    pytest.importorskip("onnxslim")
    export = exported / "fp32.onnx"
    noted = cost_of(export, read_card(export), (64, 96))
    assert noted == cost_of(shipped_model, read_card(shipped_model), (64, 96))


class OnGpu:
    """A GPU backend that returns at once."""

    runtime = "a GPU's"

    def run(self, image, camera) -> None:
        pass

    def run_resident(self) -> None:
        pass


@pytest.mark.parametrize("share", [0.5, None])
def test_the_cost_is_only_asked_for_where_there_is_a_ceiling(color_student, monkeypatch, share):
    """It needs onnxslim, which need not be installed on a vehicle."""
    asked = []

    def cost_of(*_):
        asked.append(1)
        return Cost({"fp32": 10}, activation_bytes=1, weight_bytes=1)

    monkeypatch.setattr(module, "open_backend", lambda *_: OnGpu())
    monkeypatch.setattr(module, "cost_of", cost_of)
    ceilings = Ceilings(1e9, {"fp32": 1e9}) if share else None
    result = benchmark(color_student, "tensorrt", runs=3, warm_up=0, ceilings=lambda: ceilings)
    assert len(asked) == (share is not None)
    assert (result.roofline is None) == (share is None)
