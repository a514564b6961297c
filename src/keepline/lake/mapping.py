"""The mapping file: the operator's columns to ours, read strictly; the words of docs/howto/intake.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from keepline import handwritten
from keepline.canonical import text_hash
from keepline.errors import IntakeError, UnclearError
from keepline.lake.sections import LAKE_TABLES, ColumnMap, TableMap, is_month
from keepline.lake.units import UNIT_WORDS, dimension, fits
from keepline.periods import Month
from keepline.policy.document import Part
from keepline.site import Site
from keepline.tables import TABLES, Column


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
                raise UnclearError(f"{unit!r} is no unit of {kind}", f"{unit} 不是 {kind} 的单位")
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
    if not isinstance(month, str | dict) or not isinstance(given.get("table"), list):
        return given
    said = {"constant": month} if isinstance(month, str) else month
    return given | {"table": [_table_with_month(t, said) if isinstance(t, dict) else t for t in given["table"]]}


def _table_with_month(table: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    known = LAKE_TABLES.get(str(table.get("name")))
    columns = table.get("columns", {})
    if not isinstance(columns, dict):
        return table
    columns = dict(columns)
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
    is_month(said["constant"])
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
                    what = column.unit or "it"
                    raise UnclearError(
                        f"{table.name}.{name}: {spec.unit} is no unit of {what}",
                        f"{table.name}.{name}：单位 {spec.unit} 不适用（本列为 {column.unit or '无单位'}）",
                    )
                if needs_unit(column, spec) and unit_of(column, spec, self.source.units) is None:
                    example = _example(column)
                    raise UnclearError(
                        f"{table.name}.{name} needs a unit, e.g. unit = {example}",
                        f"{table.name}.{name} 须写明单位，例如 unit = {example}",
                    )
        return self


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


@dataclass(frozen=True)
class MappingFile:
    """A mapping with its name and the hash that tells when it changed."""

    path: Path
    name: str
    mapping: Mapping
    sha256: str


def read_mapping(path: Path) -> MappingFile:
    """Read a mapping, or say what is wrong in it, where, and what to do."""
    if not path.is_file():
        raise IntakeError(
            f"mapping {path} is absent; draft one with: keepline intake suggest FILE --out {path}",
            f"缺少映射文件 {path}；可运行 keepline intake suggest 文件 --out {path} 生成草稿",
            code="mapping_absent",
        )
    mapping = handwritten.read(path, Mapping, refuse=IntakeError, code="mapping", name=("mapping", "映射文件"))
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
                theirs_all = [*_theirs(section, name), *_stated(read.mapping, section, name)]
                found += [f"{read.name}: {theirs}" for theirs in theirs_all]
    return list(dict.fromkeys(found))


def _stated(mapping: Mapping, section: TableMap, name: str) -> list[str]:
    """What the mapping itself says of a column: a constant, the file's month, the names of items side by side."""
    spec = section.columns.get(name)
    if spec is not None and spec.constant is not None:
        return [f"= {spec.constant}"]
    if section.long and name == section.long.into:
        return [f"= {' | '.join(section.long.rows)}"]
    return ["[source] month"] if name == "month" and spec is None and mapping.source.month is not None else []


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
