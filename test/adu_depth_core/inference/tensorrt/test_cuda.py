"""The CUDA wrapper on a fake CUDA runtime, and on a GPU if there is one."""

import functools
import gc
import threading

import numpy as np
import pytest

pytest.importorskip("cuda.bindings.runtime")

from fake_cuda import FakeCuda

from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt import cuda as ours
from adu_depth_core.inference.tensorrt.cuda import Buffer, Stream, check, current_gpu, use_gpu

SHAPE = (2, 3, 4)
VALUES = np.arange(24, dtype=np.float32).reshape(SHAPE)


@pytest.fixture
def fake(monkeypatch):
    fake = FakeCuda(gpus=2)
    monkeypatch.setattr(ours, "cuda_runtime", lambda: fake)
    return fake


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.gpu)])
def cuda(request):
    """The runtime that the code under test uses."""
    if request.param == "fake":
        return request.getfixturevalue("fake")
    try:
        current_gpu()
    except UserError as error:
        pytest.skip(str(error))
    return ours.cuda_runtime()


def copy_on_gpu(cuda, source: Buffer, target: Buffer, stream: Stream) -> None:
    kind = cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
    check(cuda.cudaMemcpyAsync(target.device, source.device, source.host.nbytes, kind, stream.handle), "copy")


def test_a_tensor_goes_to_the_gpu_and_back(cuda):
    stream, one, other = Stream(), Buffer("one", SHAPE), Buffer("other", SHAPE)
    one.host[:] = VALUES
    one.upload(stream)
    copy_on_gpu(cuda, one, other, stream)
    other.download(stream)
    stream.wait("copy")
    np.testing.assert_array_equal(other.host, VALUES)


def test_what_was_recorded_is_replayed_on_new_values(cuda):
    stream, one, other = Stream(), Buffer("one", SHAPE), Buffer("other", SHAPE)

    def work() -> None:
        one.upload(stream)
        copy_on_gpu(cuda, one, other, stream)
        other.download(stream)

    other.host[:] = -1
    launch = stream.record(work)
    stream.wait("record")
    assert (other.host == -1).all()  # captured, not run
    for factor in (1, 2):
        one.host[:] = factor * VALUES
        launch()
        stream.wait("copy")
        np.testing.assert_array_equal(other.host, factor * VALUES)


def test_a_view_of_a_buffer_outlives_it(cuda):
    buffer = Buffer("one", SHAPE)
    buffer.host[:] = VALUES
    view = buffer.host[:, 0]
    del buffer
    gc.collect()
    others = [Buffer("other", SHAPE) for _ in range(8)]
    for other in others:
        other.host[:] = -1
    np.testing.assert_array_equal(view, VALUES[:, 0])


@pytest.mark.parametrize(
    "error", [UserError("on purpose"), KeyboardInterrupt()], ids=lambda e: type(e).__name__
)
def test_a_failed_recording_leaves_the_stream_usable(cuda, error):
    stream, one = Stream(), Buffer("one", SHAPE)

    def fail() -> None:
        one.upload(stream)
        raise error

    with pytest.raises(type(error)):
        stream.record(fail)
    one.upload(stream)
    stream.wait("copy")
    stream.record(lambda: one.upload(stream))()
    stream.wait("copy")


def test_everything_is_given_back(fake):
    stream, one = Stream(), Buffer("one", SHAPE)
    launch = stream.record(functools.partial(one.upload, stream))
    assert set(fake.alive()) == {"stream", "launchable", "pinned", "device"}
    view = one.host[0]
    del stream, one, launch
    gc.collect()
    assert fake.alive() == {"pinned": 1}
    del view
    gc.collect()
    assert not fake.alive()


@pytest.mark.parametrize("call", ["cudaMalloc", "cudaMallocHost"])
def test_full_memory_is_told_and_nothing_is_kept(fake, call):
    fake.failures[call, 0] = fake.cudaError_t.cudaErrorMemoryAllocation
    with pytest.raises(UserError, match=r"image.*GPU memory is full"):
        Buffer("image", SHAPE)
    gc.collect()
    assert not fake.alive()


@pytest.mark.parametrize("call", ["cudaStreamEndCapture", "cudaGraphInstantiate"])
def test_a_graph_that_cannot_be_made_leaves_nothing_behind(fake, call):
    fake.failures[call, 0] = fake.cudaError_t.cudaErrorUnknown
    stream, one = Stream(), Buffer("one", SHAPE)
    with pytest.raises(UserError, match=r"could not (record the|prepare the recorded) network"):
        stream.record(lambda: one.upload(stream))
    assert set(fake.alive()) == {"stream", "pinned", "device"}


def test_each_thread_chooses_its_gpu(fake):
    use_gpu(1)
    made = [Buffer("one", SHAPE)]
    thread = threading.Thread(target=lambda: made.append(Buffer("other", SHAPE)))
    thread.start()
    thread.join()
    assert [fake.gpu_of(buffer.device) for buffer in made] == [1, 0]


def test_a_gpu_that_is_not_there_is_told_how_many_are(fake):
    with pytest.raises(UserError, match="there is no GPU 2: this process sees 2, counted from 0"):
        use_gpu(2)
