"""Who may not be approached at all, in the order in which the reasons are told.

A gate closes on what is known: an unknown number of contacts or age of arrears closes
nothing. Consent is the exception: unknown consent is none (D5).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from keepline.decisions.offers import any_of, by_manager, fits, known, permitted, reaches
from keepline.policy.documents import Contact, Policy


@dataclass(frozen=True)
class Gate:
    """A state, the finer reason for it, and the test over ``base`` that puts a customer there."""

    state: str
    reason: str
    tree: exp.Expr


def gates(policy: Policy) -> tuple[Gate, ...]:
    """Every gate in order; the first that holds is the customer's state."""
    contact = policy.contact
    return (
        *_contactable(policy),
        *_consent(policy),
        Gate("blacklisted", "blacklisted", known(exp.EQ(this=exp.column("blacklisted"), expression=exp.true()))),
        Gate("in_arrears", "arrears_too_old", _over("arrears_months", contact.arrears_months_max)),
        *_recent(contact),
        *_complaint(contact),
        *_pilot(policy),
    )


def closed(policy: Policy) -> exp.Expr:
    """Some gate keeps the customer out."""
    return any_of([gate.tree.copy() for gate in gates(policy)])


def _contactable(policy: Policy) -> list[Gate]:
    offers = policy.offers.offer
    if policy.contact.contacts_month_max == 0:
        return [Gate("not_contactable", "no_contacts_allowed", exp.true())]
    if offers and all(by_manager(offer) for offer in offers):
        return [Gate("not_contactable", "no_manager", exp.paren(exp.column("manager_id").is_(exp.null())))]
    return []


def _consent(policy: Policy) -> list[Gate]:
    """Offers fit, but each goes through a channel that needs a consent that is not there."""
    reached = [exp.and_(fits(offer), reaches(offer)) for offer in policy.offers.offer]
    free = [exp.and_(fits(o), reaches(o), permitted(o, policy.contact)) for o in policy.offers.offer]
    barred = exp.and_(any_of(reached), exp.paren(any_of(free)).not_())
    unknown = exp.column("consent").is_(exp.null())
    return [
        Gate("no_consent", "consent_unknown", exp.paren(exp.and_(unknown, barred))),
        Gate("no_consent", "consent_refused", exp.paren(barred.copy())),
    ]


def _recent(contact: Contact) -> list[Gate]:
    most = exp.column("contacts_out_1m") >= exp.Literal.number(contact.contacts_month_max)
    days = exp.column("days_since_contact")
    ours = days < exp.Literal.number(contact.contact_gap_days_min)
    return [
        Gate("contacted_recently", "month_cap_reached", known(most)),
        Gate("contacted_recently", "gap_too_short", known(ours)),
        Gate("contacted_recently", "own_rhythm", known(days.copy() < exp.column("contact_gap_days"))),
    ]


def _complaint(contact: Contact) -> list[Gate]:
    return (
        [Gate("complaint_open", "complaint_open", _over("complaints_open", 0))] if contact.open_complaint_stops else []
    )


def _pilot(policy: Policy) -> list[Gate]:
    """A pilot is measured over the horizon after its lots; until then nothing else is done to either of its arms."""
    runs = exp.column("months_since_lots") < exp.Literal.number(policy.leaving.horizon_months)
    return [Gate("in_pilot", "pilot_running", known(runs))] if policy.contact.running_pilot_stops else []


def _over(column: str, most: int) -> exp.Expr:
    return known(exp.column(column) > exp.Literal.number(most))
