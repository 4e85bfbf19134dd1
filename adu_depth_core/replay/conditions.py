"""Conditions of a release gate, such as ``abs_rel>0.12``."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

from adu_depth_core.errors import UsageError
from adu_depth_core.evaluation.report import DEPTH, SURFACE, UNCERTAINTY
from adu_depth_core.replay.evaluation_result import FLICKER, INSTABILITY, Condition, ModelResult

LATENCY = "latency_ms"
"""Median milliseconds of a prediction."""

METRICS = (*DEPTH, *SURFACE, *UNCERTAINTY, INSTABILITY, FLICKER, LATENCY)
"""Quantities of conditions."""

_OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_PATTERN = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True)
class FailIf:
    """A model fails if ``metric`` ``comparison`` ``limit``."""

    metric: str
    comparison: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> FailIf:
        """Read ``METRIC>VALUE`` (or ``>=``, ``<``, ``<=``).

        :raises UsageError: if it is not of that form or the metric is unknown
        """
        match = _PATTERN.fullmatch(text)
        try:
            metric, comparison, limit = match.groups() if match else ("", "", "")
            condition = cls(metric, comparison, float(limit))
        except ValueError as error:
            raise UsageError(f"--fail-if {text!r} is not a condition such as 'abs_rel>0.12'") from error
        if metric not in METRICS:
            raise UsageError(
                f"--fail-if {text!r}: unknown metric {metric!r}; choose from {', '.join(METRICS)}"
            )
        return condition

    def test(self, model: ModelResult) -> Condition:
        """The condition on a model's mean. A metric that could not be measured fails."""
        if self.metric == LATENCY:
            value = model.latency.median_ms
        else:
            estimate = model.metrics.get(self.metric)
            value = float("nan") if estimate is None else estimate.mean
        failed = value != value or _OPERATORS[self.comparison](value, self.limit)
        return Condition(f"{self.metric}{self.comparison}{self.limit:g}", model.label, value, bool(failed))
