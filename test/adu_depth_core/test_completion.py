"""Shell completion of every command and its options, run by real shells."""

import shutil
import subprocess
import sys

import pytest

from adu_depth_core.cli import COMMANDS, main
from adu_depth_core.inference.installed_models import model_names

pytest.importorskip("shtab")


def script(capsys, shell):
    with pytest.raises(SystemExit) as exit_:
        main(["--print-completion", shell])
    assert exit_.value.code == 0
    return capsys.readouterr().out


def completed(text, line, folder):
    """Completions that bash offers at the end of a line."""
    words = line.split(" ")
    code = f"""{text}
COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
COMP_CWORD={len(words) - 1}
_shtab_adu_depth
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    result = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=folder, timeout=20)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_choices_and_files(capsys, tmp_path):
    text = script(capsys, "bash")
    (tmp_path / "photo.jpg").touch()
    assert set(COMMANDS) <= set(completed(text, "adu_depth ", tmp_path))
    assert completed(text, "adu_depth pred", tmp_path) == ["predict"]
    assert "--max-relative-sigma" in completed(text, "adu_depth predict --max", tmp_path)
    assert "openvino" in completed(text, "adu_depth predict --backend openv", tmp_path)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_offers_the_installed_models_and_files(capsys, tmp_path):
    text = script(capsys, "bash")
    (tmp_path / "mine.onnx").touch()
    for start in ("predict --model ", "evaluate-bag drive --model ", "benchmark ", "build-engine --onnx "):
        assert {*model_names(), "mine.onnx"} <= set(completed(text, f"adu_depth {start}", tmp_path)), start
    assert completed(text, "adu_depth predict --model sm", tmp_path) == ["small"]
    assert completed(text, "adu_depth predict --model mi", tmp_path) == ["mine.onnx"]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_offer_them_too(capsys, shell):
    assert f"{' '.join(model_names())}" in script(capsys, shell)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_reads_its_script(capsys):
    result = subprocess.run(["zsh", "-n"], input=script(capsys, "zsh"), text=True, capture_output=True)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_every_shell_has_a_script(capsys, shell):
    text = script(capsys, shell)
    for name in COMMANDS:
        assert name in text


def test_without_shtab_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == 1
    assert "pip install 'adu_depth[completion]'" in capsys.readouterr().err


def test_an_unknown_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--print-completion", "fish"])
    assert exit_.value.code == 2
