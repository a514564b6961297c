"""Features of a snapshot's base, and labels of a past base: SQL models, their views and parameters put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from sqlglot import exp

from keepline.canonical import text_hash
from keepline.engine import Engine, Files, Range, Scan
from keepline.errors import PolicyError, TooFewError
from keepline.features.carrying import Carrying, carried_origins
from keepline.features.carrying import sql_models as carrying_models
from keepline.features.known import Knowledge, known_months
from keepline.features.lacks import Lack, lacking
from keepline.features.latest import Latest, latest_of
from keepline.features.latest import sql_models as latest_models
from keepline.features.stage import Stage, Values, declared, load
from keepline.lake.store import Lake
from keepline.periods import Month, months_between
from keepline.policy.conditions import Condition
from keepline.policy.documents import Policy
from keepline.policy.margins import POINTS, basis_points
from keepline.tables import CARRIED, FEATURES, LABELS, TABLES

__all__ = [
    "Base",
    "Lack",
    "Outcomes",
    "Stage",
    "base_of",
    "build_features",
    "build_labels",
    "column_origins",
    "label_origins",
    "lacking",
    "outcomes_of",
    "sql_models",
    "take_features",
]

OUTCOMES = ("bills", "usage", "departures", "deliveries", "approvals")  # what the outcome window is read from
PARTS = (
    "people",
    "ledger",
    "complained",
    "contacted",
    "faulty",
    "held",
    "answered",
    "brought",
    "circle",
    "granted",
    "promised",
    "drawn",
    "gone",
)
USED = ("voice_s", "voice_in_s", "roaming_s", "data_kb", "sms", "active_days")
LEFT_BY = {
    "departure": {"departures.customer_id", "departures.month"},
    "silent": {"bills.amount_fen", "bills.month", "usage.month", *(f"usage.{name}" for name in USED)},
}
# How many months of each table are read; None: all, where the latest row at or before the snapshot counts.
WINDOWS: dict[str, int | None] = {
    "customers": None,
    "lines": None,
    "plans": None,
    "departures": None,
    "contacts": 6,
    "approvals": 6,
    "promises": 12,
    "experiments": 12,
    "complaints": 12,
    "survey_answers": 12,
    "network_faults": 3,
    "call_edges": 3,
}
# Seen whole, because rows of other ranges count: who was brought, and which peers left.
SEEN_WHOLE: dict[str, tuple[str, int]] = {"referrals": ("referrals", 12), "departures_anywhere": ("departures", 3)}


@dataclass(frozen=True)
class Base:
    """The base of a snapshot: everyone active in that month by policy who has not left, or has come back.

    One query for all ranges.
    """

    lake: Lake
    snapshot: Month
    query: exp.Query
    carrying: Carrying

    @property
    def latest(self) -> list[Latest]:
        """What else is worth carrying to the month that is closed."""
        return latest_of(self.lake, self.snapshot, WINDOWS)

    def build(
        self,
        engine: Engine,
        *,
        carried: Path,
        only: Range,
        to: Path,
        latest: Mapping[str, Path] = MappingProxyType({}),
        among: tuple[Path, ...] | None = None,
    ) -> int:
        """Write the features of one range of the base from its part of CARRIED; return the customers.

        ``latest``: parts of LATEST by the table to read them for. ``among``: files of rows whose customers alone are
        wanted.
        """
        engine.see("carried", Scan(CARRIED, (Files((carried,)),)), only)
        for table, months in WINDOWS.items():
            if table in latest:
                seen = Scan(TABLES[table], (Files((latest[table],), 0),))
            else:
                seen = self.lake.scan(table, self.snapshot, months=months).among(among)
            engine.see(table, seen, only)
        for view, (table, months) in SEEN_WHOLE.items():
            engine.see(view, self.lake.scan(table, self.snapshot, months=months))
        return engine.write(self.query, FEATURES, to)

    def anew(self, engine: Engine, *, only: Range, to: Path, among: tuple[Path, ...] | None = None) -> int:
        """Write them from nothing but the lake."""
        carried = to.with_name(f"carried-{to.name}")  # Spark passes over names that begin with a dot
        self.carrying.gather(engine, only=only, to=carried, among=among)
        customers = self.build(engine, carried=carried, only=only, to=to, among=among)
        carried.unlink()
        return customers

    def made_from(self) -> str:
        """Hash of all that the features hang on: files, policy and the query itself. Equal hash, equal features."""
        windows = [*WINDOWS.items(), *SEEN_WHOLE.values()]
        content = [(table, self.lake.content(table, self.snapshot, months=months)) for table, months in windows]
        return text_hash([content, self.carrying.made_from, self.query.sql("duckdb"), declared(FEATURES)])


def base_of(lake: Lake, policy: Policy, snapshot: Month) -> Base:
    """The base and its features, not yet computed.

    Raises TooFewError when the lake has no customers or no bills of that month.
    """
    _require(lake, snapshot)
    values: Values = {
        **Knowledge(lake, snapshot).flags(),
        "month": str(snapshot),
        "month_end": snapshot.last_day,
    }
    everyone = _features().bound(values)
    carrying = Carrying(lake, snapshot, dict(basis_points(policy.value)))
    return Base(lake, snapshot, _active(everyone, policy.leaving.active_when), carrying)


def build_features(engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, only: Range, to: Path) -> int:
    """Write the features of one range of the base of ``snapshot`` from nothing but the lake; return the customers."""
    return base_of(lake, policy, snapshot).anew(engine, only=only, to=to)


def take_features(
    engine: Engine, parts: Sequence[Path], *, only: Range, to: Path, among: tuple[Path, ...] | None = None
) -> int:
    """Write some customers' rows of features that were made for more; return the customers."""
    engine.see("features", Scan(FEATURES, (Files(tuple(parts), 0),)).among(among), only)
    query = exp.select(*FEATURES.names).from_("features").order_by("customer_id")
    return engine.write(query, FEATURES, to)


def _require(lake: Lake, snapshot: Month) -> None:
    absent = [table for table in ("customers", "bills") if not lake.has(table)]
    since = None if absent else lake.counts_from("bills", snapshot)
    if since is not None and since != snapshot:
        raise TooFewError(
            f"the bills of {snapshot} count from {since} on, as they were loaded when {snapshot} was published "
            f"already, so nothing can be learnt of that month; load their files again with: keepline intake load FILE "
            f"--accept reopen",
            f"{snapshot} 的账单在该账期发布之后才载入，自 {since} 起才计入，因此无法从该账期学习；"
            f"请重新载入这些文件：keepline intake load 文件 --accept reopen",
            code="bills_count_later",
        )
    if since is None:
        what = " and ".join(absent) or f"bills of {snapshot}"
        raise TooFewError(
            f"the lake holds no {what}; customers and bills are the two tables nothing can be done without: load them",
            f"数据湖中没有 {what}；customers 与 bills 是必需的两张表，请先装载",
            code="required_table_absent",
        )


def _active(everyone: exp.Query, conditions: Sequence[Condition]) -> exp.Select:
    """The base, around ``everyone``: any one condition holds. Scores come after features and may not be asked for."""
    foreign = [condition.feature for condition in conditions if condition.feature not in FEATURES.names]
    if foreign or not conditions:
        why = f"asks for {', '.join(foreign)}, known only later" if foreign else "is empty, so nobody would be active"
        raise PolicyError(
            f"leaving.toml: active_when {why}; use features of docs/tables.md, for example revenue_fen above 0",
            "leaving.toml：active_when 只能使用 docs/tables.md 中的特征，且至少一条，例如 revenue_fen 大于 0",
            code="active_when",
        )
    holds = exp.or_(*[condition.tree("everyone") for condition in conditions])
    base = everyone.subquery("everyone", copy=False)  # ours alone, and long to copy
    return exp.select(*FEATURES.names).from_(base, copy=False).where(holds, copy=False)


@dataclass(frozen=True)
class Outcomes:
    """What became of a past base within the policy's horizon: the only reader of rows after its snapshot."""

    outcome: dict[str, Scan]
    content: list[list[tuple[str, str]]]
    query: exp.Query

    def build(self, engine: Engine, *, base: Path, only: Range, to: Path) -> int:
        """Write what became of one part of the base; return the customers."""
        engine.see("features", Scan(FEATURES, (Files((base,)),)), only)
        for table, scan in self.outcome.items():
            engine.see(table, scan, only)
        return engine.write(self.query, LABELS, to)

    def made_from(self, base: str) -> str:
        """Hash of all that the labels hang on, with that of the base."""
        return text_hash([base, self.content, self.query.sql("duckdb"), declared(LABELS)])


def outcomes_of(lake: Lake, policy: Policy, snapshot: Month, *, known: Month | None = None) -> Outcomes:
    """The labels of a past base, not yet computed; of its window what ``known`` knows, which is its end's if not given.

    Raises TooFewError when the lake does not hold the whole outcome window, unless policy
    learns from this one labelled snapshot.
    """
    first, last = snapshot + 1, snapshot + policy.leaving.horizon_months
    as_of = last if known is None else max(known, last)
    outcome = {table: lake.window(table, first, last, known=as_of) for table in OUTCOMES}
    _require_window(_absent(lake, policy, outcome["bills"], first=first, known=as_of), first=first, last=last)
    ever = lake.scan("departures", last, known=as_of)
    query = _labels(policy.leaving.left_when).bound(_label_values(policy, outcome, ever))
    content = [lake.content(table, last, months=last - snapshot, known=as_of) for table in OUTCOMES]
    return Outcomes(outcome, content, query)


def build_labels(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, base: Path, only: Range, to: Path
) -> int:
    """Write what became of one part of a past base; return the customers."""
    return outcomes_of(lake, policy, snapshot).build(engine, base=base, only=only, to=to)


def _label_values(policy: Policy, outcome: dict[str, Scan], departures: Scan) -> Values:
    """``departures``: all that were ever recorded up to the end of the window."""
    billed = known_months(outcome["bills"], "amount_fen")
    recorded = bool(known_months(departures, "customer_id"))
    return {
        **basis_points(policy.value),
        "horizon": policy.leaving.horizon_months,
        "leaving_known": recorded or policy.leaving.left_when == "silent",
        "port_out_known": bool(known_months(departures, "kind")),
        "bills_at_end": 0 in billed,
        "bills_within": bool(billed),
        "downgrade_keeps_bp": POINTS - round(policy.leaving.downgrade_fall_share * POINTS),
    }


def _absent(lake: Lake, policy: Policy, bills: Scan, *, first: Month, known: Month) -> dict[str, list[Month]]:
    """The months of a window of which a table that labels read is not loaded; a single labelled file needs none."""
    leaving, last = policy.leaving, first + (policy.leaving.horizon_months - 1)
    if leaving.learn_from == "this_snapshot" and leaving.left_when == "departure":
        return {}
    billed = known_months(bills, "customer_id")
    told_by = "usage" if leaving.left_when == "silent" else "departures"
    return {
        "bills": [month for month in months_between(first, last) if last - month not in billed],
        told_by: lake.gaps(told_by, first, last, known=known),
    }


def _require_window(absent: Mapping[str, Sequence[Month]], *, first: Month, last: Month) -> None:
    """A month of which a table is not loaded would make everyone silent, or nobody leave."""
    lacking = {table: list(map(str, months)) for table, months in absent.items() if months}
    if not lacking:
        return
    en = "; ".join(f"{table} of {', '.join(months)}" for table, months in lacking.items())
    zh = "；".join(f"{table} 的 {'、'.join(months)}" for table, months in lacking.items())
    raise TooFewError(
        f"the outcome window {first} to {last} is not whole; not loaded are {en}. What became of customers cannot be "
        "told without: load them, or, where they are long past and cannot be had, learn from fewer past months "
        "(training_snapshots in leaving.toml)",
        f"结果窗口 {first} 至 {last} 不完整，未装载：{zh}。缺少它们就不知道客户后来如何：请先装载；若年代已久、"
        "无法补齐，请在 leaving.toml 中减少 training_snapshots",
        code="window_open",
    )


def _features() -> Stage:
    return Stage(load("features"), {name: load(name) for name in PARTS})


def _labels(left_when: str) -> Stage:
    name = "left_silent" if left_when == "silent" else "left_recorded"
    return Stage(load("labels"), {"gone_within": load(name)})


def sql_models() -> list[Stage]:
    """Every SQL model of this room with its parts, for the static check and lineage."""
    return [_features(), *carrying_models(), *latest_models(), _labels("departure"), _labels("silent")]


def column_origins(column: str) -> set[str]:
    """The lake's columns, as ``table.column``, that a feature comes from."""
    return _feature_origins()[column]


def label_origins(left_when: str) -> dict[str, set[str]]:
    """For each column of LABELS the columns that it comes from; that somebody left is told by which rows there are."""
    made = _labels(left_when).origins()
    return made | {name: made[name] | LEFT_BY[left_when] for name in ("left_within", "left_after")}


@cache
def _feature_origins() -> dict[str, set[str]]:
    """Traced once, through what is carried: the models do not change while a process runs."""
    carried = {f"{CARRIED.name}.{name}": sources for name, sources in carried_origins().items()}
    return {
        column: {origin for source in sources for origin in carried.get(source, {source})}
        for column, sources in _features().origins().items()
    }
