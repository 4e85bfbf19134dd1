from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rosbags")
pytest.importorskip("jinja2")
from adu_depth_core.replay.report_page.svg import Axis, Chart, linear_axis, log_axis


def elements(chart, tag):
    return list(ElementTree.fromstring(str(chart.markup())).iter(tag))


@pytest.fixture
def chart():
    return Chart(linear_axis(0, 10), linear_axis(0, 1), "test", width=Chart.LEFT + 100 + Chart.RIGHT)


@given(low=st.floats(0, 1), span=st.floats(1e-4, 1e5))
def test_linear_axes_hold_their_range_with_few_round_ticks(low, span):
    axis = linear_axis(low, low + span)
    assert axis.low <= low + 1e-6 * span
    assert axis.high >= low + span * (1 - 1e-6)
    assert 3 <= len(axis.ticks) <= 9


@given(low=st.floats(1e-4, 1.0), ratio=st.floats(1.01, 1e4))
def test_log_axes_hold_their_range(low, ratio):
    axis = log_axis(low, low * ratio)
    assert axis.low <= low * 1.001
    assert axis.high >= low * ratio / 1.001
    assert len(axis.ticks) >= 2


def test_positions_are_shares_of_the_axis():
    assert Axis(0, 8, []).position(2) == 0.25
    assert Axis(0, 8, []).position(99) == 1
    assert Axis(0.01, 1, [], logarithmic=True).position(0.1) == pytest.approx(0.5)


def test_a_range_of_nothing_is_still_an_axis():
    axis = linear_axis(0, 0)
    assert axis.high > axis.low


def test_lines_are_interrupted_where_there_is_no_value(chart):
    chart.line([0, 5, 6, 10], [0, 1, float("nan"), 0.5], "s0")
    path = next(p for p in elements(chart, "path") if p.get("class") == "line s0").get("d")
    left, bottom = Chart.LEFT, 300 - Chart.BOTTOM
    assert path.startswith(f"M{left:.1f} {bottom:.1f}L{left + 50:.1f} {Chart.TOP:.1f}M{left + 100:.1f}")


def test_bars_stand_on_the_foot_and_say_what_they_are(chart):
    chart.bar(2, 4, 0.25, "s1", "a <hint> & more")
    bar = elements(chart, "rect")[0]
    assert float(bar.get("width")) == 20
    height = 300 - Chart.BOTTOM - Chart.TOP
    assert float(bar.get("height")) == pytest.approx(height / 4, abs=0.1)
    assert float(bar.get("y")) + float(bar.get("height")) == pytest.approx(300 - Chart.BOTTOM, abs=0.1)
    assert bar.find("title").text == "a <hint> & more"
