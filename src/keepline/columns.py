"""What a column and a table are: their types, units and levels of personal data, and how a column is written down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import pyarrow as pa


class Type(StrEnum):
    """The five types both engines agree on to the bit."""

    BIGINT = "BIGINT"
    DOUBLE = "DOUBLE"
    TEXT = "VARCHAR"
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"


ARROW = {
    Type.BIGINT: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.TEXT: pa.string(),
    Type.DATE: pa.date32(),
    Type.BOOLEAN: pa.bool_(),
}


class Personal(StrEnum):
    """How close a column comes to a person."""

    NONE = "none"
    PSEUDONYM = "pseudonym"  # cannot be turned back without the site's key
    PERSONAL = "personal"  # about one person, not naming them
    RESTRICTED = "restricted"  # names or reaches a person; two tables alone


@dataclass(frozen=True)
class Column:
    name: str
    type: Type
    en: str
    zh: str
    unit: str = ""
    personal: Personal = Personal.NONE
    allowed: tuple[str, ...] = ()  # a closed list of codes, empty when free


@dataclass(frozen=True)
class Table:
    name: str
    key: tuple[str, ...]
    en: str
    zh: str
    columns: tuple[Column, ...]
    required: tuple[str, ...] = ()  # columns that may not be null; the key always

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @cached_property
    def arrow(self) -> pa.Schema:
        return pa.schema([(c.name, ARROW[c.type]) for c in self.columns])


def columns_of(spec: str) -> tuple[Column, ...]:
    """Read columns written one a line: ``name type unit level | English | 中文 | codes``."""
    columns = []
    for line in spec.strip().splitlines():
        head, en, zh, *codes = (part.strip() for part in line.split("|"))
        name, kind, unit, level = head.split()
        allowed = tuple(codes[0].split()) if codes else ()
        unit = "" if unit == "-" else unit
        columns.append(Column(name, _TYPES[kind], en, zh, unit, _LEVELS[level], allowed))
    return tuple(columns)


_TYPES = {
    "int": Type.BIGINT,
    "real": Type.DOUBLE,
    "text": Type.TEXT,
    "date": Type.DATE,
    "bool": Type.BOOLEAN,
}
_LEVELS = {
    "-": Personal.NONE,
    "id": Personal.PSEUDONYM,
    "p": Personal.PERSONAL,
    "r": Personal.RESTRICTED,
}
