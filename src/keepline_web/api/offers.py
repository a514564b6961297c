"""Offers: the catalogue for a customer, asking for one, what became of it, and deciding what others ask."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.fields import (
    EACH,
    CustomerPath,
    Fen,
    In,
    Key,
    Named,
    Out,
    Paged,
    PageNumber,
    PageSize,
    PathId,
    Words,
    at,
    named,
    paged,
)
from keepline_web.api.shapes import Who, who_of
from keepline_web.customers.queries import Shown, access_account, shown, shown_while_seen
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work import proposals
from keepline_web.work.authority import authority_of
from keepline_web.work.holding import take_up
from keepline_web.work.models import Proposal, Ruling
from keepline_web.work.precedents import Before, Precedent, precedents
from keepline_web.work.queries import catalogue_of

NAME = "优惠 · offers"
router = Router()


class Offered(Out):
    """An offer of the month's catalogue, and whether the plan has it for the customer."""

    offer_id: str
    name: Words
    purpose: str
    price_fen: int
    list_price_fen: int
    floor_price_fen: int
    unit_cost_fen: int
    planned: bool


class ProposalIn(In):
    key: Key
    offer_id: str = Field(min_length=1, max_length=60)
    price_fen: Fen
    reason: str = Field(min_length=4, max_length=200, examples=["客户收到竞争对手报价"])


class RulingShape(Out):
    number: int
    what: str
    needs_level: int
    reason: str
    by: str
    on_day: dt.date
    last_on: dt.date | None  # that an approved one may be taken up


class ProposalShape(Who):
    id: int
    offer_id: str
    offer: Words
    month: str
    price_fen: int
    list_price_fen: int
    floor_price_fen: int
    cost_fen: int
    gain_fen: int | None
    net_fen: int | None
    reason: str
    made_by: Named
    made_on: dt.date
    state: str
    needs_level: int
    rulings: list[RulingShape]


class PrecedentShape(Who):
    """An earlier decision of an account one sees: what was asked and what became of it."""

    proposal_id: int
    offer: Words
    price_fen: int
    below_list_share: float
    same_offer: bool
    same_need: bool
    class_code: str
    asked_because: str
    what: str
    because: str
    by: str
    on_day: dt.date


class BeforeShape(Out):
    """How the same offer was decided within a year, and the likest decisions."""

    approved: int
    declined: int
    low_fen: int | None
    median_fen: int | None
    likest: list[PrecedentShape]


class WaitingShape(ProposalShape):
    """A proposal to decide: whether one's own authority is enough to approve it, and what was decided before."""

    within_authority: bool
    before: BeforeShape


class AuthorityShape(Out):
    """What one may give alone: in one offer, and in a month (null: no limit), with what is used and left of it."""

    each_fen: int
    month_fen: int | None
    used_fen: int
    left_fen: int | None


class DecisionIn(In):
    what: Literal[proposals.RULINGS]  # type: ignore[valid-type]
    reason: str = Field("", max_length=200, description="needed unless it is approved")


@router.get("accounts/{customer_id}/offers", response=list[Offered],
            **needs(Act.OWN_DAY, "read", zh="可申请的优惠", en="Offers that may be asked for"))  # fmt: skip
def list_offers(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """The catalogue of the last month; what the plan has for the customer comes first."""
    offers, planned = catalogue_of(access_account(request.user, at(customer_id)))
    names = ("offer_id", "purpose", "price_fen", "list_price_fen", "floor_price_fen", "unit_cost_fen")
    return [
        {name: offer[name] for name in names}
        | {"name": {"zh": offer["zh"], "en": offer["en"]}, "planned": offer["offer_id"] in planned}
        for offer in offers
    ]


@router.post("accounts/{customer_id}/proposals", response={201: ProposalShape},
             **needs(Act.OWN_DAY, "work", zh="申请优惠", en="Ask for an offer"))  # fmt: skip
def propose(request: HttpRequest, customer_id: CustomerPath, said: ProposalIn) -> Any:
    """Within one's own authority it is approved at once; beyond it goes up the chain."""
    made = proposals.propose(by=request.user, customer_id=at(customer_id), **said.model_dump())
    return _one(request.user, made.pk)


@router.get("proposals", response=Paged[ProposalShape],
            **needs(Act.OWN_DAY, "read", zh="我的申请", en="What one asked for"))  # fmt: skip
def list_proposals(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """Offers one asked for, latest first, and what became of them."""
    return _paged(proposals.proposals_of(request.user).filter(made_by=request.user), request.user, page, each)


@router.post("proposals/{proposal_id}/withdraw", response={201: ProposalShape},
             **needs(Act.OWN_DAY, "work", zh="撤回申请", en="Take a proposal back"))  # fmt: skip
def withdraw_proposal(request: HttpRequest, proposal_id: PathId) -> Any:
    """While nobody has decided."""
    proposals.withdraw(by=request.user, proposal_id=proposal_id)
    return _one(request.user, proposal_id)


@router.post("proposals/{proposal_id}/use", response={201: ProposalShape},
             **needs(Act.OWN_DAY, "work", zh="记为已使用", en="Take an approved offer up"))  # fmt: skip
def use_proposal(request: HttpRequest, proposal_id: PathId) -> Any:
    """The customer took it up: once, by its last day. A contact in which they agreed does the same."""
    take_up(by=request.user, proposal_id=proposal_id)
    return _one(request.user, proposal_id)


@router.get("authority", response=AuthorityShape,
            **needs(Act.SIGNED_IN, "read", zh="我的优惠权限", en="One's own authority"))  # fmt: skip
def read_authority(request: HttpRequest) -> Any:
    """Of this month; nought for a post that gives nothing away."""
    return authority_of(request.user)


@router.get("inbox", response=Paged[WaitingShape], **needs(Act.APPROVE, "read", zh="待审批", en="To approve"))
def list_inbox(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """What waits for one's decision: of one's customers, at one's level or below, never one's own."""
    rows = _with_rulings(proposals.waiting_for(request.user))
    return paged(rows, page, each, lambda found: _waiting(found, request.user))


@router.post("inbox/{proposal_id}", response={201: ProposalShape},
             **needs(Act.APPROVE, "decide", zh="审批优惠", en="Decide a proposal"))  # fmt: skip
def decide_proposal(request: HttpRequest, proposal_id: PathId, said: DecisionIn) -> Any:
    """Approve, send back, refuse or pass up; of two at once the second is told what was decided."""
    proposals.decide(by=request.user, proposal_id=proposal_id, **said.model_dump())
    return _one(request.user, proposal_id)


def _paged(rows: QuerySet[Proposal], person: Person, page: int, each: int) -> dict[str, Any]:
    return paged(_with_rulings(rows), page, each, lambda found: _shapes(found, person))


def _with_rulings(rows: QuerySet[Proposal]) -> QuerySet[Proposal]:
    return rows.prefetch_related(Prefetch("rulings", Ruling.objects.select_related("person")))


def _one(person: Person, proposal_id: int) -> dict[str, Any]:
    return _shapes([_with_rulings(proposals.proposals_of(person)).get(pk=proposal_id)], person)[0]


def _shapes(rows: list[Proposal], person: Person) -> list[dict[str, Any]]:
    """What became of one's own proposal stays told; of whom it was, while one sees them."""
    known = shown_while_seen([row.account for row in rows], person)
    return [_shape(row, known[row.account_id]) for row in rows]


def _waiting(rows: list[Proposal], person: Person) -> list[dict[str, Any]]:
    own, before = authority_of(person), precedents(person, rows)
    return [
        told | {"within_authority": own.covers(row.cost_fen), "before": _before(before[row.pk], person)}
        for row, told in zip(rows, _shapes(rows, person), strict=True)
    ]


def _before(found: Before, person: Person) -> dict[str, Any]:
    return {
        "approved": found.approved, "declined": found.declined, "low_fen": found.low_fen,
        "median_fen": found.median_fen, "likest": [_precedent(one, person) for one in found.shown],
    }  # fmt: skip


def _precedent(one: Precedent, person: Person) -> dict[str, Any]:
    asked, decided = one.proposal, one.decided
    return who_of(shown(asked.account, person)) | {
        "proposal_id": asked.pk, "offer": asked.name, "price_fen": asked.price_fen, "below_list_share": asked.off,
        "same_offer": one.same_offer, "same_need": one.same_need, "class_code": one.class_code,
        "asked_because": asked.reason, "what": decided.what, "because": decided.reason, "by": decided.person.name,
        "on_day": decided.on_day,
    }  # fmt: skip


def _shape(row: Any, one: Shown) -> dict[str, Any]:
    names = ("offer_id", "month", "price_fen", "list_price_fen", "floor_price_fen", "cost_fen", "gain_fen", "reason",
             "made_on", "state", "needs_level")  # fmt: skip
    return who_of(one) | {name: getattr(row, name) for name in names} | {
        "id": row.pk, "offer": row.name, "made_by": named(row.made_by),
        "net_fen": proposals.net_fen(row),
        "rulings": [
            {"number": r.number, "what": r.what, "needs_level": r.needs_level, "reason": r.reason, "by": r.person.name,
             "on_day": r.on_day, "last_on": r.last_on}
            for r in row.rulings.all()
        ],
    }  # fmt: skip
