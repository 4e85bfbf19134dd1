"""Ruff's rules, chosen in pyproject.toml, and those of prose_rules.yml hold for the whole repository."""

import ast
import functools
import importlib.util
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_code_is_clean(command):
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    found = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


CODE = ("adu_depth_core", "adu_depth_ros", "benchmarks", "launch", "scripts", "setup.py")
TEXTS = ("*.md", "*.rst", "docs/*.md", "config/*.yaml", "config/training/*.yaml", "Makefile")


@functools.cache
def rules():
    """Pattern of unwanted wording, and what to write instead."""
    yaml = pytest.importorskip("yaml")
    listed = yaml.safe_load((ROOT / "test" / "prose_rules.yml").read_text(encoding="utf-8"))
    spaced = ((rule["pattern"].replace(" ", r"\s+"), rule["instead"]) for rule in listed)
    return [
        (re.compile(rf"(?<![\w-]){pattern}(?![\w-])", re.IGNORECASE), instead) for pattern, instead in spaced
    ]


def python_files():
    for name in CODE:
        path = ROOT / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def prose(source):
    """Line and text of each comment block, docstring and message in Python source."""
    comments = [
        (token.start[0], token.string.lstrip("# "))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    blocks = []
    for line, text in comments:
        if blocks and blocks[-1][1] == line - 1:
            blocks[-1] = (blocks[-1][0], line, f"{blocks[-1][2]} {text}")
        else:
            blocks.append((line, line, text))
    yield from ((first, text) for first, _, text in blocks)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def found(path, line, text):
    return [
        f"{path.relative_to(ROOT)}:{line + text.count(chr(10), 0, match.start())}: '{match[0]}': write "
        f"'{instead}'"
        for pattern, instead in rules()
        for match in pattern.finditer(text)
    ]


def test_prose_has_the_wording_of_the_field():
    faults = []
    for path in sorted({path for pattern in TEXTS for path in ROOT.glob(pattern)}):
        faults += found(path, 1, path.read_text(encoding="utf-8"))
    for path in python_files():
        for line, text in prose(path.read_text(encoding="utf-8")):
            faults += found(path, line, text)
    assert not faults, "\n".join(faults)


def test_prose_check_finds_unwanted_wording_in_every_kind_of_text():
    source = '"""Nobody\nlistens."""\n# a fault that a user\n# can mend\nraise ValueError("build it anew")\n'
    matches = [match for line, text in prose(source) for match in found(ROOT / "x.py", line, text)]
    assert sorted(match.split(": write")[0] for match in matches) == [
        "x.py:1: 'Nobody\nlistens'",
        "x.py:3: 'mend'",
        "x.py:5: 'anew'",
    ]


def test_prose_of_docstrings_begins_with_a_noun_or_a_verb():
    """Attribute docstrings too: any string that is a statement."""
    question = re.compile(r"(What|Whether|Which|How|Where|Why|When|Who)\b")
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value.value.splitlines()[0]}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and question.match(node.value.value)
    ]
    assert not faults, "\n".join(faults)
