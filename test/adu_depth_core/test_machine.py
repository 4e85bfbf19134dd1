import platform

from adu_depth_core.machine import cpu_model


def test_the_cpu_has_a_name_that_is_not_the_host_s():
    assert cpu_model()
    assert platform.node() not in cpu_model()
