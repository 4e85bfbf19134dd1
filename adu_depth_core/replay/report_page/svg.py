"""Charts as inline SVG: axes, lines, dots, bars.

Colours come from the page's style sheet, so that they suit light and dark mode. Elements are built with
ElementTree, which escapes whatever text they hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

Format = Callable[[float], str]


@dataclass(frozen=True)
class Axis:
    """Range and ticks of an axis.

    :param low: first value
    :param high: last value, above ``low``
    :param ticks: values that are named
    :param label: its quantity, with the unit
    :param logarithmic: logarithmic scale, for values above 0
    :param form: format of the ticks
    """

    low: float
    high: float
    ticks: Sequence[float]
    label: str = ""
    logarithmic: bool = False
    form: Format = "{:g}".format

    def position(self, value: float) -> float:
        """Place of a value, 0 (low) to 1 (high); beyond the ends it is cut off."""
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)


def linear_axis(
    low: float, high: float, label: str = "", count: int = 5, form: Format = "{:g}".format
) -> Axis:
    """An axis from ``low`` to at least ``high`` with about ``count`` steps: 1, 2 or 5 times a power of 10."""
    if not high > low:
        high = low + 1.0
    step = _round_step((high - low) / count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(i * step, 10) for i in range(first, last + 1)]
    return Axis(ticks[0], ticks[-1], ticks, label, form=form)


def log_axis(low: float, high: float, label: str = "", form: Format = "{:g}".format) -> Axis:
    """A logarithmic axis around values > 0, with ticks at 1, 2 and 5 times the powers of ten."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [10.0**power * digit for power in range(first, last + 1) for digit in (1, 2, 5)]
    below = max((tick for tick in every if tick <= low * 1.0001), default=every[0])
    above = min((tick for tick in every if tick >= high / 1.0001), default=every[-1])
    if above <= below:
        above = below * 10
    return Axis(below, above, [t for t in every if below <= t <= above], label, logarithmic=True, form=form)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * 0.999)


class Chart:
    """A drawing area with two axes; positions are given in the axes' values.

    :param x: horizontal axis
    :param y: vertical axis
    :param title: description of the chart, for screen readers
    :param width: of the view box, which the page scales
    :param height: of the view box
    """

    LEFT, RIGHT, TOP, BOTTOM = 66, 24, 12, 44

    def __init__(self, x: Axis, y: Axis, title: str, width: int = 520, height: int = 300) -> None:
        self.x, self.y = x, y
        self.width, self.height = width, height
        self._root = ElementTree.Element(
            "svg", {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": title, "class": "chart"}
        )
        self._draw_axes()

    def line(self, xs: Iterable[float], ys: Iterable[float], style: str, hint: str = "") -> None:
        """A polyline of CSS class ``style`` that is interrupted where a y is NaN."""
        path, pen = [], "M"
        for x, y in zip(xs, ys, strict=True):
            if math.isnan(y):
                pen = "M"
                continue
            path.append(f"{pen}{self._px(x):.1f} {self._py(y):.1f}")
            pen = "L"
        self._add("path", hint, d="".join(path), **{"class": f"line {style}"})

    def dot(self, x: float, y: float, style: str, hint: str = "", radius: float = 4.0) -> None:
        self._add(
            "circle",
            hint,
            cx=f"{self._px(x):.1f}",
            cy=f"{self._py(y):.1f}",
            r=f"{radius:.1f}",
            **{"class": f"dot {style}"},
        )

    def bar(self, left: float, right: float, top: float, style: str, hint: str = "") -> None:
        """A bar from the foot of the chart to ``top``, between two values of x."""
        self._rectangle(left, right, self.y.low, top, f"bar {style}", hint)

    def hint(self, left: float, right: float, text: str) -> None:
        """An invisible column that shows ``text`` when pointed at."""
        self._rectangle(left, right, self.y.low, self.y.high, "hint", text)

    def note(self, x: float, y: float, text: str, anchor: str = "start") -> None:
        """Small text at a point."""
        self._text(self._px(x), self._py(y), text, "note", anchor)

    def markup(self) -> Markup:
        return Markup(ElementTree.tostring(self._root, encoding="unicode"))

    def _rectangle(self, left: float, right: float, low: float, high: float, style: str, hint: str) -> None:
        x, y = self._px(left), self._py(high)
        self._add(
            "rect",
            hint,
            x=f"{x:.1f}",
            y=f"{y:.1f}",
            width=f"{max(self._px(right) - x, 0):.1f}",
            height=f"{max(self._py(low) - y, 0):.1f}",
            **{"class": style},
        )

    def _px(self, x: float) -> float:
        return self.LEFT + self.x.position(x) * (self.width - self.LEFT - self.RIGHT)

    def _py(self, y: float) -> float:
        return self.height - self.BOTTOM - self.y.position(y) * (self.height - self.TOP - self.BOTTOM)

    def _add(self, tag: str, hint: str = "", **attributes: str) -> ElementTree.Element:
        element = ElementTree.SubElement(self._root, tag, attributes)
        if hint:
            ElementTree.SubElement(element, "title").text = hint
        return element

    def _text(self, x: float, y: float, text: str, style: str, anchor: str, **more: str) -> None:
        attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": style, "text-anchor": anchor, **more}
        self._add("text", **attributes).text = text

    def _draw_axes(self) -> None:
        left, right = self.LEFT, self.width - self.RIGHT
        bottom = self.height - self.BOTTOM
        for tick in self.y.ticks:
            y = self._py(tick)
            self._add("path", d=f"M{left} {y:.1f}H{right}", **{"class": "grid"})
            self._text(left - 8, y + 4, self.y.form(tick), "tick", "end")
        for tick in self.x.ticks:
            x = self._px(tick)
            self._add("path", d=f"M{x:.1f} {bottom}v5", **{"class": "axis"})
            self._text(x, bottom + 18, self.x.form(tick), "tick", "middle")
        self._add("path", d=f"M{left} {bottom}H{right}", **{"class": "axis"})
        self._text((left + right) / 2, self.height - 6, self.x.label, "label", "middle")
        middle = (self.TOP + bottom) / 2
        turned = {"transform": f"rotate(-90 14 {middle:.1f})"}
        self._text(14, middle, self.y.label, "label", "middle", **turned)
