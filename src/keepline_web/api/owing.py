"""Who owes and which offers wait for it; and the same offer at different prices."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, Out, Paged, PageNumber, PageSize, Words, paged, words
from keepline_web.api.shapes import Plan, Who, plan_of, who
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work.arrears import PARTS, owing, told_of, totals
from keepline_web.work.fairness import compared

NAME = "欠费与公平 · arrears and fairness"
router = Router()


class OwingRow(Who):
    owed_fen: int | None
    months: int | None
    blacklisted: bool | None
    class_code: str | None
    owner: str | None
    lead: str
    last_contact_on: dt.date | None
    silent: bool
    offer: Plan | None
    asked: int


class OwingTotals(Out):
    owed_fen: int | None
    accounts: int
    old: int
    old_fen: int | None
    silent: int
    blacklisted: int
    gated: int


class PriceRow(Who):
    proposal: int
    price_fen: int
    list_price_fen: int
    class_code: str
    reason: str
    made_by: str
    approved_by: str
    alone: bool
    made_on: dt.date


class ComparedShape(Out):
    offer_id: str
    name: Words
    differs: list[Words]
    prices: list[PriceRow]


class FairnessShape(Out):
    offers: list[ComparedShape]
    at_one_price: int


@router.get("arrears", response=Paged[OwingRow], **needs(Act.SEE_ARREARS, "read", zh="欠费", en="Arrears"))
def list_arrears(
    request: HttpRequest,
    part: Literal[PARTS[1:]] | None = None,
    page: PageNumber = 1,
    each: PageSize = EACH,  # type: ignore[valid-type]
) -> Any:
    """Who owes or is on the blacklist, most owed first, who answers for it, and which offers wait."""
    return paged(owing(request.user, part or ""), page, each, lambda found: _owing(found, request.user))


def _owing(found: list[Any], person: Person) -> list[dict[str, Any]]:
    return [
        who(row.account, person) | {
            "owed_fen": row.account.owed, "months": row.account.age, "blacklisted": row.account.blacklisted,
            "class_code": row.account.class_code, "owner": row.account.owner_name, "lead": row.lead,
            "last_contact_on": row.account.last_contact, "silent": row.silent, "offer": plan_of(row.offer),
            "asked": row.asked,
        }
        for row in told_of(found)
    ]  # fmt: skip


@router.get("arrears/totals", response=OwingTotals,
            **needs(Act.SEE_ARREARS, "read", zh="欠费合计", en="Arrears in all"))  # fmt: skip
def read_arrears_totals(request: HttpRequest) -> Any:
    """What is owed in all, and how many stand in each part."""
    return totals(request.user)


@router.get("fairness", response=FairnessShape,
            **needs(Act.APPROVE, "read", zh="优惠公平", en="The same offer at different prices"))  # fmt: skip
def read_fairness(request: HttpRequest) -> Any:
    """Approved offers of one kind at different prices, widest apart first."""
    offers, same = compared(request.user)
    told = [
        {"offer_id": one.offer_id, "name": one.name, "differs": [words(text) for text in one.differs],
         "prices": [_price(price, request.user) for price in one.prices]}
        for one in offers
    ]  # fmt: skip
    return {"offers": told, "at_one_price": same}


def _price(price: Any, person: Person) -> dict[str, Any]:
    row = price.proposal
    return who(price.account, person) | {
        "proposal": row.pk, "price_fen": row.price_fen, "list_price_fen": row.list_price_fen,
        "class_code": price.class_code, "reason": row.reason, "made_by": row.made_by.name,
        "approved_by": price.approved_by, "alone": price.alone, "made_on": row.made_on,
    }  # fmt: skip
