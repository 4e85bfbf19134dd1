import importlib
import subprocess
import sys

import pytest

import adu_depth_core
from adu_depth_core.cli import COMMANDS, main


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "adu_depth_core.cli", *arguments], capture_output=True, text=True, timeout=60
    )


def test_help_lists_every_command_with_what_it_does(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, summary in COMMANDS.items():
        assert f"{name} {summary}" in text


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"adu_depth {adu_depth_core.__version__}\n"


def test_an_unknown_command_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["evaluat"])
    assert exit_.value.code == 2
    assert "evaluate" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "evaluate", "make-bag"])
def test_the_help_of_a_command_has_an_example(command, capsys):
    if command == "make-bag":
        pytest.importorskip("rosbags")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert "example" in out
    assert f"adu_depth {command}" in out.partition("example")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_fits_a_terminal_of_80_columns_but_for_examples(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    try:
        importlib.import_module(f"adu_depth_core.commands.{command.replace('-', '_')}")
    except ImportError as error:
        pytest.skip(str(error))
    with pytest.raises(SystemExit):
        main([command, "--help"])
    long = [line for line in capsys.readouterr().out.splitlines() if len(line) > 80]
    assert [line for line in long if not line.lstrip().startswith("adu_depth ")] == []


def test_a_user_error_is_one_line_without_traceback(tmp_path):
    result = run("evaluate", "--dataset", "kitti2015", "--root", str(tmp_path / "nowhere"))
    assert result.returncode == 1
    assert result.stderr.startswith("adu_depth: error: ")
    assert "nowhere" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupt_is_not_a_traceback(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("adu_depth_core.commands.evaluate.run", interrupted)
    assert main(["evaluate", "--dataset", "kitti2015", "--root", "x"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_help_imports_no_inference_runtime_and_no_torch():
    code = (
        "import sys\nfrom adu_depth_core.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('cv2', 'numpy', 'torch', 'openvino', 'onnxruntime') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.splitlines()[-1] == "[]"
