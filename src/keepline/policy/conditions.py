"""A condition as people write it in TOML, and the SQLGlot tree it becomes; never a joined string.

``{feature = "revenue_3m_fen", at_least = 300000}`` holds when the feature is known and
large enough. A condition on something unknown does not hold, except ``missing = true``.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Self

from pydantic import Field, ValidationInfo, model_validator
from sqlglot import exp

from keepline import sqlmodel
from keepline.errors import UnclearError
from keepline.policy.document import Part
from keepline.tables import FEATURES, SCORES, Column, Type

KNOWN = {c.name: c for c in (*FEATURES.columns, *SCORES.columns)}
NUMBERS = (Type.BIGINT, Type.DOUBLE)
PUBLISHED = "published"  # context in which a policy is read that bound as it is, and that nobody can mend


class Condition(Part):
    """One test of one feature or score. All that is given must hold."""

    feature: str
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    true: bool | None = Field(default=None, description="for yes/no features")
    missing: bool | None = Field(default=None, description="true: nothing is known of it")

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        column = KNOWN.get(self.feature)
        if column is None:
            raise UnclearError(
                f"feature {self.feature!r} is not known; see docs/tables.md, tables features and scores",
                f"没有特征 {self.feature}；见 docs/tables.md 的 features 与 scores 两表",
            )
        asked = self.model_dump(exclude={"feature"}, exclude_defaults=True)
        if not asked:
            raise UnclearError(
                f"the condition on {self.feature} asks nothing; add for example at_least = 1",
                f"对 {self.feature} 的条件没有内容；例如写上 at_least = 1",
            )
        number = any(key in asked for key in ("at_least", "at_most", "above", "below"))
        if number and column.type not in NUMBERS:
            raise UnclearError(
                f"{self.feature} is not a number; use one_of or true",
                f"{self.feature} 不是数值；请用 one_of 或 true",
            )
        if (self.one_of or self.none_of) and column.type is not Type.TEXT:
            raise UnclearError(
                f"{self.feature} is not a code; use at_least, at_most or true",
                f"{self.feature} 不是代码；请用 at_least、at_most 或 true",
            )
        if self.true is not None and column.type is not Type.BOOLEAN:
            raise UnclearError(f"{self.feature} is not a yes/no feature", f"{self.feature} 不是“是/否”特征")
        if info.context != PUBLISHED:
            self._codes_exist(column)
        return self

    def _codes_exist(self, column: Column) -> None:
        """A code that no customer can have would hold for nobody, or for everybody."""
        for code in (*self.one_of, *self.none_of) if column.allowed else ():
            if code not in column.allowed:
                near = get_close_matches(code.lower(), column.allowed, n=1)
                raise UnclearError(
                    f"{self.feature} is never {code!r}; {f'write {near[0]}; ' if near else ''}"
                    f"its codes are {', '.join(column.allowed)}",
                    f"{self.feature} 没有代码 {code}；{f'请写 {near[0]}；' if near else ''}"
                    f"可用：{'、'.join(column.allowed)}",
                )

    def tree(self, view: str | None = None) -> exp.Expr:
        """The condition as a boolean that is never null."""
        column = exp.column(self.feature, table=view)
        tests = [*self._numbers(column), *self._codes(column)]
        if self.missing is not None:
            tests.append(column.is_(exp.null()) if self.missing else column.is_(exp.null()).not_())
        return exp.Coalesce(this=exp.paren(exp.and_(*tests)), expressions=[exp.false()])

    def _numbers(self, column: exp.Column) -> list[exp.Expr]:
        pairs = ((self.at_least, exp.GTE), (self.at_most, exp.LTE), (self.above, exp.GT), (self.below, exp.LT))
        return [kind(this=column.copy(), expression=_number(value)) for value, kind in pairs if value is not None]

    def _codes(self, column: exp.Column) -> list[exp.Expr]:
        tests: list[exp.Expr] = []
        if self.one_of:
            tests.append(column.copy().isin(*self.one_of))
        if self.none_of:
            tests.append(
                exp.Coalesce(this=column.copy(), expressions=[exp.Literal.string("")]).isin(*self.none_of).not_()
            )
        if self.true is not None:
            tests.append(exp.EQ(this=column.copy(), expression=exp.convert(self.true)))
        return tests


def _number(value: float) -> exp.Expr:
    return sqlmodel.literal(int(value) if value == int(value) else value)


def all_hold(conditions: Sequence[Condition], view: str | None = None) -> exp.Expr:
    """True when every condition holds; no conditions hold always."""
    trees = [condition.tree(view) for condition in conditions]
    return exp.and_(*trees) if trees else exp.true()
