"""What is carried of each customer from month to month, so that closing a month reads that month and not the history.

CARRIED holds what was billed, used and owed in each month that a feature looks back to. It is *rolled* from that of the
month before and the month's own rows, or *gathered* from the history where there is none that fits: at first, and when
a late or corrected file changes a month that it holds. Either way gives the same rows, so nobody can tell which it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

from sqlglot import exp

from keepline.canonical import text_hash
from keepline.engine import ID_SPACE, Engine, Files, Range, Scan, pieces
from keepline.features.stage import Stage, Values, bound, declared, load
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.sqlmodel import Value
from keepline.tables import CARRIED, Table

MONTHS = {"bills": 12, "usage": 6, "payments": 6}  # of each table that is carried, as far as a feature looks back
AT_ONCE = 125_000  # customers gathered at once


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

    def roll(self, engine: Engine, *, was: Path, only: Range, to: Path) -> int:
        """Write it for one range from that of the month before, which lies in ``was``; return the customers."""
        engine.see("carried", Scan(CARRIED, (Files((was,)),)), only)
        for table in MONTHS:
            engine.see(table, self.lake.scan(table, self.snapshot, months=1), only)
        return engine.write(self._rolled, CARRIED, to)

    @cached_property
    def made_from(self) -> str:
        """Hash of all that it hangs on: the files of its months and the query. Equal hash, equal rows."""
        return self._hash(0)

    @cached_property
    def former(self) -> str:
        """The hash that what was carried a month ago must have for this to be rolled from it.

        The months are those of then as this snapshot knows them, so a correction since gives another hash.
        """
        return self._hash(1)

    def _hash(self, ago: int) -> str:
        then = self.snapshot + -ago
        content = [self.lake.content(table, then, months=n, known=self.snapshot) for table, n in MONTHS.items()]
        return text_hash([content, _text("gathered", tuple(self.values.items())), declared(CARRIED)])

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
def _text(name: str, values: tuple[tuple[str, Value], ...]) -> str:
    return _query(name, values).sql("duckdb")


def sql_models() -> list[Stage]:
    return [Stage(load("gathered"), {}), Stage(load("rolled"), {})]


@cache
def carried_origins() -> dict[str, set[str]]:
    """For each carried column the lake's columns that it comes from."""
    return Stage(load("gathered"), {}).origins()
