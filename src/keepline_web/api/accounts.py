"""Accounts: the list with the page's filters, one with everything its page shows, and taking one nobody owns."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.fields import (
    EACH,
    CustomerPath,
    In,
    Out,
    Paged,
    PageNumber,
    PageSize,
    at,
    paged,
)
from keepline_web.api.shapes import AccountRow, AccountShape, row_of, whole_account
from keepline_web.customers.actions import claim
from keepline_web.customers.listing import ORDERS, Listing, listed
from keepline_web.customers.queries import access_account, latest_month, with_standing
from keepline_web.customers.words import CLASSES, LOYALTY, MOVES, RISKS
from keepline_web.people.roles import Act

NAME = "客户 · accounts"
router = Router()
Choice = Literal["1"]


class Filters(In):
    """The page's own, by the names they have in its address."""

    q: str | None = Field(None, max_length=80, description="name, telephone or number; pseudonym for who sees no names")
    class_: Literal[tuple(CLASSES)] | None = Field(None, alias="class")  # type: ignore[valid-type]
    risk: Literal[tuple(RISKS)] | None = None  # type: ignore[valid-type]
    loyalty: Literal[tuple(LOYALTY)] | None = None  # type: ignore[valid-type]
    move: Literal[tuple(MOVES)] | None = None  # type: ignore[valid-type]
    plan: Choice | None = Field(None, description="1: in the month's plan")
    owing: Choice | None = Field(None, description="1: in arrears")
    owner: str | None = Field(None, pattern="^[0-9]{1,19}$", description="number of the owner")
    district: str | None = Field(None, max_length=40)
    sort: Literal[tuple(ORDERS)] | None = None  # type: ignore[valid-type]


class Claimed(Out):
    customer_id: str
    owner_since: dt.date


@router.get("accounts", response=Paged[AccountRow],
            **needs(Act.SEE_ACCOUNTS, "read", zh="客户列表", en="List of customers"))  # fmt: skip
def list_accounts(
    request: HttpRequest,
    asked: Query[Filters],  # noqa: ARG001
    page: PageNumber = 1,
    each: PageSize = EACH,
) -> Any:
    """Whom one may see, with the same filters and order as the page; names and numbers masked alike."""
    rows = with_standing(listed(request.user, Listing.of(request.GET)), latest_month() or "")
    return paged(rows, page, each, lambda found: [row_of(row, request.user) for row in found])


@router.get("accounts/{customer_id}", response=AccountShape,
            **needs(Act.SEE_ACCOUNTS, "read", zh="一位客户", en="One customer"))  # fmt: skip
def read_account(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """Everything the customer's page shows: standing, plan, bills, products, promises, offers, timeline."""
    return whole_account(access_account(request.user, at(customer_id)), request.user)


@router.post("accounts/{customer_id}/claim", response={201: Claimed},
             **needs(Act.OWN_DAY, "work", zh="认领无主客户", en="Take an account nobody owns"))  # fmt: skip
def claim_account(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """The second of two who take it at once is told that somebody has it."""
    made = claim(account=access_account(request.user, at(customer_id)), by=request.user)
    return {"customer_id": str(made.account_id), "owner_since": made.starts_on}
