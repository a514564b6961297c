"""Which of a customer's features and of the operator's own facts the models see, and as which numbers.

A number stays a number and an unknown one is NaN inside the matrix (never in a table). A yes/no
fact is 1 or 0. A code becomes one column a level; levels that few customers have are one level.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp, parse_one

from keepline.engine import Engine, Files, Range, Scan
from keepline.periods import Month
from keepline.tables import FEATURES, OF_PEOPLE, TABLES, Type

Vector = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

# Who handles the customer, whether we may speak to them and what a lot said tell nothing of why they would leave.
NEVER = ("customer_id", "month", "manager_id", "consent", "blacklisted", "months_since_lots")
OFFERED = tuple(column for column in FEATURES.columns if column.name not in NEVER)
LEVELS_MAX = 50  # a code with more levels names things (districts, sites) rather than describes them
LEVEL_SHARE_MIN = 0.005
LEVEL_CUSTOMERS_MIN = 20
ATTRIBUTES_MAX = 400
DECIMALS = 6  # engines may differ in a float's last bit; trees must not
UNKNOWN, OTHER = "", "\x00other"
_WINDOW = re.compile(r"_(\d+)m(?:_|$)")
LOOKS_BACK = {  # months, where the name does not say
    "months_billed": 12,
    "revenue_change": 6,
    "revenue_slope_fen": 6,
    "recurring_drop_fen": 4,
    "voice_change": 3,
    "data_change": 3,
    "days_since_contact": 6,
    "months_since_complaint": 12,
}


class Shelf(Protocol):
    """The part of the lake that insight reads."""

    def scan(self, table: str, snapshot: Month, *, months: int | None = None) -> Scan: ...

    def has(self, table: str) -> bool: ...

    def months(self, table: str) -> list[Month]: ...


@dataclass(frozen=True)
class Shown:
    """A shelf with less to read on it and the same to be learnt."""

    shelf: Shelf
    latest: Mapping[str, Path] = field(default_factory=dict)  # parts of LATEST by the table to read them for
    of: tuple[Path, ...] | None = None  # files of rows whose customers alone are asked about

    def scan(self, table: str, snapshot: Month, *, months: int | None = None) -> Scan:
        if table in self.latest:
            return Scan(TABLES[table], (Files((self.latest[table],), 0),))
        return self.shelf.scan(table, snapshot, months=months).among(self.of)

    def has(self, table: str) -> bool:
        return self.shelf.has(table)

    def months(self, table: str) -> list[Month]:
        return self.shelf.months(table)


@dataclass(frozen=True)
class Encoded:
    """One column of the matrix: a column of the rows, or one level of a code."""

    source: str  # column of the rows
    name: str  # feature, or the operator's name of the fact
    level: str | None = None
    kept: tuple[str, ...] = ()  # levels with a column of their own; for the level OTHER


@dataclass(frozen=True)
class Dropped:
    """An input the models do not see, and why: unknown, constant, too_many_levels or short_history."""

    name: str
    why: str


@dataclass(frozen=True)
class Inputs:
    """What the models see. ``attributes`` are the operator's names, in the order of the rows' columns."""

    columns: tuple[Encoded, ...]
    attributes: tuple[str, ...]
    dropped: tuple[Dropped, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column.name for column in self.columns))

    def signs(self, raises: Sequence[str], lowers: Sequence[str]) -> tuple[int, ...]:
        """Which way each column may work by policy: 1 raise the risk, -1 lower it, 0 both; () where all may both."""
        made = tuple((c.name in raises) - (c.name in lowers) if c.level is None else 0 for c in self.columns)
        return made if any(made) else ()

    def matrix(self, rows: pa.Table | pa.RecordBatch) -> Vector:
        """Customers × columns."""
        made = np.empty((rows.num_rows, len(self.columns)), order="F")
        for i, column in enumerate(self.columns):
            made[:, i] = encode(column, rows.column(column.source))
        return made


def encode(column: Encoded, values: Any) -> Vector:
    if column.level is None:
        return numbers(values)
    codes = pc.fill_null(values, UNKNOWN)
    if column.level == OTHER:
        found = pc.invert(pc.is_in(codes, value_set=pa.array(column.kept, pa.string())))
    else:
        found = pc.equal(codes, column.level)
    return np.asarray(found.cast(pa.float64()).to_numpy(zero_copy_only=False) if _batch(found) else _flat(found))


def _batch(values: Any) -> bool:
    return isinstance(values, pa.Array)


def _flat(values: Any) -> Vector:
    return np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)


def numbers(values: Any) -> Vector:
    """A column as floats, unknown as NaN, rounded so that engines agree."""
    cast = values.cast(pa.int64()) if pa.types.is_boolean(values.type) else values
    floats = cast.cast(pa.float64())
    made = np.asarray(floats.to_numpy(zero_copy_only=False) if _batch(floats) else floats.to_numpy())
    return made if pa.types.is_integer(cast.type) else np.asarray(np.round(made, DECIMALS))


def looks_back(feature: str) -> int:
    """Months of history a feature needs to mean the same at every snapshot."""
    named = _WINDOW.search(feature)
    return int(named[1]) if named else LOOKS_BACK.get(feature, 1)


def choose(rows: pa.Table, attributes: Sequence[str], *, history: int | None = None) -> Inputs:
    """Take every feature and own fact that is known and varies among these rows.

    ``history`` is the number of months known at the oldest snapshot learnt from: a sum of
    twelve months that held four then and holds seven now would be taken for a change of the
    customer. None where what is learnt from is what is scored.
    """
    columns: list[Encoded] = []
    dropped: list[Dropped] = []
    for source, name, kind in _offered(attributes):
        if history is not None and source == name and looks_back(name) > history:
            dropped.append(Dropped(name, "short_history"))
            continue
        found, why = _columns(source, name, rows.column(source), kind)
        columns += found
        quiet = name in OF_PEOPLE or (kind is Type.TEXT and source.startswith("code_"))
        if why and not (quiet and why == "unknown"):
            dropped.append(Dropped(name, why))
    numeric = {c.name for c in columns}
    told = tuple(d for d in dropped if d.name not in numeric)
    return Inputs(tuple(columns), tuple(attributes), tuple(dict.fromkeys(told)))


def _offered(attributes: Sequence[str]) -> list[tuple[str, str, Type]]:
    own = [(c.name, c.name, c.type) for c in OFFERED]
    for i, name in enumerate(attributes):
        own += [(f"number_{i}", name, Type.DOUBLE), (f"code_{i}", name, Type.TEXT)]
    return own


def _columns(source: str, name: str, values: Any, kind: Type) -> tuple[list[Encoded], str]:
    if values.null_count == len(values):
        return [], "unknown"
    if kind is Type.TEXT:
        return _levels(source, name, values)
    known = numbers(values)
    known = known[~np.isnan(known)]
    varies = known.min() < known.max() or len(known) < len(values)
    return ([Encoded(source, name)], "") if varies else ([], "constant")


def _levels(source: str, name: str, values: Any) -> tuple[list[Encoded], str]:
    counted = pc.fill_null(values, UNKNOWN).value_counts()
    counts = {entry["values"]: entry["counts"] for entry in counted.to_pylist()}
    if len(counts) > LEVELS_MAX:
        return [], "too_many_levels"
    least = max(LEVEL_CUSTOMERS_MIN, LEVEL_SHARE_MIN * len(values))
    kept = tuple(sorted(level for level, count in counts.items() if count >= least))
    made = [Encoded(source, name, level) for level in kept]
    if len(kept) < len(counts):
        made.append(Encoded(source, name, OTHER, kept))
    return (made, "") if len(made) > 1 else ([], "constant")


def attribute_names(engine: Engine) -> tuple[str, ...]:
    """Names of the operator's own facts in the view ``attributes`` that can be inputs."""
    query = parse_one(
        "SELECT name, COUNT(number) AS numbers, COUNT(DISTINCT code) AS levels FROM attributes GROUP BY name"
    )
    assert isinstance(query, exp.Query)
    found = engine.fetch(query).to_pylist()
    return tuple(sorted(row["name"] for row in found if row["numbers"] or row["levels"])[:ATTRIBUTES_MAX])


def see_rows(
    engine: Engine, lake: Shelf, *, snapshot: Month, features: Scan, attributes: Sequence[str], only: Range | None
) -> None:
    """Make the views ``features`` and, when they are asked for, ``attributes``."""
    engine.see("features", features, only)
    if attributes:
        engine.see("attributes", lake.scan("attributes", snapshot), only)


def rows_query(attributes: Sequence[str], *, columns: Sequence[str] = FEATURES.names) -> exp.Select:
    """Features of each customer with the latest of each own fact beside them."""
    query = exp.select(*[exp.column(name, table="features") for name in columns]).from_("features")
    if not attributes:
        return query
    sources = [f"{kind}_{i}" for i in range(len(attributes)) for kind in ("number", "code")]
    query = query.select(*[exp.column(source, table="own") for source in sources])
    on = exp.EQ(this=exp.column("customer_id", table="features"), expression=exp.column("customer_id", table="own"))
    return query.join(_pivot(attributes).subquery("own"), on=on, join_type="left")


def _pivot(attributes: Sequence[str]) -> exp.Select:
    latest = parse_one(
        "SELECT customer_id, name, number, code,"
        " ROW_NUMBER() OVER (PARTITION BY customer_id, name ORDER BY months_ago) AS nth FROM attributes"
    )
    assert isinstance(latest, exp.Query)
    columns = [exp.column("customer_id")]
    selects: list[exp.Expr] = list(columns)
    for i, name in enumerate(attributes):
        for kind in ("number", "code"):
            asked = exp.EQ(this=exp.column("name"), expression=exp.Literal.string(name))
            case = exp.Case(ifs=[exp.If(this=asked, true=exp.column(kind))])
            selects.append(exp.alias_(exp.Max(this=case), f"{kind}_{i}"))
    return exp.select(*selects).from_(latest.subquery("latest")).where("nth = 1").group_by("customer_id")


def folds(ids: Numbers, *, salt: str, count: int) -> Numbers:
    """The fold of each customer, 0 to ``count`` - 1, by MD5: the same on every engine and every day."""
    digests = (hashlib.md5(f"{salt}:{i}".encode(), usedforsecurity=False).digest() for i in ids.tolist())
    return np.fromiter((int.from_bytes(d[:4], "big") % count for d in digests), dtype=np.int64, count=len(ids))
