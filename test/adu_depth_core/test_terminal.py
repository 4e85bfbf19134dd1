"""Text from users and files is printed verbatim, never parsed as rich markup."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

import adu_depth_core
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console, print_wrapped

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


@pytest.mark.parametrize(
    ("terminal", "printed"), [(True, "  image  /camera (by\n    type, before /b)\n"), (False, None)]
)
def test_long_lines_wrap_between_words_on_terminals_only(terminal, printed):
    text, file = "  image  /camera (by type, before /b)", io.StringIO()
    print_wrapped(
        Console(file=file, force_terminal=terminal, width=22, color_system=None, highlight=False),
        text,
        indent=4,
    )
    assert file.getvalue() == (printed or f"{text}\n")


def test_every_console_is_a_plain_one():
    root = Path(adu_depth_core.__file__).parent.parent
    sources = [p for folder in ("adu_depth_core", "adu_depth_ros") for p in (root / folder).rglob("*.py")]
    made = [p.name for p in sources if re.search(r"\b(Console|RichHandler)\(", p.read_text(encoding="utf-8"))]
    assert made == ["terminal.py"]
