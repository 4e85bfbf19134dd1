"""Writing files so that a half-written one never looks whole, and finding the installed ones."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
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
    :raises UserError: if another process writes the same path, or it must not be replaced
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(path) as folder:
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


def check_folder_writable(folder: Path) -> None:
    """Ask before long work whether its results can be written to ``folder``; makes it.

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
    """Ask before long work whether its result can be written to the file ``path``; makes its folder.

    :raises UserError: if not
    """
    check_folder_writable(path.parent)
    if path.is_dir():
        raise UserError(f"{path} cannot be written: it is a folder; name a file")


def share_directory() -> Path:
    """Folder that holds ``models/``, ``config/`` and ``launch/``: the source tree or an installation.

    Looked for beside the package (a checkout), in each prefix of ``AMENT_PREFIX_PATH`` (colcon) and
    under ``sys.prefix`` (pip), in this order.

    :raises FileNotFoundError: if none of them holds the package's files
    """
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    candidates = [Path(__file__).resolve().parent.parent]
    candidates += [prefix / "share" / "adu_depth" for prefix in [*prefixes, Path(sys.prefix)]]
    for candidate in candidates:
        if (candidate / "config").is_dir() and (candidate / "package.xml").is_file():
            return candidate
    raise FileNotFoundError(
        "the files installed with adu_depth (models, config) were not found; looked in "
        + ", ".join(str(c) for c in candidates)
    )
