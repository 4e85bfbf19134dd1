"""``TensorRTBackend`` on a fake TensorRT: on the fake CUDA, and on a GPU if there is one.

The fake network copies, so a wrong stream, address, batch or replay gives a wrong output.
"""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("cuda.bindings.runtime")

from fake_cuda import FakeCuda
from fake_tensorrt import FakeTensorRT, plan

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.tensorrt import api as tensorrt_api
from adu_depth_core.inference.tensorrt import cuda as ours
from adu_depth_core.inference.tensorrt.cuda import current_gpu

SIZE = (32, 64)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.gpu)])
def cuda(request, monkeypatch):
    if request.param == "fake":
        fake = FakeCuda(gpus=2)
        monkeypatch.setattr(ours, "cuda_runtime", lambda: fake)
        return fake
    try:
        current_gpu()
    except UserError as error:
        pytest.skip(str(error))
    return ours.cuda_runtime()


@pytest.fixture(params=["tensorrt", "tensorrt_rtx"])
def flavour_name(request):
    return request.param


@pytest.fixture
def trt(cuda, monkeypatch, flavour_name):
    """The fake TensorRT; at teardown, no object may have been destroyed before one that it created."""
    trt = FakeTensorRT(cuda, rtx=flavour_name == "tensorrt_rtx")
    flavour = tensorrt_api.Flavour(flavour_name, trt)
    monkeypatch.setattr(tensorrt_api, "load_flavour", lambda name: flavour)
    yield trt
    gc.collect()
    assert trt.faults == []


@pytest.fixture
def write_engine(tmp_path, write_card, trt, flavour_name, cuda):
    def write(batches=(1, 1), **changes):
        path = tmp_path / "student.engine"
        path.write_bytes(plan(SIZE, batches, **changes))
        low, high = ([n, 3, *SIZE] for n in batches)
        options = {
            "version_compatible": changes.get("version_compatible", False),
            "hardware_compatible": False,
            "dla_core": changes.get("dla_core"),
        }
        facts = {
            "flavour": flavour_name,
            "version": trt.__version__,
            "gpu": current_gpu(),
            "options": options,
            "profiles": [[low, low, high]],
            "precisions": {"fp32": 60},
            "layers": [],
        }
        extra = {"engine": facts, "precision": "fp32", "parity": "not run", "source_files": {}}
        write_card(path, input_height=SIZE[0], input_width=SIZE[1], extra=extra)
        return path

    return write


def frames(batch: int, seed: int):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, 3, *SIZE)).astype(np.float32), rng.normal(size=(batch, 4)).astype(
        np.float32
    )


def check_answers(output, image, camera) -> None:
    np.testing.assert_array_equal(output.mu, image[:, 0])
    np.testing.assert_array_equal(output.log_b, image[:, 1])
    np.testing.assert_array_equal(output.fingerprint, camera)


@pytest.mark.parametrize("capturable", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
def test_each_run_answers_its_own_input(write_engine, batch, capturable):
    backend = TensorRTBackend(write_engine((1, 4), capturable=capturable), SIZE, None, batch)
    for seed in range(3):
        image, camera = frames(batch, seed)
        check_answers(backend.run(image, camera), image, camera)
    backend.run_resident()
    image, camera = frames(batch, 9)
    check_answers(backend.run(image, camera), image, camera)


def test_a_run_is_one_launch_of_a_graph(write_engine, cuda):
    if not isinstance(cuda, FakeCuda):
        pytest.skip("calls are counted on the stand-in")
    backend = TensorRTBackend(write_engine(), SIZE, None)
    before = cuda.calls.copy()
    backend.run(*frames(1, 0))
    made = cuda.calls - before
    assert (made["cudaGraphLaunch"], made["cudaMemcpyAsync"], made["cudaStreamSynchronize"]) == (1, 0, 1)


def test_answers_outlive_the_backend(write_engine):
    backend = TensorRTBackend(write_engine(), SIZE, None)
    image, camera = frames(1, 0)
    output = backend.run(image, camera)
    del backend
    gc.collect()
    check_answers(output, image, camera)


def test_gpu_memory_goes_with_the_backend(write_engine, cuda):
    if not isinstance(cuda, FakeCuda):
        pytest.skip("resources are counted on the stand-in")
    backend = TensorRTBackend(write_engine(), SIZE, None)
    assert cuda.alive()["device"] == 5
    del backend
    gc.collect()
    assert not cuda.alive()


def test_another_thread_may_run_it_on_another_gpu(write_engine, cuda):
    """CUDA's current device is per thread: the node loads in one thread and runs in another."""
    if not isinstance(cuda, FakeCuda):
        pytest.skip("needs two GPUs")
    backend = TensorRTBackend(write_engine(), SIZE, None, gpu=1)
    image, camera = frames(1, 0)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(backend.run(image, camera)))
    thread.start()
    thread.join()
    check_answers(*answers, image, camera)


def test_a_gpu_that_is_not_there_is_named(write_engine):
    with pytest.raises(UserError, match=r"there is no GPU 7: this process sees \d, counted from 0"):
        TensorRTBackend(write_engine(), SIZE, None, gpu=7)


def test_frames_become_depth(write_engine):
    predictor = Predictor(write_engine())
    image = np.full((*SIZE, 3), 128, np.uint8)
    prediction = predictor.predict(image, Camera(60.0, 60.0, 32.0, 16.0, 64, 32))
    assert np.isfinite(prediction.depth).all()


@pytest.mark.parametrize(("batches", "at_once"), [((1, 4), 3), ((1, 2), 2), ((1, 1), 1)])
def test_images_of_several_threads_run_as_the_batches_that_the_engine_takes(
    write_engine, batches, at_once, caplog
):
    """The fake network copies: each image's depth comes from its own red channel."""
    camera = Camera(3000.0, 3000.0, 32.0, 16.0, 64, 32)  # depth within the card's range
    predictor = Predictor(write_engine(batches), batch=3)
    assert predictor.images_at_once == at_once
    assert ("at once, 3 would be used" in caplog.text) == (at_once < 3)
    single = Predictor(write_engine(batches))
    images = [np.full((*SIZE, 3), grey, np.uint8) for grey in (20, 120, 220)]
    expected = [single.predict(image, camera).depth for image in images]
    assert len({float(depth[0, 0]) for depth in expected}) == 3
    with ThreadPoolExecutor(3) as pool:
        for _ in range(20):
            found = list(pool.map(lambda image: predictor.predict(image, camera).depth, images))
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": {"mu": "HALF"}}, r"not FLOAT \(mu is HALF\): build it from an ONNX"),
        ({"types": {"image": "HALF", "log_b": "HALF"}}, r"image is HALF, log_b is HALF"),
        ({"dla_core": 1}, r"runs on DLA core 1, and this machine has 0"),
    ],
)
def test_engines_that_cannot_run_here_are_told_apart(write_engine, changes, message):
    with pytest.raises(UserError, match=message):
        TensorRTBackend(write_engine(**changes), SIZE, None)


def test_an_engine_for_a_dla_core_runs_there(write_engine, trt):
    trt.dla_cores = 2
    backend = TensorRTBackend(write_engine(dla_core=1), SIZE, None)
    assert trt.made["Runtime"].DLA_core == 1
    check_answers(backend.run(*frames(1, 0)), *frames(1, 0))


def test_a_version_compatible_engine_is_let_in(write_engine):
    backend = TensorRTBackend(write_engine(version_compatible=True), SIZE, None)
    check_answers(backend.run(*frames(1, 0)), *frames(1, 0))


@pytest.mark.parametrize("call", ["deserialize_cuda_engine", "create_execution_context", "execute_async_v3"])
def test_what_tensorrt_refuses_is_an_error_and_leaves_nothing_behind(write_engine, trt, cuda, call):
    path = write_engine()
    trt.refuse.add(call)
    with pytest.raises(UserError, match=r"could not be (loaded|prepared to run)|could not run the engine"):
        TensorRTBackend(path, SIZE, None)
    gc.collect()
    if isinstance(cuda, FakeCuda):
        assert not cuda.alive()


def test_kernels_are_kept_for_the_next_start(write_engine, trt):
    path = write_engine()
    kernels = path.with_name(path.name + ".kernels")
    TensorRTBackend(path, SIZE, None)
    assert kernels.exists() == trt.rtx
    if trt.rtx:
        assert kernels.read_bytes() == b"kernels of this GPU"
        backend = TensorRTBackend(path, SIZE, None)
        assert trt.made["RuntimeCache"].content == b"kernels of this GPU"
        del backend


def test_foreign_kernels_are_compiled_anew(write_engine, trt, caplog):
    if not trt.rtx:
        pytest.skip("tensorrt keeps no kernels")
    path = write_engine()
    path.with_name(path.name + ".kernels").write_bytes(b"of another driver")
    TensorRTBackend(path, SIZE, None)
    assert "kernels are recompiled" in caplog.text
    assert path.with_name(path.name + ".kernels").read_bytes() == b"kernels of this GPU"
