"""Progress of all commands: done of total, rate, time left."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from adu_depth_core.terminal import plain_console

LINE_EVERY_S = 10.0
"""Time between two lines where there is no terminal."""


class RateColumn(ProgressColumn):
    """Steps per second."""

    def __init__(self, unit: str) -> None:
        super().__init__(Column(no_wrap=True))
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} {self._unit}/s", style="progress.data.speed")


class ProgressLines(Progress):
    """Progress as lines of text, for log files: one now and then, and one for each task at the end."""

    def __init__(self, unit: str) -> None:
        # No live display, and no thread that would refresh it.
        super().__init__(console=plain_console(stderr=True), disable=True, auto_refresh=False)
        self._unit = unit
        self._began: dict[TaskID, float] = {}
        self._told: dict[TaskID, float] = {}

    def add_task(self, *arguments: Any, **options: Any) -> TaskID:
        task = super().add_task(*arguments, **options)
        self._began[task] = self._told[task] = time.monotonic()
        return task

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._tell_now_and_then(task_id)

    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        self._tell_now_and_then(task_id)

    def stop(self) -> None:
        for task in self.task_ids:
            elapsed = time.monotonic() - self._began[task]
            self._print(task, f"{timedelta(seconds=round(elapsed))} elapsed")

    def _tell_now_and_then(self, task: TaskID) -> None:
        now = time.monotonic()
        if now - self._told[task] < LINE_EVERY_S:
            return
        self._told[task] = now
        done, total = self._tasks[task].completed, self._tasks[task].total
        left = ""
        if total and done:
            left = f"{timedelta(seconds=round((now - self._began[task]) * (total - done) / done))} left"
        self._print(task, left)

    def _print(self, task_id: TaskID, time_: str) -> None:
        task = self._tasks[task_id]
        count = f"{task.completed:.0f}" + ("" if task.total is None else f"/{task.total:.0f}")
        rate = task.completed / max(1e-3, time.monotonic() - self._began[task_id])
        parts = [f"{count} {self._unit}", f"{rate:.1f} {self._unit}/s", *filter(None, [time_])]
        self.console.print(f"{task.description}: {', '.join(parts)}", soft_wrap=True)


def progress_bar(unit: str = "frames") -> Progress:
    """Progress on standard error that counts ``unit``: a bar, or lines where there is no terminal.

    A context manager.
    """
    console = plain_console(stderr=True)
    if not console.is_terminal:
        return ProgressLines(unit)
    return Progress(
        TextColumn("{task.description}", markup=False),
        # The one column that gives way where the line is longer than the terminal is wide.
        BarColumn(bar_width=None, table_column=Column(max_width=20)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        RateColumn(unit),
        TimeElapsedColumn(Column(no_wrap=True)),
        TextColumn("elapsed"),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("left"),
        console=console,
    )
