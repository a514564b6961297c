"""One ``[[table]]`` of a mapping: where its columns come from, which rows count, what stands side by side."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from keepline.errors import UnclearError
from keepline.lake.units import UNIT_WORDS
from keepline.policy.document import Part
from keepline.tables import LAKE, Column, Personal, Table, Type

LAKE_TABLES = {table.name: table for table in LAKE}
STEADY = ("bills", "usage", "payments")
SLOT = "{}"
MONTHS = ("month", "plan_month")


class Ago(Part):
    """A length of time turned into the day it began: months, days or years before a day."""

    unit: Literal["days", "months", "years"]
    before: str = Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$", description="day the length was counted to; the end of [source] month if absent"
    )


class ColumnMap(Part):
    """Where one of our columns comes from. Exactly one of from, sum, constant, file_name."""

    source: str | tuple[str, ...] | None = Field(default=None, alias="from", description="their column, or spellings")
    sum: tuple[str, ...] = Field(default=(), description="their columns, added up")
    less: tuple[str, ...] = Field(default=(), description="their columns, taken off the sum")
    constant: str | int | float | bool | None = None
    file_name: str | None = Field(default=None, description="regular expression; its group is read from the name")
    unit: str | None = None
    codes: dict[str, str] = Field(default_factory=dict, description="their code to ours")
    other: str | None = Field(default=None, description="ours for every code not listed; absent: set aside")
    dates: tuple[str, ...] = Field(default=(), description="formats as in strptime, e.g. %m/%d/%Y")
    ago: Ago | None = None
    read_as: Literal["account", "phone", "id_card", "pseudonym"] = Field(default="account", alias="as")
    length: int | None = Field(default=None, description="characters an account number must have")
    opened: str | None = Field(default=None, description="their column of the opening day, part of the identity")
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    negate: bool = False
    divide_by: float = Field(default=1.0, gt=0)
    when_empty: str | int | float | bool | None = None
    optional: bool = Field(default=False, description="the file may lack the column")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"from": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = [self.source, self.sum or None, self.constant, self.file_name]
        if sum(origin is not None for origin in origins) != 1:
            raise UnclearError(
                "say exactly one of from, sum, constant or file_name", "from、sum、constant、file_name 须恰好写一项"
            )
        if self.unit is not None and self.unit not in UNIT_WORDS:
            known = sorted(UNIT_WORDS)
            raise UnclearError(
                f"unit {self.unit!r} is not known; known are {', '.join(known)}",
                f"不认识单位 {self.unit}；可用：{'、'.join(known)}",
            )
        if self.less and not self.sum:
            raise UnclearError("less needs sum", "写了 less 就须写 sum")
        if self.file_name is not None and re.compile(self.file_name).groups != 1:
            raise UnclearError("file_name needs exactly one group in brackets", "file_name 须恰有一个圆括号分组")
        return self

    @property
    def spellings(self) -> tuple[str, ...]:
        """Headers the column may bear; the first that the file has counts."""
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def sources(self) -> tuple[str, ...]:
        """Every header it may read."""
        return (*self.spellings, *self.sum, *self.less, *((self.opened,) if self.opened else ()))

    @property
    def wide(self) -> bool:
        return any(SLOT in name for name in self.sources)


class When(Part):
    """A test of one of their columns; a row must pass all of a table's tests to count for it."""

    column: str
    equals: str | int | float | bool | tuple[str, ...] | None = Field(default=None, alias="is")
    differs: str | int | float | bool | tuple[str, ...] | None = Field(default=None, alias="is_not")
    zero: Literal[True] | None = None
    empty: bool | None = None
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.model_fields_set - {"column"}:
            raise UnclearError(
                f'the test of {self.column} asks nothing; add for example is = "Yes"',
                f'对 {self.column} 的条件没有内容；例如写上 is = "Yes"',
            )
        return self


class Wide(Part):
    """Months side by side become rows: ``{}`` in a column name stands for the key."""

    months: dict[str, str] = Field(min_length=1, description="what stands in the header, to the billing month")
    keep_empty: bool = Field(default=False, description="also rows in which every value of the month is empty")


class Long(Part):
    """Several of their columns become several rows of ours."""

    into: str = Field(description="our column that names the row, e.g. component")
    value: str = Field(description="our column that holds the value, e.g. amount_fen")
    rows: dict[str, ColumnMap] = Field(min_length=1)


class Attributes(Part):
    """Their columns kept as further facts, under their own names."""

    numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


class TableMap(Part):
    """One table the file feeds."""

    name: str
    identity: bool = Field(default=False, description="the file already bears our column names and units")
    columns: dict[str, ColumnMap] = Field(default_factory=dict)
    when: tuple[When, ...] = ()
    when_any: tuple[When, ...] = ()
    wide: Wide | None = None
    long: Long | None = None
    attributes: Attributes | None = None
    add_up: bool = Field(default=False, description="rows of one key are added up, e.g. items or lines of a customer")
    steady: bool | None = Field(default=None, description="hold the file when its row count jumps")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.name not in LAKE_TABLES:
            raise UnclearError(
                f"table {self.name!r} is not known; known are {', '.join(LAKE_TABLES)}",
                f"没有 {self.name} 表；可用：{'、'.join(LAKE_TABLES)}",
            )
        mapped = set(self.columns) | ({self.long.into, self.long.value} if self.long else set())
        unknown = mapped - set(self.table.names)
        if unknown:
            raise UnclearError(
                f"table {self.name} has no column {', '.join(sorted(unknown))}; see docs/tables.md",
                f"{self.name} 表没有列 {'、'.join(sorted(unknown))}；见 docs/tables.md",
            )
        who = self.columns.get("customer_id")
        if self.name == "contact_details" and who is not None and who.read_as == "pseudonym":
            raise UnclearError(
                "contact_details needs the operator's own number; a pseudonym cannot be turned back",
                "contact_details 需要运营商自己的编号；假名无法还原",
            )
        if self.attributes and (self.name != "attributes" or self.long):
            raise UnclearError(
                "attributes belong to the table attributes, without long",
                "attributes 只用于 attributes 表，不写 long",
            )
        if not self.identity:
            self._has_keys(mapped)
        return self

    @model_validator(mode="after")
    def _constants(self) -> Self:
        for name, spec in self.columns.items():
            column, said = self.table.column(name), spec.constant
            if said is not None and name in MONTHS:
                is_month(said)
            elif column.allowed and said is not None and said not in column.allowed:
                raise UnclearError(
                    f"{name} is one of {', '.join(column.allowed)}, not {said!r}",
                    f"{name} 只能是 {'、'.join(column.allowed)} 之一，不能是 {said}",
                )
        for month in self.wide.months.values() if self.wide else ():
            is_month(month)
        into = self.long and self.table.column(self.long.into).allowed
        if into and self.long and set(self.long.rows) - set(into):
            raise UnclearError(
                f"{self.long.into} is one of {', '.join(into)}", f"{self.long.into} 只能是 {'、'.join(into)} 之一"
            )
        return self

    def _has_keys(self, mapped: set[str]) -> None:
        if self.attributes:
            mapped = mapped | {"name"}
        if self.wide:
            mapped = mapped | {"month"}
        lacking = [name for name in must_have(self.table) if name not in mapped]
        if lacking:
            raise UnclearError(
                f"table {self.name} needs {', '.join(lacking)}", f"{self.name} 表还须有 {'、'.join(lacking)}"
            )

    @property
    def table(self) -> Table:
        return LAKE_TABLES[self.name]

    @property
    def watch_count(self) -> bool:
        return self.name in STEADY if self.steady is None else self.steady


def is_month(said: Any) -> None:
    if not isinstance(said, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", said):
        raise UnclearError(
            f"{said!r} is not a billing month; write it as YYYY-MM, for example 2026-10",
            f"{said} 不是账期；请写成 YYYY-MM，例如 2026-10",
        )


def must_have(table: Table) -> tuple[str, ...]:
    """Columns a row cannot do without; the operator's own number is filled in by us."""
    made = ("customer_no",) if table.name == "contact_details" else ()
    return tuple(name for name in dict.fromkeys((*table.key, *table.required, *_who(table))) if name not in made)


def _who(table: Table) -> tuple[str, ...]:
    return tuple(name for name in ("customer_id", "month") if name in table.names)


def is_pseudonym(column: Column) -> bool:
    return column.personal is Personal.PSEUDONYM and column.type is Type.BIGINT
