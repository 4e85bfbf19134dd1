"""Checks of values that came from JSON, put together to the form that a document must have.

A check is called with a value and its name, such as ``training.data[2].name``, and raises ValueError with
that name, the value and what it must be.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]

MAX_DEPTH = 32
"""Levels of lists and objects in each other; Python's own reader and writer fail at some hundred."""


def refuse(value: Any, name: str, must_be: str) -> None:
    """:raises ValueError: always"""
    raise ValueError(f"{name} is {reprlib.repr(value)}: must be {must_be}")


def anything(value: Any, name: str) -> None:
    pass


def text(value: Any, name: str) -> None:
    if not isinstance(value, str):
        refuse(value, name, "text")


def flag(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        refuse(value, name, "true or false")


def matching(pattern: str, must_be: str) -> Check:
    def check(value: Any, name: str) -> None:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            refuse(value, name, must_be)

    return check


def whole(low: int, high: int) -> Check:
    """A whole number; JSON's true and false, which are numbers in Python, are none."""

    def check(value: Any, name: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(value, name, f"a whole number from {low} to {high}")

    return check


def number(low: float = -math.inf, high: float = math.inf) -> Check:
    """A finite number."""

    def check(value: Any, name: str) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high or value in (-math.inf, math.inf):
            limits = f" from {low:g} to {high:g}" if -math.inf < low and high < math.inf else ""
            refuse(value, name, f"a finite number{limits}")

    return check


def one_of(*choices: Any) -> Check:
    def check(value: Any, name: str) -> None:
        if not isinstance(value, type(choices[0])) or value not in choices:
            refuse(value, name, f"one of {', '.join(map(repr, choices))}")

    return check


def nullable(other: Check) -> Check:
    return lambda value, name: None if value is None else other(value, name)


def array(entry: Check, length: int | None = None) -> Check:
    """A list (or tuple) of entries, of a certain length if one is given."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, (list, tuple)) or length not in (None, len(value)):
            refuse(value, name, "a list" if length is None else f"a list of {length}")
        for index, item in enumerate(value):
            entry(item, f"{name}[{index}]")

    return check


def interval(low: float, high: float) -> Check:
    """A list of two numbers, the lower first, or twice the same."""

    def check(value: Any, name: str) -> None:
        array(number(low, high), length=2)(value, name)
        if value[0] > value[1]:
            refuse(value, name, "in ascending order")

    return check


def fixed(*entries: Check) -> Check:
    """A list (or tuple) of exactly these entries."""

    def check(value: Any, name: str) -> None:
        array(anything, len(entries))(value, name)
        for index, (entry, item) in enumerate(zip(entries, value, strict=True)):
            entry(item, f"{name}[{index}]")

    return check


def mapping(entry: Check, least: int = 0) -> Check:
    """An object whose values are all alike; its keys are free."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict) or len(value) < least:
            refuse(value, name, "an object" + f" of {least} entries or more" * bool(least))
        for key, item in value.items():
            text(key, f"a key of {name}")
            entry(item, f"{name}.{key}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with named entries; further ones are ignored."""
    known = {**(optional or {}), **required}

    def check(value: Any, name: str) -> None:
        mapping(anything)(value, name)
        if missing := sorted(set(required) - set(value)):
            raise ValueError(f"{name} lacks {', '.join(missing)}")
        for key, entry in known.items():
            if key in value:
                entry(value[key], f"{name}.{key}")

    return check


def exactly(entries: Mapping[str, Check]) -> Check:
    """An object with these entries and no others."""

    def check(value: Any, name: str) -> None:
        record(entries)(value, name)
        if unknown := sorted(set(value) - set(entries)):
            raise ValueError(f"{name} has unknown entries: {', '.join(unknown)}")

    return check


def plain(value: Any, name: str) -> None:
    """A value that survives a JSON round trip: at most ``MAX_DEPTH`` levels, and text that can be encoded."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += [*item.keys(), *item.values()]
            elif isinstance(item, (list, tuple)):
                below += item
            elif isinstance(item, str) and not item.isascii():
                try:
                    item.encode()
                except UnicodeEncodeError:
                    refuse(item, f"text in {name}", "Unicode (it has half a surrogate pair)")
        level = below
        if not level:
            return
    raise ValueError(f"{name} is nested more than {MAX_DEPTH} levels deep")
