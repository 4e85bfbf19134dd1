import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from adu_depth_core.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def work():
    return [np.ones(500_000) for _ in range(5)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_pages_of_freed_arrays_are_not_fetched_again():
    def faults(how):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert faults("keep") < 0.1 * faults("let go")
