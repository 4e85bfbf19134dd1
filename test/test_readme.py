"""README's code runs, its links lead somewhere, and its commands are those that there are."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from adu_depth_core.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def commands():
    """Lines that call ``adu_depth``, as words."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    indented = re.findall(r"^    (adu_depth (?:.*\\\n)*.*)", TEXT, re.MULTILINE)
    called = [line for line in [*lines, *indented] if line.startswith("adu_depth ")]
    return [shlex.split(line.replace("\\\n", " "), comments=True) for line in called]


def test_the_example_predicts(tmp_path, shipped_model):
    pytest.importorskip("openvino")
    (code,) = blocks("python")
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((375, 1242, 3), 90, np.uint8))
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"\d+\.\d m, one sigma \d+\.\d m\n", result.stdout)


def test_files_that_are_linked_exist():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert len(links) > 8
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_all_commands_are_there():
    assert len(commands()) > 10
    assert [words for words in commands() if words[1] not in COMMANDS] == []


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_command_line_knows_every_option(words, capsys):
    """With an option that nobody has at the end: it alone is named."""
    with pytest.raises(SystemExit) as exit_:
        main([*words[1:], "--no-such-option"])
    assert exit_.value.code == 2
    assert "unrecognized arguments: --no-such-option\n" in capsys.readouterr().err
