"""Temporary folder for a result until it is complete: hidden beside it, for one process at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from adu_depth_core.errors import UserError

PATIENCE_S = 1.0
"""Another process may take this long to end its write of the same file, before ours is refused."""

_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
"""Errors of file systems without locks, such as Lustre mounted so: there processes cannot detect each
other."""


@contextlib.contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``, to be gone afterwards; what a killed process left is removed.

    A lock on a file beside it keeps other writers of ``path`` away. The system releases it when
    a process ends for any reason, so its holder knows that files in the folder belong to no running process.

    :raises UserError: if another process writes ``path`` now
    """
    folder = path.parent / f".{path.name}.partial"
    with _locked(path.parent / f".{path.name}.lock", path):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


@contextlib.contextmanager
def _locked(lock: Path, path: Path) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with lock.open("w") as file:
            if _try_lock(file.fileno()) and _is_at(lock, file.fileno()):
                try:
                    yield
                finally:
                    # Deleted while locked: a process that already opened it finds it deleted, and retries.
                    lock.unlink()
                return
        if time.monotonic() > deadline:
            raise UserError(
                f"{path} is being written by another process: wait until it has ended, or choose another name"
            )
        time.sleep(0.01)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _is_at(path: Path, file: int) -> bool:
    """True if an open file is still the one of that name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
