"""Engines built on demand and kept: one for each ONNX, TensorRT, GPU, precision, shape and set of options."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.tensorrt_build import build_engine, precision_of, read_student_onnx
from adu_depth_core.deploy.tensorrt_progress import BuildProgress, Phase, Watcher
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_folder_writable
from adu_depth_core.inference.tensorrt.api import load_flavour
from adu_depth_core.inference.tensorrt.engine_file import engine_card
from adu_depth_core.model_card import ModelCard, card_path

logger = logging.getLogger(__name__)


def default_folder() -> Path:
    """``$XDG_CACHE_HOME/adu_depth/engines``, by default in ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adu_depth" / "engines"


@dataclass(frozen=True)
class Identity:
    """Identity of an engine. Fields in the order in which a difference is reported.

    :param onnx_sha256: content of the ONNX
    :param flavour: ``tensorrt`` or ``tensorrt_rtx``
    :param version: its version
    :param gpu: name and compute capability it is for
    :param precision: ``fp32``, ``fp16`` or ``int8``
    :param shapes: input sizes and batches asked for
    :param options: the other options of the build
    """

    onnx_sha256: str
    flavour: str
    version: str
    gpu: dict[str, str | None]
    precision: str
    shapes: dict[str, Any]
    options: dict[str, Any]

    def key(self) -> str:
        """Short name of it, for a file's name."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def difference(self, found: dict[str, Any]) -> str:
        """Differences from another engine's card entry, in words; empty without any.

        :param found: ``Identity`` as ``dataclasses.asdict`` gives it
        """
        names = {"onnx_sha256": "another ONNX", "flavour": "another TensorRT", "version": "another TensorRT"}
        for name, ours in dataclasses.asdict(self).items():
            if (theirs := found.get(name)) != ours:
                return f"{names.get(name, f'another {name}')} ({_short(theirs)}, wanted {_short(ours)})"
        return ""


def identify(onnx: Path, options: BuildOptions) -> Identity:
    """Identity of an ONNX's engine for this machine, or for the GPU given by the options.

    :raises UserError: if the ONNX or its card is missing or damaged, or there is no GPU and none is named
    """
    card = read_student_onnx(onnx)
    flavour = load_flavour(options.flavour)
    options.check_flavour(flavour)
    return Identity(
        onnx_sha256=card.files[onnx.name],
        flavour=flavour.name,
        version=flavour.version,
        gpu=options.gpu(flavour),
        precision=precision_of(card),
        shapes={"sizes": [list(size) for size in options.sizes], "batch": list(options.batch)},
        options=options.facts(),
    )


class EngineCache:
    """A folder of engines.

    :param folder: None for ``default_folder()``
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def engine(
        self,
        onnx: Path,
        options: BuildOptions,
        watch: Watcher | None = None,
        on_build: Callable[[Path], None] = lambda path: None,
    ) -> Path:
        """The engine of an ONNX: the kept one, or a new one.

        A kept file that is damaged, not what its name says, or foreign is named in the log and
        rebuilt. Of two processes that want the same engine one builds, the other waits.

        :param watch: see ``build_engine``
        :param on_build: called with the engine's path before a build
        :raises UserError: as ``identify`` and ``build_engine``, or if the folder cannot be written
        """
        wanted = identify(onnx, options)
        path = self.folder / f"{onnx.stem}-{wanted.key()}.engine"
        if not self._problem(path, wanted):
            return path
        check_folder_writable(self.folder)
        with _lock(path.with_suffix(".lock"), watch):
            problem = self._problem(path, wanted)
            if not problem:
                return path  # another process has built it meanwhile
            if path.exists():
                logger.warning("%s in the engine cache is rebuilt: %s", path, problem)
            for stale, reason in self._stale(onnx, path, wanted):
                logger.warning("%s in the engine cache is not used: it is of %s; delete it", stale, reason)
            on_build(path)
            if not load_flavour(wanted.flavour).compiles_at_run_time:
                options = dataclasses.replace(options, timing_cache=self.folder / "timing.cache")
            card = build_engine(onnx, path, options, watch)
            entry = {"cache": dataclasses.asdict(wanted)}
            dataclasses.replace(card, extra={**card.extra, **entry}).write(card_path(path))
        return path

    def _problem(self, path: Path, wanted: Identity) -> str:
        """Reason why a file is not the requested engine; empty if it is."""
        if not path.exists():
            return "there is none"
        try:
            return wanted.difference(_entry(engine_card(path)))
        except UserError as error:
            return str(error)

    def _stale(self, onnx: Path, path: Path, wanted: Identity) -> Iterator[tuple[Path, str]]:
        """Engines of a model of this name that an update of the model or of TensorRT has made useless."""
        for other in sorted(self.folder.glob(f"{onnx.stem}-*.engine")):
            if other == path:
                continue
            with contextlib.suppress(UserError):
                found = _entry(engine_card(other))
                updated = {n: found.get(n) for n in ("onnx_sha256", "version")}
                if updated != {n: getattr(wanted, n) for n in updated}:
                    same = {**dataclasses.asdict(wanted), **updated}
                    if all(found.get(name) == value for name, value in same.items()):
                        yield other, wanted.difference(found)


def _entry(card: ModelCard) -> dict[str, Any]:
    return card.extra.get("cache", {})


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:12] + "..." if len(text) == 64 else text


@contextlib.contextmanager
def _lock(path: Path, watch: Watcher | None) -> Iterator[None]:
    """Hold an inter-process lock, which the system releases when its process ends."""
    waiting = BuildProgress()
    waiting.put(Phase("waiting for another process that builds it", 0, 1))
    with open(path, "w", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if watch is not None:
                    watch(waiting)
                time.sleep(0.1)
        yield
