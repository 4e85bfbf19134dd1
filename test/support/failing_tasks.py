"""Tasks for subprocesses, one per failure mode."""

import functools
import os
import time

from adu_depth_core.errors import UserError


@functools.cache
def number_of_process() -> int:
    return os.getpid()


def task(what: str):
    if what == "crash":
        os.abort()
    if what == "hang":
        time.sleep(60)
    if what == "user error":
        raise UserError("not installed here")
    if what == "error":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    return number_of_process()


def row(task):
    """Replaces ``gpu_rows.measure_row``: batches of 4 crash, those of 8 are too slow."""
    from gpu_rows import measure_row

    if task.row.batch == 4:
        os.abort()
    if task.row.batch == 8:
        time.sleep(60)
    return measure_row(task)
