"""Shell completion of the command line, by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adu_depth_core.errors import require

SHELLS = ("bash", "zsh", "tcsh")


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that a shell sources to complete a program's arguments.

    :param parser: with all sub-commands and their arguments; arguments of type Path are completed as files
    :param shell: one of ``SHELLS``
    :raises UserError: if shtab is not installed
    """
    shtab = require("shtab", "completion", "to write a completion script")
    for action in _actions(parser):
        if action.type is Path or action.dest == "inputs":
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads it
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for sub_parser in action.choices.values():
                yield from _actions(sub_parser)


class PrintCompletion(argparse.Action):
    """Prints the script for the given shell, and exits.

    :param build: makes the parser with all sub-commands; called only then
    """

    def __init__(self, *arguments: Any, build: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._build = build

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,
    ) -> None:
        print(completion_script(self._build(), values))
        parser.exit()
