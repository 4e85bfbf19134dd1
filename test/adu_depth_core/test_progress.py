"""Progress with count, rate and time left: a bar on a terminal, periodic lines elsewhere."""

import io
import re

import pytest
from rich.console import Console

from adu_depth_core import progress as module
from adu_depth_core.progress import progress_bar


def on_terminal(monkeypatch, width=100):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=width, markup=False, emoji=False)
    monkeypatch.setattr(module, "plain_console", lambda stderr: console)
    return text


def test_on_a_terminal_the_time_left_stands_before_its_name(monkeypatch):
    text = on_terminal(monkeypatch)
    with progress_bar("images") as progress:
        task = progress.add_task("predict", total=100)
        progress.update(task, completed=10)
        progress.refresh()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.getvalue())
    assert re.search(r"10/100 .*\d:\d\d:\d\d elapsed.* (-:--:--|\d:\d\d:\d\d) left", plain)


def test_the_bar_gives_way_on_a_narrow_terminal(monkeypatch):
    text = on_terminal(monkeypatch, width=80)
    with progress_bar() as progress:
        task = progress.add_task("Evaluating kitti2015_more", total=18)
        for _ in range(3):
            progress.advance(task, 6)
        progress.refresh()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.getvalue())
    last = re.split(r"[\r\n]+", plain.strip())[-1]
    assert "18/18" in last
    assert re.search(r"frames/s 0:00:00 elapsed .* left$", last)


@pytest.fixture
def clock(monkeypatch):
    """A clock in seconds, advanced by hand."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_elsewhere_a_line_is_written_every_ten_seconds_and_at_the_end(capsys, clock):
    with progress_bar("images") as progress:
        task = progress.add_task("predict", total=100)
        for _ in range(100):
            clock[0] += 0.25
            progress.advance(task)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "predict: 40/100 images, 4.0 images/s, 0:00:15 left",
        "predict: 80/100 images, 4.0 images/s, 0:00:05 left",
        "predict: 100/100 images, 4.0 images/s, 0:00:25 elapsed",
    ]


def test_so_it_is_for_what_is_tracked_and_without_a_total(capsys, clock):
    with progress_bar() as progress:
        task = progress.add_task("read", total=None)
        clock[0] += 20.0
        progress.update(task, completed=5)
        for _ in progress.track(range(3), description="write"):
            clock[0] += 1.0
    assert capsys.readouterr().err.splitlines() == [
        "read: 5 frames, 0.2 frames/s",
        "read: 5 frames, 0.2 frames/s, 0:00:23 elapsed",
        "write: 3/3 frames, 1.0 frames/s, 0:00:03 elapsed",
    ]


def test_what_is_printed_meanwhile_stands_between_the_lines(capsys, clock):
    with progress_bar() as progress:
        task = progress.add_task("predict", total=2)
        clock[0] += 11.0
        progress.advance(task)
        progress.console.print("error: b.png")
        progress.advance(task)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["predict", "error", "predict"]
