"""Who owns and covers what: who holds how many, handing over, giving out, and cover."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja import Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.accounts import AccountRow
from keepline_web.api.fields import (
    EACH,
    CustomerIn,
    Day,
    Id,
    In,
    Named,
    Out,
    Paged,
    PageNumber,
    PageSize,
    PathId,
    Reason,
    at,
    named,
    paged,
)
from keepline_web.api.shapes import row_of
from keepline_web.customers import actions
from keepline_web.customers.arranging import day_after
from keepline_web.customers.holders import accounts_of, cover_lists, covers_of, holders, receiver_of, unowned
from keepline_web.customers.models import Account, Cover
from keepline_web.customers.queries import latest_month, with_standing
from keepline_web.people.models import Person
from keepline_web.people.queries import people_of
from keepline_web.people.roles import Act

NAME = "移交与代管 · handover and cover"
router = Router()
Chosen = Annotated[list[CustomerIn], Field(min_length=1, max_length=5000)]


class HolderRow(Out):
    person: Named
    unit: Named
    role: str
    sells: bool
    accounts: int
    high: int
    owed_fen: int
    covered_by: str


class HandoverIn(In):
    leaving: Id
    to: Id
    accounts: Chosen
    reason: Reason
    on: Day | None = Field(None, description="today when none is said; never in the past")


class GiveOutIn(In):
    to: Id
    accounts: Chosen
    reason: Reason


class Moved(Out):
    accounts: int


class CoverIn(In):
    away: Id
    covered_by: Id
    starts_on: Day
    last_day: Day
    reason: Reason


class CoverShape(Out):
    id: int
    away: Named
    covered_by: Named
    starts_on: dt.date
    last_day: dt.date
    ended_early_on: dt.date | None
    reason: str


class Covers(Out):
    open: list[CoverShape]
    over: list[CoverShape]


@router.get("holders", response=list[HolderRow], **needs(Act.ASSIGN, "read", zh="客户归属", en="Who holds accounts"))
def list_holders(request: HttpRequest) -> Any:
    """People of one's scope with how many accounts each; those who can no longer serve theirs first."""
    return [
        {"person": named(one.person), "unit": named(one.person.unit), "role": one.person.role, "sells": one.sells,
         "accounts": one.accounts, "high": one.high, "owed_fen": one.owed_fen, "covered_by": one.covered_by}
        for one in holders(request.user)
    ]  # fmt: skip


@router.get("holders/{person_id}/accounts", response=Paged[AccountRow],
            **needs(Act.ASSIGN, "read", zh="某人名下的客户", en="The accounts somebody owns"))  # fmt: skip
def list_held(request: HttpRequest, person_id: PathId, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """As far as one may see them."""
    return _rows(accounts_of(request.user, _person(request.user, person_id)), request.user, page, each)


@router.get(
    "unowned", response=Paged[AccountRow], **needs(Act.ASSIGN, "read", zh="无主客户", en="Accounts nobody owns")
)
def list_unowned(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """Of one's scope, today."""
    return _rows(unowned(request.user), request.user, page, each)


def _rows(accounts: QuerySet[Account], person: Person, page: int, each: int) -> dict[str, Any]:
    rows = with_standing(accounts, latest_month() or "")
    return paged(rows, page, each, lambda found: [row_of(row, person) for row in found])


def _person(by: Person, person_id: int) -> Person:
    found = people_of(by).filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


@router.post("handovers", response={201: Moved}, **needs(Act.ASSIGN, "arrange", zh="移交客户", en="Hand accounts over"))
def hand_over(request: HttpRequest, said: HandoverIn) -> Any:
    """From one who leaves to another, from a day on: all of them, or none when one is theirs no more."""
    count = actions.hand_over(
        leaving=_person(request.user, said.leaving), to=receiver_of(request.user, said.to),
        accounts=[at(text) for text in said.accounts], reason=said.reason, by=request.user, on=said.on,
    )  # fmt: skip
    return {"accounts": count}


@router.post("give-outs", response={201: Moved},
             **needs(Act.ASSIGN, "arrange", zh="分派无主客户", en="Give out accounts nobody owns"))  # fmt: skip
def give_out(request: HttpRequest, said: GiveOutIn) -> Any:
    """All of them, or none when one has an owner by now."""
    accounts = [at(text) for text in said.accounts]
    to = receiver_of(request.user, said.to)
    return {"accounts": actions.give_out(to=to, accounts=accounts, reason=said.reason, by=request.user)}


@router.get("covers", response=Covers, **needs(Act.ASSIGN, "read", zh="代管", en="Cover"))
def list_covers(request: HttpRequest) -> Any:
    """What holds or is to come, and what is over."""
    current, over = cover_lists(request.user)
    return {"open": [_cover(one) for one in current], "over": [_cover(one) for one in over]}


@router.post("covers", response={201: CoverShape}, **needs(Act.ASSIGN, "arrange", zh="安排代管", en="Arrange cover"))
def arrange_cover(request: HttpRequest, said: CoverIn) -> Any:
    """Let a colleague look after somebody's accounts, the last day included."""
    made = actions.cover(
        away=_person(request.user, said.away), covered_by=_person(request.user, said.covered_by),
        starts_on=said.starts_on, ends_on=day_after(said.last_day), reason=said.reason, by=request.user,
    )  # fmt: skip
    return _cover(made)


@router.post("covers/{cover_id}/end", response={201: CoverShape},
             **needs(Act.ASSIGN, "arrange", zh="提前结束代管", en="End cover today"))  # fmt: skip
def end_cover(request: HttpRequest, cover_id: PathId) -> Any:
    """Before its time; what was done under it stays."""
    found = covers_of(request.user).filter(pk=cover_id).first()
    if found is None:
        raise Http404
    actions.end_cover(cover=found, by=request.user)
    return _cover(covers_of(request.user).get(pk=cover_id))


def _cover(one: Cover) -> dict[str, Any]:
    return {"id": one.pk, "away": named(one.away), "covered_by": named(one.covered_by), "starts_on": one.starts_on,
            "last_day": one.last_day, "ended_early_on": one.ended_early_on, "reason": one.reason}  # fmt: skip
