import math

import pytest

pytest.importorskip("rosbags")
pytest.importorskip("jinja2")
from adu_depth_core.replay.evaluation_result import Comparison, Condition, Estimate
from adu_depth_core.replay.report_page.text import MEANINGS, METRICS, interval, is_better, number, percent
from adu_depth_core.replay.report_page.verdict import findings_of, verdict_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.11234, "0.112"),
        (12.0, "12.0"),
        (-0.05, "−0.0500"),
        (1234.5, "1,234"),
        (0.0, "0.00"),
        (2e-6, "2.0e−06"),
        (math.nan, "–"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_an_interval_that_is_not_known_is_not_shown():
    assert interval(Estimate(0.1, 0.09, 0.12, 30.0, decided=True)) == "0.0900 … 0.120"
    assert interval(Estimate(0.1, -0.2, 0.4, 1.8)) == "no interval"
    assert interval(Estimate(0.1, math.nan, math.nan)) == ""


def test_shares_are_per_cent():
    assert [percent(share).replace("\u202f", " ") for share in (0.683, 1.0, 0.0421)] == [
        "68.3 %",
        "100 %",
        "4.21 %",
    ]


def test_every_metric_has_a_meaning():
    assert MEANINGS.keys() == METRICS.keys()


@pytest.mark.parametrize(
    ("metric", "reference", "difference", "better"),
    [
        ("abs_rel", 0.1, (-0.02, -0.03, -0.01), True),
        ("abs_rel", 0.1, (0.02, 0.01, 0.03), False),
        ("abs_rel", 0.1, (0.02, -0.01, 0.05), None),
        ("d1", 0.9, (0.02, 0.01, 0.03), True),
        ("nll", 2.0, (-0.2, -0.3, -0.1), True),
        ("aurg_rmse", 1.0, (-0.2, -0.3, -0.1), False),
        ("coverage_1sigma", 0.6, (0.05, 0.04, 0.06), True),
        ("coverage_1sigma", 0.6, (0.3, 0.2, 0.4), False),
    ],
)
def test_better_is_nearer_to_the_ideal_and_significant(metric, reference, difference, better):
    compared = Estimate(reference, 0, 0)
    assert is_better(metric, Estimate(*difference, 20.0, decided=True), compared) is better
    assert is_better(metric, Estimate(*difference, 3.0, decided=False), compared) is None


def condition(value, failed, text="abs_rel>0.12"):
    return Condition(text, "A", value, failed)


def test_the_release_gate_decides_the_verdict(make_result):
    failed = verdict_of(make_result(conditions=(condition(0.134, True), condition(0.1, False, "d1<0.8"))))
    assert failed.tone == "bad"
    assert failed.headline == "Not good enough: abs_rel>0.12 holds for A (0.134)"
    passed = verdict_of(make_result(conditions=(condition(0.1, False), condition(0.9, False, "d1<0.8"))))
    assert passed.tone == "good"
    assert passed.headline == "Good enough: neither abs_rel>0.12 nor d1<0.8 holds"


def test_a_difference_within_chance_is_called_that(make_result):
    chance = Comparison("A", "B", "abs_rel", Estimate(-0.01, -0.03, 0.01, 20.0, True), 40)
    verdict = verdict_of(make_result(labels=("A", "B"), comparisons=(chance,)))
    assert verdict.headline == "B and A: no significant difference (95 % CI)"
    assert verdict.tone == "neutral"


def test_too_little_driving_decides_nothing(make_result):
    short = Comparison("A", "B", "abs_rel", Estimate(-0.02, -0.03, -0.01, 3.0, False), 40)
    verdict = verdict_of(make_result(labels=("A", "B"), comparisons=(short,)))
    assert verdict.headline == "B and A: inconclusive, the drives are too short"
    assert verdict.tone == "neutral"


def test_findings_say_how_wrong_where_and_whether_it_knew(make_result):
    text = " ".join(findings_of(make_result().models[0], "poses")).replace("\u202f", " ")
    assert "Off by 11 % of the distance on average; 88 % of pixels" in text
    assert (
        "Of obstacles within 40 m it is off by 30 % of the distance, of the ground by 30 %; 30 % of" in text
    )
    assert "40 frames, 17.4 effective independent samples." in text
    assert "Worst at 40-80 m: off by 19 %" in text
    assert "Worst in the image's bottom right: off by 21 %" in text
    assert "overconfident: 61 % of pixels have |error| ≤ sigma, 68.3 % should" in text
    assert "most uncertain pixels it would be off by 9.68 % instead of 11 %" in text
    assert "changes by 2.1 % (median pixel), beyond what the motion explains" in text
