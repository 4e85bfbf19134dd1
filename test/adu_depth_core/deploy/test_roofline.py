import pytest

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
    assert set(TYPES) == {"fp32", "fp16", "int8"}


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
