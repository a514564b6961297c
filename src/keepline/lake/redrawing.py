"""A mapping's text with single columns sent elsewhere: for those who would rather choose than write TOML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keepline.errors import IntakeError
from keepline.lake.sections import LAKE_TABLES, SLOT, is_pseudonym
from keepline.lake.synonyms import unit_in
from keepline.lake.units import UNIT_WORDS, dimension
from keepline.tables import Column, Table

NOWHERE = "-"
USUAL = {"money": "yuan", "duration": "minutes", "data": "MB"}
OFFERED = ("customers", "contact_details", "usage", "payments")  # a row of each customer and month, and no more
GIVEN = ("customer_id", "month")  # what every file says once, and every table takes over
_TABLE, _NAME = re.compile(r"\s*\[\[\s*table\s*\]\]"), re.compile(r"\s*name\s*=\s*\"(\w+)\"")
_COLUMNS, _ATTRIBUTES = re.compile(r"\s*\[\s*table\.columns\s*\]"), re.compile(r"\s*\[\s*table\.attributes\s*\]")


def choices() -> Iterator[tuple[Table, list[Column]]]:
    """Our columns that a column of theirs can be sent to without anything else being said."""
    for name in OFFERED:
        table = LAKE_TABLES[name]
        left_out = (*table.key, *GIVEN, "customer_no")
        yield table, [c for c in table.columns if c.name not in left_out and not is_pseudonym(c)]


@dataclass
class Line:
    """One line of the mapping with the table whose columns it stands among."""

    text: str
    table: str = ""
    heads: bool = False  # it is the table's [table.columns]
    listed: bool = False  # among the attributes, which draft mappings list one a line

    @property
    def said(self) -> dict[str, Any]:
        """What it says by itself; nothing when it is a comment or part of something longer."""
        try:
            return tomllib.loads(self.text) if self.table and not self.heads else {}
        except tomllib.TOMLDecodeError:
            return {}

    def feeds(self, theirs: str) -> bool:
        if self.listed:
            return self.text.split("#")[0].strip().rstrip(",") == _quoted(theirs)
        return any(_from(spec) == theirs for spec in self.said.values())


def redraw(text: str, chosen: Mapping[str, str]) -> str:
    """The mapping with each chosen column of theirs sent to ``table.column`` of ours alone, or nowhere."""
    lines = list(_lines(text))
    for theirs, place in chosen.items():
        lines = [line for line in lines if not line.feeds(theirs)]
        if place != NOWHERE:
            lines = _sent(lines, theirs, place)
    made = "\n".join(line.text for line in lines) + "\n"
    for theirs, place in chosen.items():
        if _mentions(made, theirs) != (0 if place == NOWHERE else 1):
            raise IntakeError(
                f"the column {theirs} is mapped in a way that choosing cannot change; change the text of the mapping",
                f"列 {theirs} 的映射写法不能用选择来改；请直接修改映射文本",
                code="mapping_by_hand",
            )
    return made


def _lines(text: str) -> Iterator[Line]:
    table, within, listed = "", False, False
    for said in text.splitlines():
        if said.lstrip().startswith("["):
            within, listed = bool(_COLUMNS.match(said)), bool(_ATTRIBUTES.match(said))
            table = "" if _TABLE.match(said) else table
        elif not within and (found := _NAME.match(said)):
            table = found[1]
        yield Line(said, table if within else "", bool(_COLUMNS.match(said)), listed)


def _sent(lines: list[Line], theirs: str, place: str) -> list[Line]:
    table, _, name = place.partition(".")
    offered = {t.name: columns for t, columns in choices()}
    column = next((c for c in offered.get(table, []) if c.name == name), None)
    if column is None:
        raise IntakeError(f"{place} is not among the choices", f"没有 {place} 这个选项", code="mapping_choice")
    lines = [line for line in lines if not (line.table == table and name in line.said)]
    head = next((at for at, line in enumerate(lines) if line.heads and line.table == table), None)
    new = Line(f"{name} = {_spec(theirs, column)}", table)
    if head is not None:
        return [*lines[: head + 1], new, *lines[head + 1 :]]
    needed = [given for given in GIVEN if given in LAKE_TABLES[table].names]
    taken = [line.text for given in needed for line in lines if given in line.said][:1]
    months = [line.text for line in lines if "month" in line.said][:1] if "month" in needed else []
    texts = ["", "[[table]]", f'name = "{table}"', "[table.columns]", *dict.fromkeys([*taken, *months])]
    return [*lines, *(Line(said, table, said == "[table.columns]") for said in texts), new]


def _spec(theirs: str, column: Column) -> str:
    """Where it comes from, with the unit its header names or the usual one."""
    said, kind = _quoted(theirs), dimension(column.unit)
    if not kind:
        return said
    fits = frozenset(word for word, (of, _) in UNIT_WORDS.items() if of == kind)
    unit, _ = unit_in(theirs, USUAL[kind], fits)
    return f'{{ from = {said}, unit = "{unit}" }}'


def _from(spec: Any) -> Any:
    return spec.get("from") if isinstance(spec, dict) else spec


def _quoted(theirs: str) -> str:
    return json.dumps(theirs, ensure_ascii=False)


def _mentions(text: str, theirs: str) -> int:
    """How often a column of theirs is named among the tables."""
    try:
        return sum(_is(said, theirs) for said in _texts(tomllib.loads(text).get("table", [])))
    except tomllib.TOMLDecodeError as error:
        raise IntakeError(
            f"the mapping is not valid TOML: {error}; mend the text first",
            "映射不是有效的 TOML；请先改好映射文本",
            code="mapping_toml",
        ) from error


def _texts(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for part in said.values() if isinstance(said, dict) else said:
            yield from _texts(part)


def _is(said: str, theirs: str) -> bool:
    """``{}`` in a name stands for a month."""
    return bool(re.fullmatch(re.escape(said).replace(re.escape(SLOT), ".+"), theirs))
