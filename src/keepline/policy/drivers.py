"""What each of the six drivers of loyalty is measured by, as loyalty.toml says it (K7).

A piece of evidence is a feature with its worst and its best value; in between it counts in proportion::

    [[driver]]
    name = "quality"
    evidence = [{ feature = "dropped_calls_3m", worst = 10, best = 0 }]
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from sqlglot import exp

from keepline.errors import UnclearError
from keepline.policy.document import Part
from keepline.tables import FEATURES, Type

DRIVERS = ("quality", "perceived_value", "dependence", "belonging", "recognition", "honour")
MEASURED = {c.name for c in FEATURES.columns if c.type in (Type.BIGINT, Type.DOUBLE, Type.BOOLEAN)} - {"customer_id"}
CODES = {c.name for c in FEATURES.columns if c.type is Type.TEXT} - {"month"}


class Evidence(Part):
    """One feature, over another where ``over`` names one; ``codes`` say what each code of a text counts, 0 to 1."""

    feature: str
    over: str = ""
    worst: float = 0.0
    best: float = 1.0
    codes: dict[str, float] = Field(default_factory=dict)
    weight: float = Field(default=1.0, gt=0, le=100)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wanted = CODES if self.codes else MEASURED
        for name in (self.feature, *([self.over] if self.over else [])):
            if name not in wanted:
                raise UnclearError(
                    f"{name!r} is no feature that can be measured {'by codes' if self.codes else 'as a number'}; "
                    "see docs/tables.md, table features",
                    f"{name} 不是可以{'按代码' if self.codes else '按数值'}度量的特征；见 docs/tables.md",
                )
        if self.worst == self.best:
            raise UnclearError(
                f"worst and best of {self.feature} are the same, so nothing lies between",
                f"{self.feature} 的 worst 与 best 相同，无法区分高低",
            )
        if any(not 0 <= share <= 1 for share in self.codes.values()):
            raise UnclearError(
                f"codes of {self.feature} count from 0 to 1", f"{self.feature} 的 codes 取值须在 0 至 1 之间"
            )
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.feature, self.over) if self.over else (self.feature,)

    def tree(self) -> exp.Expr:
        """0 at the worst, 1 at the best, null where it is not known."""
        if self.codes:
            case = exp.Case()
            for code, share in self.codes.items():
                case = case.when(exp.column(self.feature).eq(exp.Literal.string(code)), _real(share))
            return case.else_(exp.null())
        plain = exp.column(self.feature)
        value: exp.Expr = exp.cast(exp.cast(plain, "INT") if self._is_flag else plain, "DOUBLE")
        if self.over:
            value = value / exp.func("NULLIF", exp.cast(exp.column(self.over), "DOUBLE"), _real(0))
        part = exp.paren(value - _real(self.worst)) / _real(self.best - self.worst)
        above = exp.Greatest(this=part, expressions=[_real(0)], ignore_nulls=True)
        held = exp.Least(this=above, expressions=[_real(1)], ignore_nulls=True)
        return exp.case().when(value.copy().is_(exp.null()), exp.null()).else_(held)

    @property
    def _is_flag(self) -> bool:
        return FEATURES.column(self.feature).type is Type.BOOLEAN


class Driver(Part):
    """One driver and the evidence for it."""

    name: Literal[DRIVERS]  # type: ignore[valid-type]
    evidence: tuple[Evidence, ...] = Field(min_length=1)


def _real(value: float) -> exp.Expr:
    return exp.cast(exp.Literal.number(repr(float(value))), "DOUBLE")
