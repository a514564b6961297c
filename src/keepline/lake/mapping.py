"""The mapping file: the operator's columns to ours, read strictly; the words of docs/howto/intake.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from keepline.canonical import text_hash
from keepline.errors import IntakeError
from keepline.lake.units import UNIT_WORDS, dimension, fits
from keepline.periods import Month
from keepline.policy.document import Part
from keepline.site import Site
from keepline.tables import LAKE, TABLES, Column, Personal, Table, Type

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
    read_as: Literal["account", "phone", "id_card"] = Field(default="account", alias="as")
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
            raise ValueError("say exactly one of from, sum, constant or file_name")
        if self.unit is not None and self.unit not in UNIT_WORDS:
            raise ValueError(f"unit {self.unit!r} is not known; known are {', '.join(sorted(UNIT_WORDS))}")
        if self.less and not self.sum:
            raise ValueError("less needs sum")
        if self.file_name is not None and re.compile(self.file_name).groups != 1:
            raise ValueError("file_name needs exactly one group in brackets")
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
            raise ValueError(f'the test of {self.column} asks nothing; add for example is = "Yes"')
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
            raise ValueError(f"table {self.name!r} is not known; known are {', '.join(LAKE_TABLES)}")
        mapped = set(self.columns) | ({self.long.into, self.long.value} if self.long else set())
        unknown = mapped - set(self.table.names)
        if unknown:
            raise ValueError(f"table {self.name} has no column {', '.join(sorted(unknown))}; see docs/tables.md")
        if self.attributes and (self.name != "attributes" or self.long):
            raise ValueError("attributes belong to the table attributes, without long")
        if not self.identity:
            self._has_keys(mapped)
        return self

    @model_validator(mode="after")
    def _constants(self) -> Self:
        for name, spec in self.columns.items():
            column, said = self.table.column(name), spec.constant
            if said is not None and name in MONTHS:
                _is_month(said)
            elif column.allowed and said is not None and said not in column.allowed:
                raise ValueError(f"{name} is one of {', '.join(column.allowed)}, not {said!r}")
        for month in self.wide.months.values() if self.wide else ():
            _is_month(month)
        into = self.long and self.table.column(self.long.into).allowed
        if into and self.long and set(self.long.rows) - set(into):
            raise ValueError(f"{self.long.into} is one of {', '.join(into)}")
        return self

    def _has_keys(self, mapped: set[str]) -> None:
        if self.attributes:
            mapped = mapped | {"name"}
        if self.wide:
            mapped = mapped | {"month"}
        lacking = [name for name in must_have(self.table) if name not in mapped]
        if lacking:
            raise ValueError(f"table {self.name} needs {', '.join(lacking)}")

    @property
    def table(self) -> Table:
        return LAKE_TABLES[self.name]

    @property
    def watch_count(self) -> bool:
        return self.name in STEADY if self.steady is None else self.steady


class Match(Part):
    files: tuple[str, ...] = Field(min_length=1, description="file name patterns, e.g. bills-*.csv")


class Units(Part):
    """Units where a column says none."""

    money: str | None = None
    duration: str | None = None
    data: str | None = None

    @model_validator(mode="after")
    def _fit(self) -> Self:
        for kind in ("money", "duration", "data"):
            unit = getattr(self, kind)
            if unit is not None and UNIT_WORDS.get(unit, ("", 0))[0] != kind:
                raise ValueError(f"{unit!r} is no unit of {kind}")
        return self


class Source(Part):
    """How the file is written. ``auto`` looks for itself."""

    format: Literal["auto", "csv", "excel", "parquet"] = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    quote: str = Field(default='"', max_length=1)
    sheet: str = ""
    member: str = Field(default="", description="file inside a zip that holds several")
    header_row: int = Field(default=1, ge=1, description="number of the row that bears the names")
    header: tuple[str, ...] = Field(default=(), description="names for a file that has none")
    ready_flag: bool = Field(default=False, description="wait for FILE.ok beside the file")
    null_values: tuple[str, ...] = ("", "NULL", "\\N")
    dates: tuple[str, ...] = ()
    month: str | ColumnMap | None = Field(default=None, description="billing month of tables whose columns say none")
    units: Units = Units()


class Bounds(Part):
    """Where a file is refused or held."""

    set_aside_share_max: float = Field(default=0.01, ge=0, le=1)
    columns_max: int = Field(default=1000, ge=1)
    record_lines_max: int = Field(default=50, ge=1, description="lines one quoted row may span")
    line_mb_max: int = Field(default=64, ge=1)
    unpacked_mb_max: int = Field(default=400, ge=1, description="for Excel, which must be read as a whole")
    unpack_ratio_max: int = Field(default=200, ge=1, description="unpacked to packed size, from 64 MB on")
    amount_shift_max: float = Field(default=20, gt=1)
    row_count_change_max: float = Field(default=0.5, gt=0)


class Rules(Part):
    """What the corpus leaves to the operator."""

    landline: Literal["accept", "set_aside"] = "accept"
    scientific: Literal["set_aside", "accept"] = "set_aside"
    key_case: Literal["set_aside", "upper", "distinct"] = "set_aside"
    unknown_customer: Literal["wait", "accept"] = "wait"
    closed_customer_months: int = Field(default=3, ge=0, description="months after leaving a last bill may come")
    reassigned: Literal["set_aside", "accept"] = "set_aside"
    before_history: Literal["set_aside", "accept"] = "set_aside"
    negative_bill: Literal["credit", "keep", "set_aside"] = "credit"
    last_month: str = Field(default="", description="a later month is set aside")
    first_month: str = "1990-01"
    month_gap_max: int = Field(default=6, ge=1, description="months without data before a month counts as future")


class Adds(Part):
    """A column that must equal the sum of others in the same row."""

    total: str
    items: tuple[str, ...] = Field(min_length=1)
    tolerance: float = Field(default=0.01, ge=0, description="in the file's own unit")


def with_month(given: dict[str, Any]) -> dict[str, Any]:
    """The mapping with the file's month said once put where tables need one."""
    month = given.get("source", {}).get("month") if isinstance(given.get("source"), dict) else None
    if month is None or not isinstance(given.get("table"), list):
        return given
    said = {"constant": month} if isinstance(month, str) else month
    return given | {"table": [_table_with_month(t, said) if isinstance(t, dict) else t for t in given["table"]]}


def _table_with_month(table: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    known = LAKE_TABLES.get(str(table.get("name")))
    columns = dict(table.get("columns", {}))
    if known is None or "month" not in known.names or table.get("identity"):
        return table
    if "wide" not in table:
        columns.setdefault("month", said)
    return table | {"columns": {name: _ago_until(spec, said) for name, spec in columns.items()}}


def _ago_until(spec: Any, said: dict[str, Any]) -> Any:
    """A length of time without a day is counted to the end of the file's month."""
    ago = spec.get("ago") if isinstance(spec, dict) else None
    if not isinstance(ago, dict) or "before" in ago or "constant" not in said:
        return spec
    _is_month(said["constant"])
    return spec | {"ago": ago | {"before": str(Month.parse(said["constant"]).last_day)}}


class Mapping(Part):
    """A whole mapping file."""

    version: Literal[1] = 1
    name: str = ""
    match: Match
    source: Source = Source()
    limits: Bounds = Bounds()
    rules: Rules = Rules()
    adds_up: tuple[Adds, ...] = ()
    table: tuple[TableMap, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _month_of_all(cls, given: Any) -> Any:
        return with_month(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _units_said(self) -> Self:
        for table in self.table:
            pairs = list(table.columns.items())
            if table.long:
                pairs += [(table.long.value, spec) for spec in table.long.rows.values()]
            for name, spec in pairs:
                column = table.table.column(name)
                if spec.unit and not fits(spec.unit, column.unit):
                    raise ValueError(f"{table.name}.{name}: {spec.unit} is no unit of {column.unit or 'it'}")
                if needs_unit(column, spec) and unit_of(column, spec, self.source.units) is None:
                    raise ValueError(f"{table.name}.{name} needs a unit, e.g. unit = {_example(column)}")
        return self


def _is_month(said: Any) -> None:
    if not isinstance(said, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", said):
        raise ValueError(f"{said!r} is not a billing month; write it as YYYY-MM, for example 2026-10")


def _example(column: Column) -> str:
    return {"money": '"yuan" or "fen"', "duration": '"minutes" or "seconds"', "data": '"MB" or "KB"'}[
        dimension(column.unit)
    ]


def needs_unit(column: Column, spec: ColumnMap) -> bool:
    return bool(dimension(column.unit)) and spec.constant is None


def unit_of(column: Column, spec: ColumnMap, defaults: Units) -> str | None:
    """The unit a column is written in: its own, else the file's for that kind of quantity."""
    kind = dimension(column.unit)
    return spec.unit or (getattr(defaults, kind) if kind else None)


def must_have(table: Table) -> tuple[str, ...]:
    """Columns a row cannot do without; the operator's own number is filled in by us."""
    made = ("customer_no",) if table.name == "contact_details" else ()
    return tuple(name for name in dict.fromkeys((*table.key, *table.required, *_who(table))) if name not in made)


def _who(table: Table) -> tuple[str, ...]:
    return tuple(name for name in ("customer_id", "month") if name in table.names)


def is_pseudonym(column: Column) -> bool:
    return column.personal is Personal.PSEUDONYM and column.type is Type.BIGINT


@dataclass(frozen=True)
class MappingFile:
    """A mapping with its name and the hash that tells when it changed."""

    path: Path
    name: str
    mapping: Mapping
    sha256: str


def read_mapping(path: Path) -> MappingFile:
    """Read a mapping, or say what is wrong in it, where, and what to do."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        mapping = Mapping.model_validate(said)
    except FileNotFoundError as error:
        raise IntakeError(
            f"mapping {path} is absent; draft one with: keepline intake suggest FILE --out {path}",
            f"缺少映射文件 {path}；可运行 keepline intake suggest 文件 --out {path} 生成草稿",
            code="mapping_absent",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IntakeError(
            f"{path} is not valid TOML: {error}", f"{path} 不是有效的 TOML：{error}", code="mapping_toml"
        ) from error
    except ValidationError as error:
        lines = [f"{'.'.join(str(p) for p in e['loc']) or 'file'}: {e['msg']}" for e in error.errors()[:5]]
        told = "\n  ".join(lines)
        raise IntakeError(
            f"mapping {path} is not clear:\n  {told}", f"映射文件 {path} 有误：\n  {told}", code="mapping_unclear"
        ) from error
    return MappingFile(path, mapping.name or path.stem, mapping, text_hash(mapping.model_dump(mode="json")))


def site_mappings(site: Site) -> list[MappingFile]:
    """All mappings of the site."""
    return [read_mapping(path) for path in sorted(site.intake.glob("*.toml"))]


def find_mapping(site: Site, file: Path, mappings: Sequence[MappingFile]) -> MappingFile:
    """The one of the mappings whose patterns fit the file's name."""
    fitting = [m for m in mappings if any(fnmatch(file.name, pattern) for pattern in m.mapping.match.files)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise IntakeError(
            f"no mapping in {site.intake} fits the name {file.name}; name one with --mapping, or draft one with: "
            f"keepline intake suggest {file}",
            f"{site.intake} 中没有与文件名 {file.name} 匹配的映射；请用 --mapping 指定，"
            f"或运行 keepline intake suggest {file}",
            code="no_mapping",
        )
    names = ", ".join(m.path.name for m in fitting)
    raise IntakeError(
        f"several mappings fit {file.name}: {names}; name one with --mapping",
        f"多个映射与 {file.name} 匹配：{names}；请用 --mapping 指定其一",
        code="several_mappings",
    )


def source_columns(site: Site, column: str) -> list[str]:
    """The operator's columns that feed ``table.column``, as ``mapping: their column``; for lineage."""
    table, _, name = column.partition(".")
    found: list[str] = []
    for read in site_mappings(site):
        for section in read.mapping.table:
            if section.name == table:
                found += [f"{read.name}: {theirs}" for theirs in _theirs(section, name)]
    return list(dict.fromkeys(found))


def _theirs(section: TableMap, name: str) -> list[str]:
    if section.identity and name in TABLES[section.name].names and name not in section.columns:
        return [name]
    specs = [section.columns[name]] if name in section.columns else []
    if section.long and name == section.long.value:
        specs += list(section.long.rows.values())
    found = [theirs for spec in specs for theirs in spec.sources]
    if section.attributes and name in ("number", "code"):
        found += section.attributes.numbers if name == "number" else section.attributes.codes
    if section.name == "contact_details" and name == "customer_no":
        found += section.columns["customer_id"].sources if "customer_id" in section.columns else ()
    return found
