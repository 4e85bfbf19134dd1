"""``adu_depth doctor``: check what this machine supports, and what to install for the rest."""

from __future__ import annotations

import argparse
import dataclasses
import json
from itertools import groupby

from rich.table import Table
from rich.text import Text

import adu_depth_core
from adu_depth_core.commands.model_options import add_model_argument
from adu_depth_core.inference.installation import Check, can_infer, examine
from adu_depth_core.terminal import plain_console

EPILOG = """\
The exit status is 0 if the model is intact and at least one backend predicts with it.

examples:
  adu_depth doctor
  adu_depth doctor --all
  adu_depth doctor --json | python3 -m json.tool
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_model_argument(parser, "--model", help="ONNX student")
    parser.add_argument(
        "--all", action="store_true", help="try every backend, not only until one works; takes some seconds"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")


def run(arguments: argparse.Namespace) -> int:
    with plain_console(stderr=True).status("Checking the installation"):
        checks = examine(arguments.model, arguments.all)
    inference_works = can_infer(checks)
    if arguments.json:
        content = {
            "version": adu_depth_core.__version__,
            "inference_works": inference_works,
            "checks": [dataclasses.asdict(check) for check in checks],
        }
        print(json.dumps(content, indent=2))
    else:
        _print_report(checks, inference_works)
    return 0 if inference_works else 1


def _print_report(checks: list[Check], inference_works: bool) -> None:
    console = plain_console()
    console.print(_table(checks))
    remedies: dict[str, list[str]] = {}
    for check in checks:
        if check.remedy and not check.found:
            remedies.setdefault(check.remedy, []).append(check.name)
    if remedies:
        console.print("\nIf you need what is missing:")
        width = max(map(len, remedies))
        for remedy, names in remedies.items():
            line = Text.assemble(f"  {remedy.ljust(width)}  ", (", ".join(names), "dim"))
            console.print(line, soft_wrap=True)
    if inference_works:
        console.print(Text("\nInference works.", "green"))
    else:
        no = ("\nInference does not work:", "red")
        console.print(Text.assemble(no, " it needs the model and one working backend."))


def _table(checks: list[Check]) -> Table:
    table = Table(title=f"adu_depth {adu_depth_core.__version__}", title_justify="left")
    table.add_column("for")
    table.add_column("what", no_wrap=True)
    table.add_column("")
    table.add_column("found", overflow="fold")
    for group, members in groupby(checks, key=lambda check: check.group):
        for number, check in enumerate(members):
            mark = Text("yes", "green") if check.found else Text("no" if check.tried else "?", "yellow")
            table.add_row("" if number else group, check.name, mark, check.detail)
        table.add_section()
    return table
