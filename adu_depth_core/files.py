"""Atomic file writing, and paths of installed files."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from adu_depth_core.errors import UserError
from adu_depth_core.partial_folder import partial_folder


@contextlib.contextmanager
def write_atomically(path: Path | str, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it becomes ``path``, on error it is removed.

    Works for a file and for a folder (the caller creates it at the yielded path). An existing
    folder is replaced only once the new one is complete.
    The temporary name keeps the suffix, because writers such as ``cv2.imwrite`` choose by it.

    :param replace: False refuses a path that is there already, or that appears meanwhile
    :raises UserError: if another process writes the same path, it must not be replaced, its folder cannot be
        written, or the disk is full
    """
    path = Path(path)
    check_folder_writable(path.parent)
    with _room_for(path), partial_folder(path) as folder:
        if not replace:
            _check_free(path)
        temporary = folder / path.name
        yield temporary
        if not replace:
            _check_free(path)
        if temporary.is_dir() and path.is_dir():
            shutil.move(path, folder / "replaced")
        os.replace(temporary, path)


def _check_free(path: Path) -> None:
    if path.exists():
        raise UserError(f"{path} exists already; remove it or choose another name")


@contextlib.contextmanager
def _room_for(path: Path) -> Iterator[None]:
    """Name what was being written: the system's error for a full disk names no file."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise UserError(
            f"{path} cannot be written: {error.strerror}; make room or choose another place"
        ) from error


def read_text(path: Path) -> str:
    """A text file's content.

    :raises UserError: if it cannot be read or is not UTF-8
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text ({error}); save it as such") from error


def check_folder_writable(folder: Path) -> None:
    """Check before long work that its results can be written to ``folder``; creates it.

    :raises UserError: if not
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"folder {folder} cannot be written: {error.strerror}; choose another place"
        ) from error


def check_writable(path: Path) -> None:
    """Check before long work that its result can be written to the file ``path``; creates its folder.

    :raises UserError: if not
    """
    check_folder_writable(path.parent)
    if path.is_dir():
        raise UserError(f"{path} cannot be written: it is a folder; name a file")


def share_directory() -> Path:
    """Folder that holds ``models/``, ``config/`` and ``launch/``: a checkout, or the installed package's own.

    :raises FileNotFoundError: if neither is there
    """
    package = Path(__file__).resolve().parent
    candidates = [package / "share", package.parent]
    for candidate in candidates:
        if (candidate / "config").is_dir() and (candidate / "package.xml").is_file():
            return candidate
    raise FileNotFoundError(
        "the files installed with adu_depth (models, config) were not found; looked in "
        + ", ".join(str(c) for c in candidates)
    )
