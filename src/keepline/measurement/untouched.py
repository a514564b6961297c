"""Whom a forecast is judged by: those whom the lots leave alone, each for the time before an offer reached them.

To leave out whoever a plan of the window treated keeps those who left too early to be treated, and tells the rate of
leaving too high. Who left is out of every later plan, so treatment tells of staying. A lot tells of nothing: those whom
the lots of all plans of the window leave alone are drawn from the base at its beginning, whatever became of them.

Who of them was reached all the same, by hand or in a pilot of other lots, counts as staying for the part of the window
before, as models learn (docs/mechanisms/leaving.md): kept by a lot with the chance of that part, to the middle of the
month, so that leavers over time observed stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from keepline import sqlmodel
from keepline.holdout import Lot
from keepline.measurement.outcomes import PACKAGE, Window
from keepline.periods import months_between

OFFERED = ("deliveries", "approvals")  # what ``reached`` is read from
SALT = "reached"


def left_alone(lots: Iterable[Lot]) -> exp.Select:
    """``people``: of those scored, whom every lot leaves alone; everybody where there is none."""
    people = sqlmodel.load(PACKAGE, "judged_people").query
    assert isinstance(people, exp.Select)
    return people.where(*(exp.paren(lot.tree(exp.column("customer_id"))) for lot in dict.fromkeys(lots)))


def until_reached(people: exp.Select, window: Window) -> exp.Select:
    """``people`` without those whom the lot drops, because too little of the window came before ``reached`` them."""
    dropped = exp.select("customer_id").from_("reached").where(exp.paren(_kept(window)).not_())
    return people.where(exp.column("customer_id").isin(query=dropped).not_())


def _kept(window: Window) -> exp.Expr:
    """The lot of who was reached in a month: the chance is the part of the window that lies before its middle."""
    kept = []
    for before, month in enumerate(months_between(window.snapshot + 1, window.last)):
        lot = Lot(SALT, (before + 0.5) / window.months).tree(exp.column("customer_id"))
        kept.append(exp.and_(exp.EQ(this=exp.column("month"), expression=exp.Literal.string(str(month))), lot))
    return exp.or_(*kept)
