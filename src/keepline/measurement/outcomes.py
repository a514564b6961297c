"""What became of some customers within an outcome window: the one place that says who left and what they brought.

A window of ``w`` months after a snapshot runs from the month after it. Leaving follows
``leaving.toml``: a recorded departure, or the first month without any use and any bill.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Files, Range, Scan
from keepline.lake.store import Lake
from keepline.periods import Month, months_between
from keepline.policy.documents import Policy
from keepline.policy.margins import basis_points
from keepline.sqlmodel import SqlModel
from keepline.tables import Table

PACKAGE = "keepline.measurement"
GONE = {"departure": "gone_departure", "silent": "gone_silent"}
WINDOW_TABLES = ("bills", "usage", "departures")


@dataclass(frozen=True)
class Window:
    """The outcome window of a snapshot, ``months`` long."""

    snapshot: Month
    months: int

    @property
    def last(self) -> Month:
        return self.snapshot + self.months


def is_whole(lake: Lake, *, window: Window, known: Month) -> bool:
    """Bills of every month of the window are loaded, as ``known`` knows it; a month without would bring no margin."""
    seen = {Month.parse(file.month) for file in lake.versions(known) if file.table == "bills"}
    return set(months_between(window.snapshot + 1, window.last)) <= seen


def has_gaps(lake: Lake, policy: Policy, *, window: Window, known: Month) -> bool:
    """Of some month of the window what tells of leaving is not loaded, as ``known`` knows it.

    Departures may come later than bills, and then nobody would have left; without usage everyone would be silent whom
    nothing was billed.
    """
    table = "usage" if policy.leaving.left_when == "silent" else "departures"
    return bool(lake.gaps(table, window.snapshot + 1, window.last, known=known))


def leaving_is_known(lake: Lake, policy: Policy, *, window: Window, known: Month) -> bool:
    """Nothing is lacking of the window, as ``known`` knows it, and departures are on record where they tell."""
    if has_gaps(lake, policy, window=window, known=known):
        return False
    return policy.leaving.left_when == "silent" or bool(lake.content("departures", window.last, known=known))


def see_window(engine: Engine, lake: Lake, *, window: Window, known: Month, only: Range | None = None) -> None:
    """Make the views the outcomes are read from: the window's months as ``known`` knows them, with what came late."""
    for table in WINDOW_TABLES:
        engine.see(table, lake.window(table, window.snapshot + 1, window.last, known=known), only)


def see_parts(engine: Engine, *, view: str, table: Table, parts: tuple[Path, ...], only: Range | None = None) -> None:
    """Make a view over part files of one publication or one range of work."""
    engine.see(view, Scan(table, (Files(parts, 0),)), only)


def parts_for(policy: Policy, *, window: Window, people: SqlModel) -> dict[str, exp.Query]:
    """``people``, ``gone`` and ``outcomes`` as queries to be composed, in the order they read each other."""
    gone = sqlmodel.load(PACKAGE, GONE[policy.leaving.left_when]).bind(months=window.months)
    made = sqlmodel.load(PACKAGE, "outcomes").bind(months=window.months, **basis_points(policy.value))
    return {"people": people.query, "gone": gone.query, "outcomes": made.query}


def compose(query: exp.Query, parts: dict[str, exp.Query]) -> exp.Query:
    """Let a query read the parts by name."""
    return SqlModel("measurement", "", (), "", query).with_parts(parts).query


def discounts(rate_year: float, *, months: int) -> exp.Query:
    """The factor of each month of a horizon: ``(1 + rate) ** (-months after the snapshot / 12)``."""
    rows = [
        exp.select(
            exp.alias_(exp.cast(exp.Literal.number(months - after), "BIGINT"), "months_ago"),
            exp.alias_(exp.cast(exp.Literal.string(repr((1 + rate_year) ** (-after / 12))), "DOUBLE"), "factor"),
        )
        for after in range(1, months + 1)
    ]
    return exp.union(*rows, distinct=False) if len(rows) > 1 else rows[0]


def sql_models() -> list[tuple[SqlModel, dict[str, SqlModel]]]:
    """Every SQL model of the room with the parts it reads by name, for the static check and lineage."""
    names = ("compared_people", "gone_departure", "outcomes", "judged_people", "pilot_people", "gone_silent", "reached")
    loaded = {name: sqlmodel.load(PACKAGE, name) for name in (*names, "arm_sums", "score_cells", "value_sums")}
    factors = SqlModel("discounts", "what is a later fen worth?", (), "discounts", discounts(0.1, months=2))
    people, gone, made = loaded["compared_people"], loaded["gone_departure"], loaded["outcomes"]
    return [
        (people, {}),
        (loaded["pilot_people"], {}),
        (loaded["judged_people"], {}),
        (gone, {}),
        (loaded["gone_silent"], {"people": people}),
        (made, {"people": people, "gone": gone}),
        (loaded["arm_sums"], {"outcomes": made}),
        (loaded["reached"], {}),
        (loaded["score_cells"], {"people": loaded["judged_people"], "gone": gone, "reached": loaded["reached"]}),
        (loaded["value_sums"], {"people": people, "discounts": factors}),
    ]
