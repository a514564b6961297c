"""Account managers as of the month: their district, minutes and authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.documents import Limits


@dataclass(frozen=True)
class Manager:
    """None where the operator told nothing."""

    district: str | None
    minutes: int | None
    authority_fen: int | None


def model() -> sqlmodel.SqlModel:
    """The latest row of each manager at or before the snapshot."""
    return sqlmodel.load("keepline.decisions", "managers")


def see_managers(engine: Engine, lake: Lake, snapshot: Month) -> None:
    """Show the lake's table as the view ``managers``."""
    engine.see("managers", lake.scan("managers", snapshot))


def managers(engine: Engine, limits: Limits) -> dict[str, Manager]:
    """Everyone the table tells of; unknown minutes are what policy states for each."""
    rows = engine.fetch(model().query.order_by(exp.column("manager_id"))).to_pylist()
    return {row["manager_id"]: _manager(row, limits) for row in rows}


def minutes_of(manager_id: str | None, known: Mapping[str, Manager], limits: Limits) -> int | None:
    """Minutes of a manager in the month; None: no limit."""
    found = known.get(manager_id) if manager_id is not None else None
    return limits.month_minutes(found.minutes if found else limits.manager_minutes_each)


def _manager(row: Mapping[str, object], limits: Limits) -> Manager:
    minutes, authority, district = row["visit_minutes"], row["authority_fen"], row["district"]
    return Manager(
        district if isinstance(district, str) else None,
        minutes if isinstance(minutes, int) else limits.manager_minutes_each,
        authority if isinstance(authority, int) else None,
    )
