"""The builder's own progress, and ways to watch it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress


@dataclass(frozen=True)
class Phase:
    """One phase of a build that is going on.

    :param name: TensorRT's name of it
    :param done: steps done
    :param total: steps in all
    """

    name: str
    done: int
    total: int


class BuildProgress:
    """Progress of the builder: written by its thread, read by any. Setting ``cancelled`` stops it."""

    def __init__(self) -> None:
        self.cancelled = False
        self._lock = threading.Lock()
        self._phases: dict[str, Phase] = {}

    def phases(self) -> list[Phase]:
        """The phases under way, the outermost first."""
        with self._lock:
            return list(self._phases.values())

    def describe(self) -> str:
        """Such as ``Building engine 3/6, Tactic Selection 40/120``."""
        return ", ".join(f"{p.name} {p.done}/{p.total}" for p in self.phases()) or "at work"

    def put(self, phase: Phase) -> None:
        with self._lock:
            self._phases[phase.name] = phase

    def end(self, name: str) -> None:
        with self._lock:
            self._phases.pop(name, None)


Watcher = Callable[[BuildProgress], None]
"""Called about ten times a second in the thread that waits for the build; what it raises stops the build."""


def build_monitor(trt: Any, progress: BuildProgress) -> Any:
    """A ``trt.IProgressMonitor`` that keeps ``progress`` up to date and stops when that is cancelled."""

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._totals: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._totals[phase_name] = num_steps
            progress.put(Phase(phase_name, 0, num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            progress.put(Phase(phase_name, step + 1, self._totals.get(phase_name, step + 1)))
            return not progress.cancelled

        def phase_finish(self, phase_name: str) -> None:
            progress.end(phase_name)

    return Monitor()


def show_on(bar: Progress, name: str) -> Watcher:
    """A watcher that shows the phases as nested bars; the outermost stays, as the record of its time.

    :param bar: a running progress display
    :param name: name of the engine being built
    """
    tasks: dict[str, Any] = {}

    def watch(progress: BuildProgress) -> None:
        phases = {phase.name: phase for phase in progress.phases()}
        for number, phase in enumerate(phases.values()):
            if phase.name not in tasks:
                text = f"  {phase.name}" if number else f"{name}: {phase.name}"
                tasks[phase.name] = bar.add_task(text, total=phase.total)
            bar.update(tasks[phase.name], completed=phase.done, total=phase.total)
        for ended in [n for n in tasks if n not in phases]:
            task = tasks[ended]
            if task == bar.tasks[0].id:
                bar.update(task, completed=bar.tasks[0].total)
            else:
                bar.remove_task(tasks.pop(ended))

    return watch
