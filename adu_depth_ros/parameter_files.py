"""``python -m adu_depth_ros.parameter_files``: write the files generated from the parameters' declaration.

``config/depth_node.yaml`` and the table in ``docs/node.md``, in a checkout. ``--check`` only compares.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

from adu_depth_core.files import write_atomically
from adu_depth_ros.parameters import CONFIGURE, FRAME, RELOAD, START, Parameters

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- parameters: made by python -m adu_depth_ros.parameter_files -->", "<!-- end -->"
TYPES = {str: "string", int: "int", float: "double", bool: "bool", tuple: "string[]"}
WIDTH = 110
DEFAULTS = Parameters()

HEAD = """\
# Parameters of depth_node, with their defaults. Copy this file, change the copy, and start with
#   ros2 launch adu_depth depth.launch.py params_file:=my_depth_node.yaml
# or
#   ros2 run adu_depth depth_node --ros-args --params-file my_depth_node.yaml
# Launch arguments given on the command line override this file.
# Made by `python -m adu_depth_ros.parameter_files`, as the table in docs/node.md is.

# "/**" matches any node name and namespace.
/**:
  ros__parameters:
"""

SECTIONS = {
    RELOAD: "Model: used when the node is configured; a change takes effect with `ros2 service call "
    "/depth_node/reload std_srvs/srv/Trigger`, without losing a frame.",
    CONFIGURE: "Configure: used when the node is configured. To change one while the node is running: "
    "deactivate, cleanup, set, configure, activate.",
    START: "Start: fixed for the life of the process.",
    FRAME: "Run time: `ros2 param set` takes effect with the next frame.",
}

TAIL = """
    # QoS of any topic can be overridden, by its full name, for instance to receive every frame of a bag:
    # qos_overrides:
    #   /image:
    #     subscription:
    #       reliability: reliable   # or best_effort
    #       history: keep_last
    #       depth: 10
"""


def allowed(field: dataclasses.Field[Any]) -> str:
    """The allowed values of a parameter in words; empty if any value of its type is valid."""
    if field.metadata["choices"]:
        return ", ".join(field.metadata["choices"])
    if field.metadata["limits"]:
        return "{:g} to {:g}".format(*field.metadata["limits"])
    return ""


def literal(value: bool | int | float | str | tuple[str, ...]) -> str:
    """A value in YAML syntax."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    return '""' if value == "" else yaml.safe_dump(value).split("\n")[0]


def parameter_file() -> str:
    """``config/depth_node.yaml``."""
    parts = [HEAD]
    for applies, title in SECTIONS.items():
        parts.append("\n" + _comment(title))
        for field in _fields(applies):
            notes = filter(None, (allowed(field), "per camera" if field.metadata["per_camera"] else ""))
            values = "".join(f" ({note})" for note in notes)
            parts.append("\n" + _comment(field.metadata["description"] + values))
            parts.append(f"    {field.name}: {literal(getattr(DEFAULTS, field.name))}\n")
    return "".join([*parts, TAIL])


def table() -> str:
    """The table of ``docs/node.md``."""
    rows = ["| name | type | default | values | when | meaning |", "|---|---|---|---|---|---|"]
    for applies in SECTIONS:
        for field in _fields(applies):
            value = getattr(DEFAULTS, field.name)
            kind, default = TYPES[type(value)], f"`{literal(value)}`"
            when = f"{applies}, per camera" if field.metadata["per_camera"] else applies
            cells = [f"`{field.name}`", kind, default, allowed(field), when]
            rows.append(f"| {' | '.join([*cells, field.metadata['description']])} |")
    return "\n".join(rows)


def documentation(text: str) -> str:
    """A document with the table between its markers regenerated."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def files() -> dict[Path, str]:
    """The expected content of each file."""
    document = ROOT / "docs" / "node.md"
    return {
        ROOT / "config" / "depth_node.yaml": parameter_file(),
        document: documentation(document.read_text(encoding="utf-8")),
    }


def _fields(applies: str) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(Parameters) if field.metadata["applies"] == applies]


def _comment(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="    # ", subsequent_indent="    # ") + "\n"


def main() -> int:
    """Write the files; with ``--check`` the exit status is 1 if one differs."""
    parser = argparse.ArgumentParser(prog="python -m adu_depth_ros.parameter_files", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if a file differs")
    arguments = parser.parse_args()
    if not (ROOT / "docs").is_dir():
        parser.error(f"{ROOT} is not a checkout of adu_depth: it has no docs")
    made = files()
    differing = [path for path in made if path.read_text(encoding="utf-8") != made[path]]
    for path in differing:
        print(f"{path} {'differs' if arguments.check else 'written'}")
        if not arguments.check:
            with write_atomically(path) as temporary:
                temporary.write_text(made[path], encoding="utf-8")
    return 1 if arguments.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
