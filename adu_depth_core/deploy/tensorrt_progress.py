"""The builder's own progress, shown as nested progress bars."""

from __future__ import annotations

from typing import Any

from rich.progress import Progress


def build_monitor(trt: Any, bar: Progress, name: str) -> Any:
    """A ``trt.IProgressMonitor`` with one bar a phase; setting its ``cancelled`` stops the build.

    :param bar: where to show the phases
    :param name: what is being built
    """

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.cancelled = False
            self._tasks: dict[str, Any] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            text = f"{name}: {phase_name}" if parent_phase is None else f"  {phase_name}"
            self._tasks[phase_name] = bar.add_task(text, total=num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name in self._tasks:
                bar.update(self._tasks[phase_name], completed=step + 1)
            return not self.cancelled

        def phase_finish(self, phase_name: str) -> None:
            task = self._tasks.pop(phase_name, None)
            if task is None:
                return
            if self._tasks:
                bar.remove_task(task)
            else:  # the outermost phase stays, as the record of how long it took
                bar.update(task, completed=bar.tasks[0].total)

    return Monitor()
