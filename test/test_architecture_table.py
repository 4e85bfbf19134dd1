"""The table of rooms in docs/architecture.md says what each imports: all of it, and nothing else."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = "adu_depth_core"
EVERYWHERE = {"numpy"}
NAMES = {"OpenCV": "cv2", "PyYAML": "yaml"}
"""What packages are called in the table, where it is not their module's name."""

MESSAGES = re.compile(r".*_(msgs|interfaces)")


def rows() -> dict[str, set[str]]:
    """Rooms and packages that the table names, by folder; rooms as ``core.NAME``."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = {}
    for folder, imports in re.findall(r"^\| `(\S+)/` \|.*\| ([^|]*) \|$", text, re.MULTILINE):
        named = {name.strip() for name in imports.split(",") if name.strip()}
        rooms = {f"core.{name.strip('`')}" for name in named if name.startswith("`")}
        found[folder] = rooms | {NAMES.get(name, name) for name in named if not name.startswith("`")}
    return found


def imported(folder: Path) -> set[str]:
    """Other rooms and third-party packages that modules below ``folder`` import or ``require``."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require" and node.args:
                found |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    rooms = {path.name for path in (ROOT / CORE).iterdir() if (path / "__init__.py").is_file()}
    named = set()
    for name in found:
        package, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if package == CORE:
            named |= {f"core.{room}"} if room in rooms else {CORE}
        elif package not in sys.stdlib_module_names and package != "adu_depth_ros":
            named.add("messages" if MESSAGES.fullmatch(package) else package)
    return named - EVERYWHERE - {CORE, f"core.{folder.name}"}


def test_every_room_is_in_the_table():
    rooms = {f"{CORE}/{path.parent.name}" for path in (ROOT / CORE).glob("*/__init__.py")}
    assert set(rows()) == {*rooms, "adu_depth_ros"}


@pytest.mark.parametrize("folder", sorted(rows()))
def test_a_room_imports_what_the_table_says(folder):
    named, actual = rows()[folder], imported(ROOT / folder)
    if folder == "adu_depth_ros":
        actual = {name for name in actual if not name.startswith("core.")} | {"core.*"}
    assert sorted(actual - named) == [], "imported, but not in the table"
    # A package that is looked for under a name of several is no literal in the code.
    assert sorted(name for name in named - actual if name.startswith("core.")) == [], "in the table only"
