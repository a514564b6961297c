"""What each offer asks of a customer, as SQL trees: that it fits, can reach them, and may be made.

Columns are those of the ``base`` relation of :mod:`keepline.decisions.base`. No tree is ever null.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from keepline.policy.conditions import all_hold
from keepline.policy.documents import Contact, Limits, Offer

MANAGER_CHANNELS = ("visit", "manager_call")


def known(tree: exp.Expr) -> exp.Expr:
    """The test, where what is unknown does not hold."""
    return exp.Coalesce(this=exp.paren(tree), expressions=[exp.false()])


def any_of(trees: Sequence[exp.Expr]) -> exp.Expr:
    return exp.or_(*trees) if trees else exp.false()


def by_manager(offer: Offer) -> bool:
    """Offers that the customer's account manager makes in person."""
    return offer.channel in MANAGER_CHANNELS


def fits(offer: Offer) -> exp.Expr:
    """The offer's own conditions hold."""
    return exp.paren(all_hold(offer.eligible))


def reaches(offer: Offer) -> exp.Expr:
    """Somebody can make the offer: a visit needs an account manager."""
    if not by_manager(offer):
        return exp.true()
    return exp.paren(exp.column("manager_id").is_(exp.null()).not_())


def permitted(offer: Offer, contact: Contact) -> exp.Expr:
    """The channel needs no consent, or the customer gave it; unknown consent is none."""
    if offer.channel not in contact.consent_needed_channels:
        return exp.true()
    return known(exp.EQ(this=exp.column("consent"), expression=exp.true()))


def suits(offer: Offer, contact: Contact) -> exp.Expr:
    """The offer fits, can reach the customer and may be made."""
    return exp.paren(exp.and_(fits(offer), reaches(offer), permitted(offer, contact)))


def unit_cost_fen(offer: Offer) -> int:
    """The most one offer costs, in fen: what a manager's authority is held against."""
    return offer.contact_cost_fen + offer.benefit_cost_fen


def expected_cost_fen(offer: Offer) -> int:
    """The contact, and the benefit for the share who take it; half a fen is rounded up."""
    return offer.contact_cost_fen + int(offer.effect.accept_share * offer.benefit_cost_fen + 0.5)


def within_authority(offer: Offer, limits: Limits) -> exp.Expr:
    """The manager may give it alone; reads ``authority_fen``, null where no authority is known."""
    if limits.exceed_authority == "allow" or not by_manager(offer):
        return exp.true()
    bound = exp.column("authority_fen") >= exp.Literal.number(unit_cost_fen(offer))
    return exp.Coalesce(this=exp.paren(bound), expressions=[exp.true()])
