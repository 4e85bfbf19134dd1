"""One process at a time writes a path, and remains of a killed one are cleaned up."""

import errno
import fcntl
import signal
import subprocess
import sys
import threading
import time

import pytest

from adu_depth_core import partial_folder
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically

WRITER = """
import sys
from pathlib import Path
from adu_depth_core.files import write_atomically
with write_atomically(Path(sys.argv[1])) as temporary:
    temporary.mkdir()
    (temporary / "half").write_text("theirs")
    print("writing", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def start_writer():
    """Starts a process that writes a folder until it reads a line; returns once it is writing."""
    started = []

    def start(path):
        command = [sys.executable, "-c", WRITER, str(path)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert started[-1].stdout.readline() == b"writing\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        with process:
            pass


def end(process):
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.wait(60) == 0


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path, **options):
    with write_atomically(path, **options) as temporary:
        temporary.mkdir()
        (temporary / "whole").write_text("ours")


def test_a_second_writer_is_refused_and_the_first_ends_well(tmp_path, start_writer):
    first = start_writer(tmp_path / "report")
    with pytest.raises(UserError, match=r"report is being written by another process"):
        write(tmp_path / "report")
    end(first)
    assert names(tmp_path) == ["report"]
    assert names(tmp_path / "report") == ["half"]


def test_a_short_write_of_another_is_waited_for(tmp_path, start_writer, monkeypatch):
    monkeypatch.setattr(partial_folder, "PATIENCE_S", 60)
    first = start_writer(tmp_path / "report")
    ending = threading.Timer(0.3, end, [first])
    ending.start()
    write(tmp_path / "report")
    ending.join()
    assert names(tmp_path) == ["report"]
    assert names(tmp_path / "report") == ["whole"]


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, start_writer):
    killed = start_writer(tmp_path / "report")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert names(tmp_path) == [".report.lock", ".report.partial"]
    write(tmp_path / "report")
    assert names(tmp_path) == ["report"]
    assert names(tmp_path / "report") == ["whole"]


def test_what_may_not_be_replaced_is_not_even_if_it_came_meanwhile(tmp_path):
    write(tmp_path / "report", replace=False)
    with pytest.raises(UserError, match="report exists already"):
        write(tmp_path / "report", replace=False)

    def overtaken():
        with write_atomically(tmp_path / "other", replace=False) as temporary:
            temporary.mkdir()
            (tmp_path / "other").mkdir()

    with pytest.raises(UserError, match="other exists already"):
        overtaken()
    assert names(tmp_path) == ["other", "report"]


def test_many_writers_of_a_file_follow_one_another(tmp_path):
    """The lock file is removed repeatedly: no process may hold a deleted one."""
    script = (
        "import sys; from adu_depth_core import partial_folder; partial_folder.PATIENCE_S = 60\n"
        "from adu_depth_core.files import write_atomically\n"
        "for i in range(150):\n"
        "    with write_atomically(sys.argv[1]) as temporary:\n"
        "        temporary.write_text(sys.argv[2] * 9)\n"
    )
    path = tmp_path / "card.json"
    processes = [subprocess.Popen([sys.executable, "-c", script, str(path), letter]) for letter in "abc"]
    while any(process.poll() is None for process in processes):
        if path.exists():
            assert path.read_text() in {letter * 9 for letter in "abc"}
        time.sleep(0.001)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert names(tmp_path) == ["card.json"]


def test_where_the_file_system_has_no_locks_files_are_written_nevertheless(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSYS, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    write(tmp_path / "report")
    assert names(tmp_path) == ["report"]
