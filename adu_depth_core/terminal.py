"""Terminal output that prints text from users and files verbatim."""

from __future__ import annotations

from rich.console import Console


def plain_console(stderr: bool = False) -> Console:
    """A rich console that takes no text for markup: a model may be called ``[bold]``, a frame ``:key:``.

    What is to be styled is a ``rich.text.Text``.
    """
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
