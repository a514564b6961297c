"""Aggregates over a publication's parts, one part at a time, so that memory does not grow with the customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Files, Scan
from keepline.sqlmodel import SqlModel
from keepline.tables import TABLES

Row = dict[str, Any]
MODELS = ("spread", "moves", "grid", "leaving", "states", "plan", "managers", "arms", "tenure", "circles", "expected")


def model(name: str) -> SqlModel:
    """One of the report's own aggregate queries."""
    return sqlmodel.load("keepline.report", f"sql/{name}")


class Shelf:
    """The tables of one publication folder; an absent table is an empty view."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder

    def has(self, table: str) -> bool:
        return any((self.folder / table).glob("*.parquet"))

    def sums(self, query: exp.Query, tables: Iterable[str], keys: Iterable[str]) -> list[Row]:
        """The query's rows over all parts: equal keys are one row, everything else is added up.

        Parts of different tables with the same file name hold the same range of customers.
        """
        wanted, key = list(tables), tuple(keys)
        found: dict[tuple[Any, ...], Row] = {}
        for part in self.parts(wanted):
            self.see(part)
            for row in self.engine.fetch(query).to_pylist():
                _add(found, tuple(row[name] for name in key), row, key)
        return [found[at] for at in sorted(found, key=_null_last)]

    def see(self, part: Mapping[str, tuple[Path, ...]]) -> None:
        for table, files in part.items():
            self.engine.see(table, Scan(TABLES[table], (Files(files),)))

    def rows(self, table: str) -> list[Row]:
        """All rows of a small table, such as effects."""
        files = tuple(sorted((self.folder / table).glob("*.parquet")))
        declared = TABLES[table]
        self.engine.see(table, Scan(declared, (Files(files),)))
        query = exp.select(*declared.names).from_(table).order_by(*declared.key)
        rows: list[Row] = self.engine.fetch(query).to_pylist()
        return rows

    def parts(self, tables: list[str]) -> list[Mapping[str, tuple[Path, ...]]]:
        """For each range of customers the files of each table; all at once where tables are cut differently."""
        held = {table: {path.name: path for path in (self.folder / table).glob("*.parquet")} for table in tables}
        names = sorted(set().union(*held.values()))
        if len({frozenset(files) for files in held.values() if files}) > 1:  # cut differently: all at once
            return [{table: tuple(files[n] for n in sorted(files)) for table, files in held.items()}]
        return [{table: (files[n],) if n in files else () for table, files in held.items()} for n in names]


def _add(found: dict[tuple[Any, ...], Row], at: tuple[Any, ...], row: Row, keys: tuple[str, ...]) -> None:
    if at not in found:
        found[at] = dict(row)
        return
    for name, value in row.items():
        if name not in keys and value is not None:
            found[at][name] = (found[at][name] or 0) + value


def _null_last(key: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    return tuple((value is None, "" if value is None else value) for value in key)


def group(rows: Iterable[Row], keys: Iterable[str], sums: Iterable[str]) -> list[Row]:
    """Roll rows up to fewer keys; a sum in which nothing is known stays unknown."""
    key, added = tuple(keys), tuple(sums)
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        slim = {name: row[name] for name in (*key, *added)}
        _add(found, tuple(row[name] for name in key), slim, key)
    return [found[at] for at in sorted(found, key=_null_last)]


def total(rows: Iterable[Row], name: str) -> int | None:
    """The sum of one column; unknown when nothing is known."""
    known: list[int] = [row[name] for row in rows if row[name] is not None]
    return sum(known) if known else None
