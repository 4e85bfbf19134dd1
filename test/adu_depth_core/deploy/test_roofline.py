import ctypes

import pytest

from adu_depth_core.deploy import roofline
from adu_depth_core.deploy.network_cost import Cost
from adu_depth_core.deploy.roofline import TYPES, Blas, Ceilings, ideal_seconds, measure_ceilings
from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.cuda import current_gpu

CEILINGS = Ceilings(bytes_per_s=1e9, operations_per_s={"fp32": 1e9, "fp16": 4e9, "int8": 8e9})


def test_arithmetic_holds_up_a_network_that_moves_little():
    cost = Cost({"fp32": 10**9, "int8": 8 * 10**9}, activation_bytes=10, weight_bytes=10)
    assert ideal_seconds(cost, 1, CEILINGS) == pytest.approx(2.0)
    assert ideal_seconds(cost, 4, CEILINGS) == pytest.approx(8.0)


def test_memory_holds_up_a_network_that_computes_little():
    cost = Cost({"fp16": 10}, activation_bytes=10**9, weight_bytes=10**9)
    assert ideal_seconds(cost, 1, CEILINGS) == pytest.approx(2.0)
    assert ideal_seconds(cost, 4, CEILINGS) == pytest.approx(5.0)  # the weights are read once


def test_there_is_a_ceiling_for_every_type_that_networks_are_exported_in():
    assert set(TYPES) == {"fp32", "fp16", "bf16", "int8"}


def test_a_type_without_a_ceiling_gives_no_share():
    assert ideal_seconds(Cost({"fp32": 1, "bf16": 1}, 1, 1), 1, CEILINGS) is None


class FakeBlas:
    """Records the operands of multiplications without computing them."""

    def __init__(self, lacks=()) -> None:
        self.lacks = lacks
        self.constant: dict[str, bool] = {}
        self.closed = False

    def multiply(self, name, one, other, result) -> None:
        if name in self.lacks:
            raise UserError(f"cuBLAS failed ({name})")
        for address in (one, other):
            beginning = (ctypes.c_ubyte * 4096).from_address(address)
            self.constant[name] = self.constant.get(name, False) or len(set(beginning)) < 20

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fake(monkeypatch):
    """CUDA without a GPU, with smaller copies."""
    pytest.importorskip("cuda.bindings.runtime")
    from fake_cuda import FakeCuda

    cuda = FakeCuda()
    monkeypatch.setattr(roofline, "cuda_runtime", lambda: cuda)
    monkeypatch.setattr("adu_depth_core.inference.tensorrt.cuda.cuda_runtime", lambda: cuda)
    monkeypatch.setattr(roofline, "COPY_BYTES", 4 << 20)
    monkeypatch.setattr(roofline, "LEAST_SECONDS", 0.001)
    return cuda


def use(monkeypatch, blas: FakeBlas) -> FakeBlas:
    monkeypatch.setattr(roofline, "Blas", lambda: blas)
    return blas


def test_ceilings_are_measured_on_random_numbers(fake, monkeypatch):
    blas = use(monkeypatch, FakeBlas())
    ceilings = measure_ceilings()
    assert blas.constant == dict.fromkeys(TYPES, False)
    assert ceilings.operations_per_s.keys() == TYPES.keys()
    assert ceilings.bytes_per_s > 0
    assert blas.closed
    assert not fake.alive()


def test_a_type_that_the_gpu_lacks_costs_only_its_own_ceiling(fake, monkeypatch, caplog):
    use(monkeypatch, FakeBlas(lacks=("bf16",)))
    assert measure_ceilings().operations_per_s.keys() == TYPES.keys() - {"bf16"}
    assert "no ceiling in bf16" in caplog.text


@pytest.mark.parametrize(
    "call", [("cudaMalloc", 0), ("cudaMalloc", 2), ("cudaMemcpy", 1), ("cudaMemcpyAsync", 3)]
)
def test_a_failure_gives_everything_back(fake, monkeypatch, call):
    blas = use(monkeypatch, FakeBlas())
    fake.failures[call] = fake.cudaError_t.cudaErrorMemoryAllocation
    with pytest.raises(UserError, match="GPU memory is full"):
        measure_ceilings()
    assert blas.closed
    assert not fake.alive()


def test_without_a_gpu_no_ceiling_is_made_up():
    pytest.importorskip("cuda.bindings.runtime")
    try:
        current_gpu()
    except UserError:
        with pytest.raises(UserError, match=r"cuBLAS (failed|was not found)"):
            Blas()
        with pytest.raises(UserError):
            measure_ceilings()
    else:
        pytest.skip("this machine has a GPU")


@pytest.mark.gpu
def test_ceilings_of_this_gpu():
    try:
        current_gpu()
    except UserError as error:
        pytest.skip(str(error))
    ceilings = measure_ceilings()
    assert ceilings.bytes_per_s > 1e10
    assert ceilings.operations_per_s["fp16"] > ceilings.operations_per_s["fp32"]
