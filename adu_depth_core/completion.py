"""Shell completion of the command line, by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adu_depth_core.errors import require

SHELLS = ("bash", "zsh", "tcsh")

OFFERED = "_adu_depth_words_or_file"
"""Shell function that completes the words that ``offer`` was given, and files."""


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that a shell sources to complete a program's arguments.

    :param parser: with all sub-commands and their arguments; arguments of type Path are completed as files
    :param shell: one of ``SHELLS``
    :raises UserError: if shtab is not installed
    """
    shtab = require("shtab", "completion", "to write a completion script")
    preamble: dict[str, str] = {}
    for action in _actions(parser):
        if words := getattr(action, "offered", None):
            action.complete = _words_or_file(words)  # type: ignore[attr-defined]  # shtab reads it
            preamble = _preamble(words)
        elif action.type is Path or action.dest == "inputs":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return shtab.complete(parser, shell, preamble=preamble)


def offer(action: argparse.Action, words: Sequence[str]) -> None:
    """Complete an argument that takes one of some words or a file. All arguments offer the same words."""
    action.offered = tuple(words)  # type: ignore[attr-defined]


def _words_or_file(words: Sequence[str]) -> dict[str, str]:
    return {"bash": OFFERED, "zsh": OFFERED, "tcsh": f"`echo {' '.join(words)} *`"}


def _preamble(words: Sequence[str]) -> dict[str, str]:
    """Definitions of the shell function; tcsh has none."""
    listed = " ".join(words)
    return {
        "bash": f'{OFFERED}() {{ compgen -W "{listed}" -- "$1"; compgen -f -- "$1"; }}',
        "zsh": f"{OFFERED}() {{ _alternative 'words::({listed})' 'files::_files' }}",
    }


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
