"""The engine cache with the real builder; engines target another GPU, so none is needed here."""

import dataclasses
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("tensorrt_rtx")

from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.engine_cache import EngineCache, default_folder, identify
from adu_depth_core.deploy.tensorrt_build import original_of
from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.cuda import current_gpu
from adu_depth_core.model_card import card_path, file_sha256, read_card

OPTIONS = BuildOptions(flavour="tensorrt_rtx", compute_capability="8.6")


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


@pytest.fixture
def builds(cache, color_student):
    """Requests the engine of a model from the cache; returns whether that built one."""

    def ask(model: Path = color_student, options: BuildOptions = OPTIONS) -> tuple[Path, bool]:
        built: list[Path] = []
        path = cache.engine(model, options, on_build=built.append)
        assert built in ([], [path])
        return path, bool(built)

    return ask


def test_an_engine_is_built_once(builds, cache):
    engine, built = builds()
    assert built
    assert engine.parent == cache.folder
    assert read_card(engine).extra["parity"] == "not run"
    again = builds()
    assert again == (engine, False)
    assert not list(cache.folder.glob("*.partial"))


@pytest.mark.parametrize(
    "change",
    [
        {"compute_capability": "8.9"},
        {"sizes": ((96, 192),)},
        {"batch": (1, 1, 2)},
        {"workspace_mib": 64},
        {"compute_capability": None, "hardware_compatible": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_another_engine_makes_another_file(builds, change):
    first, _ = builds()
    second, built = builds(options=dataclasses.replace(OPTIONS, **change))
    assert built
    assert second != first
    assert builds() == (first, False)


def test_how_an_engine_is_shown_or_timed_does_not_matter(color_student):
    options = dataclasses.replace(OPTIONS, flavour="auto")
    flavours = {identify(color_student, o).flavour for o in (options, OPTIONS)}
    if flavours == {"tensorrt_rtx"}:
        assert identify(color_student, options).key() == identify(color_student, OPTIONS).key()


def damaged(engine):
    engine.write_bytes(engine.read_bytes()[:-1])
    return "replaced or damaged"


def without_card(engine):
    card_path(engine).unlink()
    return "model card"


def with_a_card_that_is_none(engine):
    card_path(engine).write_text("{", encoding="utf-8")
    return "not JSON"


def of_another_gpu(engine):
    """A complete engine that was copied to this name."""
    text = card_path(engine).read_text(encoding="utf-8").replace('"8.6"', '"8.9"')
    card_path(engine).write_text(text, encoding="utf-8")
    return "another gpu"


def of_another_release(engine):
    content = json.loads(card_path(engine).read_text(encoding="utf-8"))
    content["extra"]["cache"]["version"] = "1.0.0"
    card_path(engine).write_text(json.dumps(content), encoding="utf-8")
    return "another TensorRT (1.0.0"


@pytest.mark.parametrize(
    "spoil", [damaged, without_card, with_a_card_that_is_none, of_another_gpu, of_another_release]
)
def test_a_file_that_is_not_what_it_should_be_is_named_and_built_anew(builds, caplog, spoil):
    engine, _ = builds()
    reason = spoil(engine)
    caplog.clear()
    assert builds() == (engine, True)
    assert f"{engine} in the engine cache is rebuilt" in caplog.text
    assert reason in caplog.text
    assert builds() == (engine, False)


def test_an_engine_of_a_former_model_is_named_and_left(builds, write_color_student, tmp_path, caplog):
    model = write_color_student(tmp_path / "mine.onnx")
    old, _ = builds(model)
    write_color_student(tmp_path / "mine.onnx", outputs=("log_b", "mu"))  # the same names, other weights
    new, built = builds(model)
    assert built
    assert new != old
    assert f"{old} in the engine cache is not used: it is of another ONNX" in caplog.text
    assert old.exists()


def test_a_provisioned_folder_need_not_be_writable(builds, cache, color_student, monkeypatch):
    engine, _ = builds()

    def refuse(*arguments, **options):
        raise AssertionError("a hit must not write")

    monkeypatch.setattr("adu_depth_core.deploy.engine_cache.check_folder_writable", refuse)
    assert builds() == (engine, False)


def test_a_folder_that_cannot_be_written_is_named(color_student, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/engines cannot be written"):
        EngineCache(tmp_path / "file" / "engines").engine(color_student, OPTIONS)


def test_two_processes_build_once(cache, color_student):
    code = f"""
import sys
from pathlib import Path
from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.engine_cache import EngineCache
options = BuildOptions(flavour="tensorrt_rtx", compute_capability="8.6", batch=(1, 1, 3))
EngineCache(Path({str(cache.folder)!r})).engine(
    Path({str(color_student)!r}), options, on_build=lambda path: print("building"))
"""
    root = Path(__file__).resolve().parents[3]
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(outputs) == ["", "building\n"]


def test_what_a_watcher_raises_stops_the_build_and_leaves_nothing(cache, shipped_model):
    class Enough(Exception):
        pass

    seen = []

    def watch(progress) -> None:
        seen.append(progress.describe())
        if "Building engine" in seen[-1]:
            raise Enough

    started = time.monotonic()
    with pytest.raises(Enough):
        cache.engine(shipped_model, dataclasses.replace(OPTIONS, sizes=((192, 640), (352, 1216))), watch)
    assert time.monotonic() - started < 60
    assert not list(cache.folder.glob("*.engine*"))


def test_the_original_is_looked_for_beside_an_export(exported, tmp_path):
    def original(onnx):
        return original_of(onnx, read_card(onnx))

    assert original(exported / "fp32.onnx") == exported / "fp32.onnx"
    assert original(exported / "fp16.onnx") == exported / "student.onnx"
    for name in ("fp16.onnx", "fp16.json"):
        shutil.copy(exported / name, tmp_path)
    assert original(tmp_path / "fp16.onnx") is None  # only the installed student remains


def test_without_a_gpu_one_must_be_named(cache, color_student):
    pytest.importorskip("cuda.bindings.runtime")
    try:
        current_gpu()
    except UserError:
        with pytest.raises(UserError, match="CUDA could not find a GPU"):
            cache.engine(color_student, dataclasses.replace(OPTIONS, compute_capability=None))
    else:
        pytest.skip("this machine has a GPU")


def test_the_folder_follows_the_systems_custom(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "adu_depth" / "engines"


def test_the_key_holds_the_content_of_the_model_not_its_place(color_student, tmp_path):
    copied = tmp_path / "copied.onnx"
    shutil.copy(color_student, copied)
    dataclasses.replace(read_card(color_student), files={copied.name: file_sha256(copied)}).write(
        card_path(copied)
    )
    assert identify(copied, OPTIONS) == identify(color_student, OPTIONS)
