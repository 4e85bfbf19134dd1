"""Terminal output that prints text from users and files verbatim."""

from __future__ import annotations

import textwrap

from rich.console import Console


def plain_console(stderr: bool = False) -> Console:
    """A rich console that takes no text for markup: a model may be called ``[bold]``, a frame ``:key:``.

    What is to be styled is a ``rich.text.Text``.
    """
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_wrapped(console: Console, text: str, indent: int = 0) -> None:
    """Print a paragraph: wrapped between words on a terminal, one line elsewhere.

    :param indent: columns by which the lines after the first are indented
    """
    if console.is_terminal:
        text = textwrap.fill(
            text,
            console.width,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    console.print(text, soft_wrap=True)
