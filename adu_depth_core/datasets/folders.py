"""Error messages on a data set's folder: the expected folder and the entries found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from adu_depth_core.errors import UserError

LISTED = 8
"""Entries of a folder, or missing frames, that a message names before it only counts them."""


def contents(folder: Path) -> str:
    """Content of a folder, for messages: its first entries, ``nothing``, or that it does not exist."""
    if not folder.is_dir():
        return "does not exist"
    return f"holds {some(sorted(path.name for path in folder.iterdir()))}"


def some(names: Sequence[str]) -> str:
    """Some names for a message: the first ``LISTED``, and how many more."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (", ".join(names[:LISTED]) + more) or "nothing"


def first_folder(candidates: Iterable[Path], root: Path, dataset: str) -> Path:
    """The first folder of ``candidates`` that exists.

    :param root: the data set's folder, whose content the message lists
    :param dataset: name of the data set, for the message
    :raises UserError: if there is none
    """
    candidates = list(candidates)
    for folder in candidates:
        if folder.is_dir():
            return folder
    expected = " or ".join(str(folder) for folder in candidates)
    raise UserError(f"{dataset} expects the folder {expected}; {root} {contents(root)}")


def chosen(scenes: Sequence[str] | None, present: Sequence[str], where: Path) -> list[str]:
    """The frames to read: ``scenes`` in their order, or all that are ``present``.

    :param where: folder or list the frames are from, for the message
    :raises UserError: if some are missing, or there are none at all
    """
    missing = sorted(set(scenes or ()) - set(present))
    if missing:
        raise UserError(f"{where} lacks the scenes {some(missing)} ({len(present)} scenes are there)")
    if scenes is None and not present:
        raise UserError(f"{where} holds no frame")
    return list(present if scenes is None else scenes)
