"""Shell commands in the documentation pages: those in fenced ``sh`` blocks and in indented blocks."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"\n\n((?:    [^\n]*\n|\n(?=    ))+)")
ASSIGNMENT = re.compile(r"\w+=(?!\$\()")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    :param page: its file name
    :param words: split as by a shell, without comments and variables set for it alone
    """

    page: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def blocks(page: Path) -> list[str]:
    """Fenced ``sh`` blocks and indented blocks, as typed."""
    text = page.read_text(encoding="utf-8")
    fenced = [block for language, block in FENCED.findall(text) if language == "sh"]
    text = re.sub(r"<!--.*?-->", "", FENCED.sub("", text), flags=re.DOTALL)
    # In list items they are indented twice.
    return fenced + [textwrap.dedent(block) for block in INDENTED.findall(text + "\n")]


def commands(page: Path, block: str) -> list[Command]:
    """The commands of a block, in order; parts joined by ``&&`` are commands of their own."""
    found = []
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.split(line.replace("…", ""), comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            part, words = words[:end], words[end + 1 :]
            while len(part) > 1 and ASSIGNMENT.match(part[0]):
                part = part[1:]
            if part:
                found.append(Command(page.name, tuple(part)))
    return found


def inline(page: Path) -> list[Command]:
    """Calls of ``adu_depth`` within sentences."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return [
        Command(page.name, tuple(shlex.split(span)))
        for span in re.findall(r"(?<!`)`(adu_depth [^`\n]+)`", text)
    ]
