"""The real TensorRT builder, on machines with and without a GPU."""

import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys

import pytest

from adu_depth_core.cli import main
from adu_depth_core.model_card import read_card

onnx = pytest.importorskip("onnx")
trt = pytest.importorskip("tensorrt_rtx")
pytest.importorskip("onnxslim")

SIZE = (64, 96)  # of the fixture `exported`
PRECISIONS = ("fp32", "fp16", "int8")


def build(source, out, *options: str, capability: str = "8.6") -> int:
    target = ["--out", str(out), "--flavour", "tensorrt_rtx", "--compute-capability", capability]
    return main(["build-engine", "--onnx", str(source), *target, *options])


@pytest.mark.parametrize("capability", ["8.6", "8.9"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_builder_keeps_the_precision(exported, tmp_path, capsys, precision, capability):
    out = tmp_path / "student.engine"
    assert build(exported / f"{precision}.onnx", out, capability=capability) == 0
    card = read_card(out)
    engine = card.extra["engine"]
    assert card.extra["precision"] == precision
    assert card.extra["parity"] == "not run"
    assert engine["onnx_sha256"] == read_card(exported / f"{precision}.onnx").files[f"{precision}.onnx"]
    assert (engine["flavour"], engine["version"]) == ("tensorrt_rtx", trt.__version__)
    assert engine["gpu"]["compute_capability"] == capability
    assert engine["tensors"]["image"]["shape"] == [1, 3, *SIZE]
    assert engine["tensors"]["camera"] == {"shape": [1, 4], "type": "FLOAT"}
    assert engine["tensors"]["fingerprint"] == {"shape": [1, 9], "type": "FLOAT"}
    assert set(engine["tensors"]) == {"image", "camera", "mu", "log_b", "fingerprint"}
    assert card.f_ref > 0
    assert card.licence
    capsys.readouterr()
    assert main(["inspect-engine", str(out)]) == 0
    assert f"the engine is {precision}" in capsys.readouterr().out


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_turing_gets_no_engine_and_is_told_what_to_use(exported, tmp_path, capsys, precision):
    assert build(exported / f"{precision}.onnx", tmp_path / "out.engine", capability="7.5") == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "FP32 GEMM is not supported" in error
    assert "use backend onnxruntime-cuda there" in error
    assert list(tmp_path.iterdir()) == []


def test_the_head_of_a_half_precision_engine_stays_in_fp32(exported, tmp_path):
    out = tmp_path / "student.engine"
    assert build(exported / "fp16.onnx", out) == 0
    head = [layer for layer in read_card(out).extra["engine"]["layers"] if "/head/predict" in layer[0]]
    assert head
    assert all(kind == "fp32" for _, _, inputs, outputs in head for kind in (*inputs, *outputs))


def test_an_fp32_engine_does_not_pass_as_half(exported, tmp_path, capsys):
    disguised = tmp_path / "disguised.onnx"
    disguised.write_bytes((exported / "fp32.onnx").read_bytes())
    content = json.loads((exported / "fp32.json").read_text(encoding="utf-8"))
    content["extra"]["precision"] = "fp16"
    content["files"] = {disguised.name: next(iter(content["files"].values()))}
    disguised.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")
    assert build(disguised, tmp_path / "out.engine") == 1
    assert "not fp16" in capsys.readouterr().err
    assert not (tmp_path / "out.engine").exists()


def test_a_replaced_engine_is_noticed(exported, tmp_path, capsys):
    out = tmp_path / "student.engine"
    assert build(exported / "fp32.onnx", out) == 0
    out.write_bytes(out.read_bytes()[:-1])
    assert main(["inspect-engine", str(out)]) == 1
    assert "replaced or damaged" in capsys.readouterr().err


def test_open_sizes_and_batches_become_profiles(shipped_model, tmp_path):
    out = tmp_path / "open.engine"
    sizes = ["--size", "64x96", "96x64"]
    assert build(shipped_model, out, *sizes, "--batch", "1", "2", "4", "--workspace", "256") == 0
    card = read_card(out)
    engine = card.extra["engine"]
    assert engine["profiles"] == [[[n, 3, *size] for n in (1, 2, 4)] for size in ((64, 96), (96, 64))]
    assert engine["options"]["workspace_mib"] == 256
    assert engine["tensors"]["image"]["shape"] == [-1, 3, -1, -1]
    assert (card.input_height, card.input_width) == (64, 96)
    assert card.extra["source_files"] == read_card(shipped_model).files


def test_a_model_of_any_size_is_built_for_the_size_of_its_card(color_student, tmp_path):
    out = tmp_path / "color.engine"
    assert build(color_student, out) == 0
    assert read_card(out).extra["engine"]["profiles"] == [[[1, 3, 64, 192]] * 3]


def test_an_engine_for_many_gpus_is_built_without_having_one(color_student, tmp_path, capsys):
    out = tmp_path / "color.engine"
    command = ["build-engine", "--onnx", str(color_student), "--out", str(out), "--hardware-compatible"]
    assert main(command) == 0
    assert read_card(out).extra["engine"]["gpu"] == {"name": None, "compute_capability": "8.0"}
    assert "GPUs of compute capability 8.0 and later" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "capability", "message"),
    [
        ([], "3.5", "cannot build for compute capability 3.5; it can for: 7.5"),
        (["--dla-core", "0"], "8.6", "DLA core 0 is not there"),
        (["--batch", "1", "4", "2"], "8.6", "minimum <= optimum <= maximum"),
        (["--batch", "1", "2", "4"], "8.6", "export --batch dynamic"),
        (["--size", "96x96"], "8.6", "takes 64x96 images"),
        (["--hardware-compatible"], "8.6", "choose one of the two"),
        (["--version-compatible"], "8.6", "only with the release that built them"),
        (["--timing-cache", "times"], "8.6", "measures no kernels"),
    ],
)
def test_bad_options_are_named(exported, tmp_path, capsys, options, capability, message):
    assert build(exported / "fp32.onnx", tmp_path / "out.engine", *options, capability=capability) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_onnx_leaves_no_engine(exported, write_card, tmp_path, capsys):
    source = tmp_path / "cut.onnx"
    source.write_bytes((exported / "fp32.onnx").read_bytes()[:100_000])
    write_card(source, extra={"input_shape": [1, 3, *SIZE], "precision": "fp32"})
    assert build(source, tmp_path / "out.engine") == 1
    assert str(source) in capsys.readouterr().err
    assert not list(tmp_path.glob("*out.engine*"))


def test_an_unknown_operator_is_named(color_student, write_card, tmp_path, capsys):
    model = onnx.load(str(color_student))
    model.graph.node[0].op_type = "NoSuchOperator"
    source = tmp_path / "odd.onnx"
    onnx.save(model, str(source))
    write_card(source, extra={"input_shape": [1, 3, *SIZE], "precision": "fp32"})
    assert build(source, tmp_path / "out.engine") == 1
    assert "NoSuchOperator" in capsys.readouterr().err
    assert not list(tmp_path.glob("*out.engine*"))


def start(source, out, **options) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "adu_depth_core.cli",
        "build-engine",
        "--onnx",
        str(source),
        "--out",
        str(out),
    ]
    options = {"stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([*command, "--compute-capability", "8.6"], **options)


def test_a_full_disk_leaves_no_engine(exported, tmp_path):
    def little_space() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails with an error instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    process = start(exported / "fp32.onnx", tmp_path / "out.engine", preexec_fn=little_space)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "out.engine cannot be written" in " ".join(errors.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_end_in_mid_build_leaves_no_engine(exported, tmp_path, end):
    # On a terminal the builder shows its progress, which tells when the build is under way.
    ours, theirs = pty.openpty()
    process = start(exported / "int8.onnx", tmp_path / "out.engine", stderr=theirs)
    os.close(theirs)
    assert select.select([ours], [], [], 60.0)[0], "no progress was shown"
    process.send_signal(end)
    shown = _read_to_end(ours)
    process.wait(timeout=60)
    assert process.returncode == (-end if end == signal.SIGKILL else 130), shown
    assert not (tmp_path / "out.engine").exists()
    assert not (tmp_path / "out.engine.json").exists()


def _read_to_end(terminal: int) -> str:
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # on Linux: the other end is closed
        pass
    os.close(terminal)
    return shown.decode(errors="replace")
