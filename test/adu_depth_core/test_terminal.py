"""Text from users and files is printed verbatim, never parsed as rich markup."""

import re
from pathlib import Path

import pytest
from rich.table import Table

import adu_depth_core
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console

NAMES = ["[bold]", "[/]", "[red]x[/red]", ":key:", "a [1] b", "\\[x]", "[link=file:///]y"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_as_they_are(name, capsys):
    table = Table("metric", title=f"title {name}")
    table.add_column(f"column {name}")
    table.add_row("row", f"cell {name}")
    plain_console().print(table)
    plain_console().print(f"line {name}")
    with progress_bar() as bar:
        list(bar.track([1], description=f"task {name}"))
    shown = "".join(capsys.readouterr())
    for place in ("title", "column", "cell", "line", "task"):
        assert f"{place} {name}" in shown


def test_every_console_is_a_plain_one():
    root = Path(adu_depth_core.__file__).parent.parent
    sources = [p for folder in ("adu_depth_core", "adu_depth_ros") for p in (root / folder).rglob("*.py")]
    made = [p.name for p in sources if re.search(r"\b(Console|RichHandler)\(", p.read_text(encoding="utf-8"))]
    assert made == ["terminal.py"]
