"""Six drivers of loyalty for each customer (K7): how high each stands, and how much of its evidence is known.

    score = Σ weight × evidence / Σ weight        over the evidence that is known
    known = Σ weight of what is known / Σ weight

Evidence runs from 0 at its worst to 1 at its best (:mod:`keepline.policy.drivers`). A driver of which nothing is
known has no score: silence is not indifference.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from sqlglot import exp

from keepline.engine import Engine, Files, Range, Scan
from keepline.periods import Month
from keepline.policy.documents import Loyalty, Policy
from keepline.policy.drivers import DRIVERS as NAMES
from keepline.policy.drivers import Driver
from keepline.sqlmodel import SqlModel
from keepline.tables import DRIVERS, FEATURES

DIGITS = 6


def build_drivers(engine: Engine, policy: Policy, *, snapshot: Month, features: Path, only: Range, to: Path) -> int:
    """Write one range's part of DRIVERS; return its rows."""
    engine.see("features", Scan(FEATURES, (Files((features,), 0),)), only)
    return engine.write(drivers_model(policy.loyalty).bind(month=str(snapshot)).query, DRIVERS, to)


def drivers_model(loyalty: Loyalty) -> SqlModel:
    """The SQL that policy makes; the static check and lineage read it too."""
    said = {driver.name: driver for driver in loyalty.driver}
    columns: dict[str, exp.Expr] = {"customer_id": exp.column("customer_id"), "month": exp.Placeholder(this="month")}
    for name in NAMES:
        columns |= _of(name, said.get(name))
    query = exp.select(*[exp.alias_(tree, name) for name, tree in columns.items()]).from_("told")
    query = query.with_("told", as_=_told(loyalty))
    question = "how high does each driver of loyalty stand, and how much of it is known?"
    return SqlModel("drivers", question, ("features",), DRIVERS.name, query)


def _told(loyalty: Loyalty) -> exp.Select:
    """Each piece of evidence in a column of its own, because score and what is known both ask it."""
    pieces = [(driver.name, i, one) for driver in loyalty.driver for i, one in enumerate(driver.evidence)]
    columns = [exp.alias_(one.tree(), _piece(name, i)) for name, i, one in pieces]
    return exp.select("customer_id", *columns).from_("features")


def _piece(name: str, number: int) -> str:
    return f"{name}_{number}"


def _of(name: str, driver: Driver | None) -> dict[str, exp.Expr]:
    if driver is None:  # policy does not say what it is measured by
        return {name: exp.cast(exp.null(), "DOUBLE"), f"{name}_known": _real(0)}
    weights = [one.weight for one in driver.evidence]
    trees = [exp.column(_piece(name, i)) for i in range(len(weights))]
    score = _sum(
        [exp.Coalesce(this=t.copy(), expressions=[_real(0)]) * _real(w) for t, w in zip(trees, weights, strict=True)]
    )
    known = _sum(
        [exp.case().when(t.is_(exp.null()), _real(0)).else_(_real(w)) for t, w in zip(trees, weights, strict=True)]
    )
    mean = exp.paren(score) / exp.func("NULLIF", exp.paren(known), _real(0))
    share = exp.paren(known.copy()) / _real(sum(weights))
    return {name: _rounded(mean), f"{name}_known": _rounded(share)}


def _sum(trees: list[exp.Expr]) -> exp.Expr:
    return reduce(lambda some, one: exp.Add(this=some, expression=one), trees)  # "+" would copy all before, each time


def _rounded(tree: exp.Expr) -> exp.Expr:
    return exp.func("ROUND", tree, exp.Literal.number(DIGITS))


def _real(value: float) -> exp.Expr:
    return exp.cast(exp.Literal.number(repr(float(value))), "DOUBLE")
