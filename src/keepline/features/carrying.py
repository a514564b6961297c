"""What is carried of each customer from month to month, so that closing a month reads that month and not the history.

CARRIED holds what was billed, used and owed in each month that a feature looks back to. It is *rolled* from that of the
month before and the month's own rows; *mended* besides where late or corrected files change months that it holds, which
are read anew and no others; or *gathered* from the history where there is none that fits, as at first. Each way gives
the same rows, so nobody can tell which it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import ClassVar

from sqlglot import exp

from keepline.canonical import text_hash
from keepline.engine import ID_SPACE, Engine, Files, Range, Scan, pieces
from keepline.features.stage import Stage, Values, bound, declared, load
from keepline.kept import Content
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.sqlmodel import Value
from keepline.tables import CARRIED, Table

MONTHS = {"bills": 12, "usage": 6, "payments": 6}  # of each table that is carried, as far as a feature looks back
AT_ONCE = 125_000  # customers gathered at once
MENDED = 6  # months of one table that are read anew at most: with more, everything is gathered

Again = Mapping[str, frozenset[int]]  # by table how many months ago those are that are read anew


@dataclass(frozen=True)
class Carrying:
    """What is carried up to a snapshot, not yet computed."""

    lake: Lake
    snapshot: Month
    values: Values  # margin in each billed component, by policy
    table: ClassVar[Table] = CARRIED

    def gather(self, engine: Engine, *, only: Range, to: Path, among: tuple[Path, ...] | None = None) -> int:
        """Write it for one range from the whole history that counts; return the customers.

        ``among``: files of rows whose customers alone are wanted.
        """

        def see(piece: Range) -> None:
            for table, months in MONTHS.items():
                engine.see(table, self.lake.scan(table, self.snapshot, months=months).among(among), piece)

        of = self._pieces(only) if among is None else [only]
        return engine.write_pieces(self._gathered, CARRIED, to, see=see, of=of)

    def _pieces(self, only: Range) -> list[Range]:
        """A year of so many columns is wide: half a million customers at once would go to the disk and back."""
        within = self.lake.customers * (only.high - only.low) / ID_SPACE
        return pieces(only, max(1, round(within / AT_ONCE)))

    def way(self, was: Content) -> Callable[..., int] | None:
        """How it comes from what a month ago was made from ``was``: rolled, or mended too; None where it cannot."""
        again = {table: self._changed(table, was[table]) for table in MONTHS}
        if not any(again.values()):
            return self.roll
        return partial(self.mend, again=again) if max(map(len, again.values())) <= MENDED else None

    def roll(self, engine: Engine, *, was: Path, only: Range, to: Path) -> int:
        """Write it for one range from that of the month before, which lies in ``was``; return the customers."""
        engine.see("carried", Scan(CARRIED, (Files((was,)),)), only)
        for table in MONTHS:
            engine.see(table, self.lake.scan(table, self.snapshot, months=1), only)
        return engine.write(self._rolled, CARRIED, to)

    def mend(self, engine: Engine, *, was: Path, only: Range, to: Path, again: Again) -> int:
        """The same where some months are others since; of these the whole files are read anew."""

        def see(piece: Range) -> None:
            engine.see("carried", Scan(CARRIED, (Files((was,)),)), piece)
            for table, months in MONTHS.items():
                scan = self.lake.scan(table, self.snapshot, months=months)
                engine.see(table, scan.months({0, *again[table]}), piece)

        query = _mended(tuple(self.values.items()), tuple(again.items()))
        return engine.write_pieces(query, CARRIED, to, see=see, of=self._pieces(only))

    @cached_property
    def content(self) -> Content:
        """Month and hash of every file that it is made from, by table, as this snapshot knows them."""
        return {table: self.lake.content(table, self.snapshot, months=months) for table, months in MONTHS.items()}

    @cached_property
    def made_by(self) -> str:
        """Hash of the queries; what this is rolled from was made by the same, whichever way."""
        ways = [load(name).query.sql("duckdb") for name in ("rolled", "mended")]
        return text_hash([_text("gathered", tuple(self.values.items())), ways, declared(CARRIED)])

    @cached_property
    def made_from(self) -> str:
        """Hash of all that it hangs on: the files of its months and the query. Equal hash, equal rows."""
        return text_hash([self.content, self.made_by])

    def _changed(self, table: str, was: list[tuple[str, str]]) -> frozenset[int]:
        """Months whose files are others than a month ago; not the month itself, nor one that is let go of now."""
        others = {(month, content) for month, content in was}.symmetric_difference(self.content[table])
        ago = {self.snapshot - Month.parse(month) for month, _ in others}
        return frozenset(ago.intersection(range(1, MONTHS[table])))

    @property
    def _gathered(self) -> exp.Query:
        return _query("gathered", tuple(self.values.items()))

    @property
    def _rolled(self) -> exp.Query:
        return _query("rolled", tuple(self.values.items()))


@lru_cache(maxsize=8)  # policies
def _query(name: str, values: tuple[tuple[str, Value], ...]) -> exp.Query:
    """The same for every month."""
    return bound(load(name), dict(values)).query


@lru_cache(maxsize=8)
def _mended(values: tuple[tuple[str, Value], ...], again: tuple[tuple[str, frozenset[int]], ...]) -> exp.Query:
    """For each carried month whether it is read anew, and as bits those that are not."""
    flags: Values = {}
    for table, months in again:
        before = range(1, MONTHS[table])
        flags |= {f"{table}_{ago}": ago in months for ago in before}
        flags[f"{table}_kept"] = sum(1 << ago for ago in before if ago not in months)
    return _mending().bound(dict(values) | flags)


@lru_cache(maxsize=8)
def _text(name: str, values: tuple[tuple[str, Value], ...]) -> str:
    return _query(name, values).sql("duckdb")


def _mending() -> Stage:
    return Stage(load("mended"), {"gathered": load("gathered")})


def sql_models() -> list[Stage]:
    return [Stage(load("gathered"), {}), Stage(load("rolled"), {}), _mending()]


@cache
def carried_origins() -> dict[str, set[str]]:
    """For each carried column the lake's columns that it comes from."""
    return Stage(load("gathered"), {}).origins()
