"""Whom a pilot may be drawn from: customers the offer suits, no gate keeps out, and the month's plan leaves alone.

The standing control group is left alone by every campaign (limits.toml, ``held_out_salt``), so pilots leave it alone
too. Who is treated by the plan of the month has an offer coming just when a pilot would begin.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from keepline.decisions.base import base
from keepline.decisions.gates import closed
from keepline.decisions.offers import suits
from keepline.engine import Engine, Files, Scan
from keepline.errors import UsageError
from keepline.holdout import held_out_tree
from keepline.policy.documents import Offer, Policy
from keepline.publication import Publication, parts_of
from keepline.tables import TABLES

READ = ("features", "scores", "classes", "decisions")


def offer_named(policy: Policy, offer_id: str) -> Offer:
    """The offer of the catalogue; another name is refused with those there are."""
    found = next((offer for offer in policy.offers.offer if offer.id == offer_id), None)
    if found is None:
        names = [offer.id for offer in policy.offers.offer]
        raise UsageError(
            f"offers.toml has no offer {offer_id!r}; it has {', '.join(names)}",
            f"offers.toml 中没有优惠“{offer_id}”；已有 {'、'.join(names)}",
            code="no_offer",
        )
    return found


def see_month(engine: Engine, made: Publication) -> None:
    """Show the published tables that say whom an offer suits."""
    for table in READ:
        engine.see(table, Scan(TABLES[table], (Files(parts_of(made.folder / table)),)))


def eligible(policy: Policy, offer: Offer, columns: Sequence[str]) -> exp.Select:
    """The customers a pilot of the offer may be drawn from, with these columns of the base and their ``class``."""
    return _able(policy, offer, columns, exp.and_(_control(policy).not_(), _decided("treated").not_()))


def counterparts(policy: Policy, offer: Offer, columns: Sequence[str]) -> exp.Select:
    """Those of the standing control group a pilot could be drawn from but for that lot, with the same columns."""
    return _able(policy, offer, columns, exp.and_(_control(policy), _decided("held_out").not_()))


def _able(policy: Policy, offer: Offer, columns: Sequence[str], who: exp.Expr) -> exp.Select:
    same = exp.EQ(this=exp.column("customer_id", table="base"), expression=exp.column("customer_id", table="classes"))
    named = [exp.alias_(exp.column(name, table="base"), name) for name in columns]
    inside = exp.and_(closed(policy).not_(), suits(offer, policy.contact), who)
    able = exp.select("customer_id").from_("base").where(inside)
    return (
        exp.select(*named, exp.alias_(exp.column("class", table="classes"), "class"))
        .from_("base")
        .join("able", on=exp.EQ(this=exp.column("customer_id", table="base"),
                                expression=exp.column("customer_id", table="able")))
        .join("classes", on=same)
        .with_("base", as_=base())
        .with_("able", as_=able)
    )  # fmt: skip


def _control(policy: Policy) -> exp.Expr:
    """Of the standing control group."""
    limits = policy.limits
    customer = exp.column("customer_id", table="base")
    return exp.paren(held_out_tree(limits.held_out_salt, limits.held_out_share, customer))


def _decided(state: str) -> exp.Expr:
    """The month's plan put the customer in this state."""
    there = exp.EQ(this=exp.column("state"), expression=exp.Literal.string(state))
    found = exp.select("customer_id").from_("decisions").where(there)
    return exp.column("customer_id", table="base").isin(query=found)
