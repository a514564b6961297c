"""The one state each customer of the base ends in, with its reason: gates, offers, gains, then the plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from sqlglot import exp

from keepline.decisions import managers, offers
from keepline.decisions.base import base
from keepline.decisions.gates import Gate, gates
from keepline.decisions.offers import any_of
from keepline.periods import Month
from keepline.policy.documents import Offer, Policy
from keepline.sqlmodel import SqlModel, literal

KEPT = ("customer_id", "manager_id", "arm", "chosen", "chosen_gain_fen", "chosen_cost_fen")
READS = ("features", "scores", "managers", "candidates", "assignments")


def model(policy: Policy, *, snapshot: Month, model_version: str, gaining: Collection[str] | None = None) -> SqlModel:
    """DECISIONS from the base, the candidates and what the allocation assigned.

    ``gaining``: the offers that would gain with anybody at all; None where that is not known.
    """
    stamps = {"policy_version": literal(policy.version), "model_version": literal(model_version)}
    columns = {
        "month": literal(str(snapshot)),
        "state": exp.column("state"),
        "arm": exp.column("arm"),
        "offer_id": _treated(exp.column("chosen")),
        "channel": _treated(_by_offer(policy, lambda offer: literal(offer.channel))),
        "manager_id": exp.column("manager_id"),
        "reason": exp.column("reason"),
        "gain_fen": _treated(exp.column("chosen_gain_fen")),
        "cost_fen": _treated(exp.column("chosen_cost_fen")),
        **stamps,
    }
    query = exp.select("customer_id", *[exp.alias_(tree, name) for name, tree in columns.items()]).from_("judged")
    steps = {"base": base(), "in_charge": managers.model().query, "best": _best(policy), "seen": _seen()}
    found = verdicts(policy, gaining)
    for name, step in (steps | {"ruled": _ruled(found), "judged": _judged(found)}).items():
        query = query.with_(name, as_=step, copy=False)
    return SqlModel("decisions", "what is done for each customer, and why or why not?", READS, "decisions", query)


def verdicts(policy: Policy, gaining: Collection[str] | None = None) -> tuple[Gate, ...]:
    """Every state and reason in order; the first that holds is the customer's, the last always holds."""
    suiting = [offers.suits(offer, policy.contact) for offer in policy.offers.offer]
    allowed = [
        exp.and_(offers.suits(offer, policy.contact), offers.within_authority(offer, policy.limits))
        for offer in policy.offers.offer
    ]
    shut = (
        *_no_offer(policy, exp.paren(any_of(suiting)).not_()),
        Gate("beyond_authority", "cost_beyond_authority", exp.paren(any_of(allowed)).not_()),
    )
    known = policy.offers.offer if gaining is None else [o for o in policy.offers.offer if o.id in gaining]
    earning = [tree for offer, tree in zip(policy.offers.offer, allowed, strict=True) if offer in known]
    return (
        *_gates(policy, (*shut, *_in_vain(earning))),
        *shut,
        Gate("treated", "worth_its_price", exp.and_(_is("arm", "treated"), _by_rule())),
        Gate("treated", "filled_up", _is("arm", "treated")),
        Gate("held_out", "drawn_by_lot", _is("arm", "held_out")),
        Gate("below_cut", "outbid", _positive("top_within_fen")),
        *_no_gain(),
    )


def _gates(policy: Policy, shut: Sequence[Gate]) -> Iterator[Gate]:
    """Every gate; that of a running pilot also tells who would be in no plan without it.

    To people who sell both arms of a pilot read as below the cut. Of a customer whom no offer suits, or who could gain
    by none, they would see that this cannot be, and that it is a pilot.
    """
    for gate in gates(policy):
        if gate.state == "in_pilot":
            yield from (
                Gate(gate.state, f"pilot_{other.reason}", exp.and_(gate.tree.copy(), other.tree.copy()))
                for other in shut
            )
        yield gate


def _in_vain(earning: Sequence[exp.Expr]) -> list[Gate]:
    """No gain could be told of any offer the customer may have."""
    unknown = [exp.paren(exp.column(name).is_(exp.null())) for name in ("value_fen", "leave_probability")]
    return [
        Gate("no_gain", "scores_unknown", exp.paren(any_of(unknown))),
        Gate("no_gain", "gain_not_positive", exp.paren(any_of([tree.copy() for tree in earning])).not_()),
    ]


def _no_offer(policy: Policy, none: exp.Expr) -> list[Gate]:
    if not policy.offers.offer:
        return [Gate("no_offer_fits", "no_offers", none)]
    fitting = any_of([offers.fits(offer) for offer in policy.offers.offer])
    return [
        Gate("no_offer_fits", "conditions_not_met", exp.and_(none, exp.paren(fitting).not_())),
        Gate("no_offer_fits", "offer_needs_manager", none.copy()),
    ]


def _no_gain() -> list[Gate]:
    unseen = exp.column("top_gain_fen").is_(exp.null())
    unknown = [exp.column(name).is_(exp.null()) for name in ("value_fen", "leave_probability")]
    return [
        Gate("no_gain", "gain_beyond_authority", _positive("top_gain_fen")),
        Gate("no_gain", "scores_unknown", exp.and_(unseen, exp.paren(any_of(list(unknown))))),
        Gate("no_gain", "effect_not_measured", unseen.copy()),
        Gate("no_gain", "gain_not_positive", exp.true()),
    ]


def _is(column: str, value: str) -> exp.Expr:
    return offers.known(exp.EQ(this=exp.column(column), expression=literal(value)))


def _by_rule() -> exp.Expr:
    return offers.known(exp.EQ(this=exp.column("by_rule"), expression=exp.true()))


def _positive(column: str) -> exp.Expr:
    return offers.known(exp.column(column) > exp.Literal.number(0))


def _best(policy: Policy) -> exp.Select:
    """By customer: the highest gain of all candidates, and of those within the manager's authority."""
    within = any_of(
        [
            exp.and_(_is("offer_id", offer.id), offers.within_authority(offer, policy.limits))
            for offer in policy.offers.offer
        ]
    )
    gain = exp.column("gain_fen")
    allowed = exp.case().when(within, gain.copy()).else_(exp.null())
    same = exp.EQ(
        this=exp.column("manager_id", table="candidates"), expression=exp.column("manager_id", table="in_charge")
    )
    return (
        exp.select(
            exp.column("customer_id", table="candidates"),
            exp.alias_(exp.Max(this=gain), "top_gain_fen"),
            exp.alias_(exp.Max(this=allowed), "top_within_fen"),
        )
        .from_("candidates")
        .join("in_charge", on=same, join_type="left")
        .group_by(exp.column("customer_id", table="candidates"))
    )


def _seen() -> exp.Select:
    """Each customer with the manager's authority, the best candidate and the assignment."""
    more = {
        "authority_fen": exp.column("authority_fen", table="in_charge"),
        "top_gain_fen": exp.column("top_gain_fen", table="best"),
        "top_within_fen": exp.column("top_within_fen", table="best"),
        "arm": exp.column("arm", table="assignments"),
        "chosen": exp.column("offer_id", table="assignments"),
        "by_rule": exp.column("by_rule", table="assignments"),
        "chosen_gain_fen": exp.column("gain_fen", table="assignments"),
        "chosen_cost_fen": exp.column("cost_fen", table="assignments"),
    }
    query = exp.select("base.*", *[exp.alias_(tree, name) for name, tree in more.items()]).from_("base")
    query = query.join("in_charge", on=_same("manager_id", "in_charge"), join_type="left")
    for other in ("best", "assignments"):
        query = query.join(other, on=_same("customer_id", other), join_type="left")
    return query


def _same(column: str, other: str) -> exp.Expr:
    return exp.EQ(this=exp.column(column, table="base"), expression=exp.column(column, table=other))


def _ruled(found: Sequence[Gate]) -> exp.Select:
    """The number of the first verdict that holds; each is asked once, though it tells both state and reason."""
    number = exp.Case(ifs=[_number(i, verdict.tree) for i, verdict in enumerate(found)])
    return exp.select(*KEPT, exp.alias_(number, "verdict")).from_("seen")


def _number(place: int, holds: exp.Expr) -> exp.If:
    return exp.If(this=holds, true=exp.Literal.number(place))


def _judged(found: Sequence[Gate]) -> exp.Select:
    state, reason = exp.Case(this=exp.column("verdict")), exp.Case(this=exp.column("verdict"))
    for place, verdict in enumerate(found):
        state = state.when(exp.Literal.number(place), literal(verdict.state), copy=False)
        reason = reason.when(exp.Literal.number(place), literal(verdict.reason), copy=False)
    return exp.select(*KEPT, exp.alias_(state, "state"), exp.alias_(reason, "reason")).from_("ruled")


def _treated(tree: exp.Expr) -> exp.Expr:
    """Known for treated customers alone: nothing is to be done for the others."""
    return exp.case().when(_is("state", "treated"), tree).else_(exp.null())


def _by_offer(policy: Policy, told: Callable[[Offer], exp.Expr]) -> exp.Expr:
    chosen = exp.case()
    for offer in policy.offers.offer:
        chosen = chosen.when(_is("chosen", offer.id), told(offer))
    return chosen.else_(exp.null()) if policy.offers.offer else exp.null()
