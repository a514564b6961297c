"""A mapping told column by column: where each of their columns goes, and what of ours comes from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from keepline.lake.header import REASON_COLUMNS, Header
from keepline.lake.mapping import Mapping
from keepline.lake.opening import look
from keepline.lake.preparing import bind
from keepline.lake.readers import reader
from keepline.lake.sections import SLOT, ColumnMap, TableMap, is_pseudonym
from keepline.lake.setaside import as_plain, is_set_aside
from keepline.tables import Table


@dataclass(frozen=True)
class Use:
    """One of our columns that a column of theirs feeds."""

    table: str
    column: str
    zh: str
    en: str
    how_zh: str = ""  # unit, codes, how a number is read
    how_en: str = ""


@dataclass
class Explained:
    """Their columns in order with what each feeds, and ours that the mapping itself fills."""

    theirs: list[tuple[str, list[Use]]] = field(default_factory=list)
    stated: list[Use] = field(default_factory=list)


def header_of(file: Path, mapping: Mapping) -> Header:
    """The file's header as loading would read it."""
    opened = look(file, mapping.source, mapping.limits)
    return Header(reader(opened, mapping.source, mapping.limits).header, file=file.name, bounds=mapping.limits)


def explain(file: Path, mapping: Mapping) -> Explained:
    """What the mapping makes of the file's columns. Raises IntakeError where it does not fit the header."""
    said = as_plain(mapping) if is_set_aside(file) else mapping
    header = header_of(file, said)
    bind(said, header)
    told, feeds = Explained(), dict[int, list[Use]]()
    for table in said.table:
        for spellings, use in _uses(table):
            place = header.find(spellings) if spellings else None
            if place is not None:
                feeds.setdefault(place, []).append(use)
            elif not spellings:
                told.stated.append(use)
    columns = [(name, feeds.get(place, [])) for place, name in enumerate(header.names)]
    told.theirs = [(name, uses) for name, uses in columns if name.strip() and name not in REASON_COLUMNS]
    return told


def _uses(said: TableMap) -> Iterator[tuple[list[str], Use]]:
    """Spellings of their column and what of ours it feeds; no spelling for what the mapping states."""
    table, slots = said.table, list(said.wide.months.items()) if said.wide else [("", "")]
    columns = dict(said.columns)
    if said.identity:
        columns = {name: ColumnMap.model_validate(name) for name in table.names} | columns
    named = [(name, "", spec) for name, spec in columns.items()]
    if said.long:
        named += [(said.long.value, code, spec) for code, spec in said.long.rows.items()]
    for name, code, spec in named:
        for slot, month in slots:
            ours = (CODES_ZH.get(code, code), code)
            how = (
                " · ".join(part for part in (row, month, said) if part)
                for row, said in zip(ours, _how(spec), strict=True)
            )
            use = Use(table.name, name, *_words(table, name), *how)
            for group in _groups(spec) or [[]]:
                yield [spelling.replace(SLOT, slot) for spelling in group], use
    for kind, names in (
        (("number", said.attributes.numbers), ("code", said.attributes.codes)) if said.attributes else ()
    ):
        for name in names:
            yield [name], Use(table.name, kind, f"{table.zh}（按原名保留）", "attributes: kept under its own name")
    for test in (*said.when, *said.when_any):
        yield [test.column], Use(table.name, "", "决定哪些行计入", "tells which rows count")


def _groups(spec: ColumnMap) -> list[list[str]]:
    """Their columns that feed ours, each with its spellings."""
    one = [spec.source] if isinstance(spec.source, str) else list(spec.source or ())
    return [one] if one else [[name] for name in (*spec.sum, *spec.less)]


def _words(table: Table, name: str) -> tuple[str, str]:
    """A number that names someone is told as what they bring, not as what it becomes."""
    column = table.column(name)
    zh, en = column.zh, column.en
    if is_pseudonym(column):
        zh = f"{zh.removesuffix('假名')}编号，入库变为假名"
        en = f"{en.removeprefix('pseudonym of ')}'s number; becomes a pseudonym"
    return f"{table.zh}·{zh}", f"{table.name}: {en}"


CODES_ZH = {
    "recurring": "月租", "overage": "套外", "roaming": "漫游", "value_added": "增值", "topup": "充值",
    "one_off": "一次性", "discount": "优惠", "credit": "抵扣", "satisfaction": "满意度", "recommend": "推荐意愿",
    "stay": "留网意愿",
}  # fmt: skip
UNITS_ZH = {
    "fen": "分", "li": "厘", "jiao": "角", "yuan": "元", "wan_yuan": "万元", "major": "元", "cent": "分",
    "seconds": "秒", "minutes": "分钟", "hours": "小时",
}  # fmt: skip
READ_AS = {
    "account": ("", ""),
    "phone": ("按手机号核对", "checked as a telephone number"),
    "id_card": ("按身份证号核对", "checked as an identity number"),
    "pseudonym": ("keepline 给出的假名", "a pseudonym keepline gave"),
}


def _how(spec: ColumnMap) -> tuple[str, str]:
    """What becomes of the values, in Chinese and English."""
    unit = spec.unit or ""
    plain = [*(f"{theirs} → {ours}" for theirs, ours in list(spec.codes.items())[:4])]
    plain += [f"= {spec.constant}" if spec.constant is not None else "", spec.file_name or ""]
    plain += [f"÷ {spec.divide_by:g}" if spec.divide_by != 1 else "", "× −1" if spec.negate else ""]
    zh, en = READ_AS[spec.read_as]
    ago = ("由时长倒推日期", "counted back to a day") if spec.ago else ("", "")
    told = ([zh, UNITS_ZH.get(unit, unit), *plain, ago[0]], [en, unit, *plain, ago[1]])
    of_zh, of_en = ("，".join(p for p in told[0] if p), ", ".join(p for p in told[1] if p))
    return of_zh, of_en
