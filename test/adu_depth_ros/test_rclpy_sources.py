"""Names and arguments of rclpy used by the package, checked against distributions without wheels."""

import ast
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = "ADU_DEPTH_ROS_SOURCES"
"""Environment variable: a folder with a checkout of rclpy (docs/development.md)."""


@pytest.fixture(scope="module")
def rclpy_sources() -> Path:
    folder = Path(os.environ.get(SOURCES, ROOT), "rclpy", "rclpy", "rclpy")
    if not folder.is_dir():
        pytest.skip(f"needs the sources of rclpy: set {SOURCES} to the folder of their checkout")
    return folder


def ours():
    """Every AST node of the ROS package and the launch files, with the file name."""
    for folder in ("adu_depth_ros", "launch"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield path.name, node


def defined_in(path: Path) -> set[str]:
    """Names that a module defines or imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def test_every_imported_name_is_there(rclpy_sources):
    imported = [
        (file, node.module, alias.name)
        for file, node in ours()
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rclpy"
        for alias in node.names
    ]
    assert len(imported) > 40
    missing = []
    for file, module, name in imported:
        path = rclpy_sources.joinpath(*module.split(".")[1:])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not path.exists() or name not in defined_in(path):
            missing.append((file, module, name))
    assert missing == []


def test_every_named_argument_is_there(rclpy_sources):
    """Covers calls of any method that shares its name with one of rclpy's, regardless of class."""
    accepted: dict[str, list[tuple[set[str], bool]]] = {}
    for path in rclpy_sources.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names = {argument.arg for argument in node.args.args + node.args.kwonlyargs}
                accepted.setdefault(node.name, []).append((names, node.args.kwarg is not None))
    calls = [
        (file, node.func.attr, {keyword.arg for keyword in node.keywords})
        for file, node in ours()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in accepted
    ]
    assert {"create_node", "create_subscription", "create_timer", "init"} <= {
        method for _, method, _ in calls
    }
    unknown = [
        (file, method, given)
        for file, method, given in calls
        if not any(given <= names or more for names, more in accepted[method])
    ]
    assert unknown == []
