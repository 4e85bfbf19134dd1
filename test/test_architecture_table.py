"""The table in docs/architecture.md: the exact imports of each package, and its layer.

The layers are import-linter's contract in pyproject.toml, which ``test_import_rules.py`` runs.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = "adu_depth_core"
EVERYWHERE = {"numpy"}
NAMES = {"OpenCV": "cv2", "PyYAML": "yaml"}
"""Package names in the table that differ from the module name."""

MESSAGES = re.compile(r".*_(msgs|srvs|interfaces)")


def table() -> list[tuple[int, str, str]]:
    """Layer, first column and last column of each row of the table."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d) \| (`[^|]*`) \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    return [(int(layer), paths, imports.strip()) for layer, paths, imports in found]


def rows() -> dict[str, set[str]]:
    """Imports listed in the table, by folder; packages of the core as ``core.NAME``."""
    found = {}
    for _, paths, imports in table():
        folder = paths.strip("`").removesuffix("/")
        if "." in folder:  # a module
            continue
        named = {name.strip() for name in imports.split(",") if name.strip()}
        packages = {f"core.{name.strip('`')}" for name in named if name.startswith("`")}
        found[folder] = packages | {NAMES.get(name, name) for name in named if not name.startswith("`")}
    return found


def imported(folder: Path) -> set[str]:
    """Other packages of the core and third-party ones that modules below ``folder`` import or ``require``."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require" and node.args:
                found |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    packages = {path.name for path in (ROOT / CORE).iterdir() if (path / "__init__.py").is_file()}
    named = set()
    for name in found:
        package, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if package == CORE:
            named |= {f"core.{part}"} if part in packages else {CORE}
        elif package not in sys.stdlib_module_names and package != "adu_depth_ros":
            named.add("messages" if MESSAGES.fullmatch(package) else package)
    return named - EVERYWHERE - {CORE, f"core.{folder.name}"}


def test_every_package_is_in_the_table():
    packages = {f"{CORE}/{path.parent.name}" for path in (ROOT / CORE).glob("*/__init__.py")}
    assert set(rows()) == {*packages, "adu_depth_ros"}


def test_the_layers_of_the_table_are_those_of_the_contract():
    """From the top: the node, a package of its own, then the layers of the core."""
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    configuration = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    (contract,) = (c for c in contracts if c["type"] == "layers" and c["containers"] == [CORE])
    expected = [
        {"adu_depth_ros"},
        *({n.strip() for n in re.split("[|:]", line)} for line in contract["layers"]),
    ]
    layers: dict[int, set[str]] = {}
    for layer, paths, _ in table():
        names = {name.removeprefix(f"{CORE}/") for name in re.findall(r"`([\w/.]+)`", paths)}
        layers.setdefault(layer, set()).update(name.strip("/").removesuffix(".py") for name in names)
    assert list(layers) == sorted(layers, reverse=True)
    assert list(layers.values()) == expected
    assert contract["exhaustive"]


@pytest.mark.parametrize("folder", sorted(rows()))
def test_a_package_imports_what_the_table_says(folder):
    named, actual = rows()[folder], imported(ROOT / folder)
    if folder == "adu_depth_ros":
        actual = {name for name in actual if not name.startswith("core.")} | {"core.*"}
    assert sorted(actual - named) == [], "imported, but not in the table"
    # A package with several possible names does not appear as a literal in the code.
    assert sorted(name for name in named - actual if name.startswith("core.")) == [], "in the table only"


def test_no_two_modules_have_one_name():
    """Except for sub-commands, which are named after what they call."""
    names: dict[str, list[str]] = {}
    for package in (CORE, "adu_depth_ros"):
        for path in (ROOT / package).rglob("*.py"):
            if not path.stem.startswith("__") and path.parent.name != "commands":
                names.setdefault(path.name, []).append(path.relative_to(ROOT).as_posix())
    assert [paths for paths in names.values() if len(paths) > 1] == []


def test_folders_of_tests_are_those_of_the_packages():
    for package in (CORE, "adu_depth_ros"):
        tests = {
            path.parent.relative_to(ROOT / "test") for path in (ROOT / "test" / package).rglob("test_*.py")
        }
        assert [
            str(folder) for folder in sorted(tests) if not (ROOT / folder / "__init__.py").is_file()
        ] == []
