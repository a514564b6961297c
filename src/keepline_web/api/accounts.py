"""Accounts: the list with the page's filters, one with everything its page shows, and taking one nobody owns."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.http import urlencode
from ninja import Query, Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.fields import (
    EACH,
    CustomerId,
    CustomerPath,
    EachIn,
    In,
    Out,
    Paged,
    PageIn,
    PageNumber,
    PageSize,
    at,
    paged,
)
from keepline_web.api.shapes import AccountRow, AccountShape, row_of, whole_account
from keepline_web.customers.actions import claim
from keepline_web.customers.claimable import brief_of, by_value
from keepline_web.customers.listing import ORDERS, Listing, listed
from keepline_web.customers.queries import access_account, claimable_by, latest_month, with_standing
from keepline_web.customers.words import CLASSES, LOYALTY, MOVES, RISKS, VALUE_BANDS
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

NAME = "客户 · accounts"
router = Router()
Choice = Literal["1"]


class Filters(In):
    """The page's own, by the names they have in its address; what may name somebody is sent, never in an address."""

    class_: Literal[tuple(CLASSES)] | None = Field(None, alias="class")  # type: ignore[valid-type]
    risk: Literal[tuple(RISKS)] | None = None  # type: ignore[valid-type]
    loyalty: Literal[tuple(LOYALTY)] | None = None  # type: ignore[valid-type]
    move: Literal[tuple(MOVES)] | None = None  # type: ignore[valid-type]
    plan: Choice | None = Field(None, description="1: in the month's plan")
    owing: Choice | None = Field(None, description="1: in arrears")
    owner: str | None = Field(None, pattern="^[0-9]{1,19}$", description="number of the owner")
    district: str | None = Field(None, max_length=40)
    group: str | None = Field(None, pattern="^[0-9]{1,19}$", description="a customer; it and what belongs together")
    sort: Literal[tuple(ORDERS)] | None = None  # type: ignore[valid-type]


class Sought(Filters):
    """The same, and a text."""

    q: str | None = Field(None, max_length=80, description="name, telephone or number; pseudonym for who sees no names")

    def listing(self) -> Listing:
        """As an address of the page would ask for it."""
        return Listing.of(QueryDict(urlencode(self.model_dump(by_alias=True, exclude_none=True))))


class SearchIn(Sought):
    page: PageIn = 1
    each: EachIn = EACH


class Claimable(Out):
    """An account nobody owns, to who may take it: enough to choose by."""

    customer_id: CustomerId
    name: str
    district: str
    class_code: str
    value_band: Literal[(*VALUE_BANDS, "")]  # type: ignore[valid-type]
    risk_band: str


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
    """Whom one may see, with the filters and order of the page, masked alike; a name is searched for in a body."""
    return _rows(request.user, Listing.of(request.GET), page, each)


@router.post("accounts/search", response=Paged[AccountRow],
             **needs(Act.SEE_ACCOUNTS, "read", zh="搜索客户", en="Search customers"))  # fmt: skip
def search_accounts(request: HttpRequest, said: SearchIn) -> Any:
    """The same list, also by a name or number, which stands in no address; so many searches a minute as on pages."""
    return _rows(request.user, said.listing(), said.page, said.each)


def _rows(person: Person, asked: Listing, page: int, each: int) -> dict[str, Any]:
    rows = with_standing(listed(person, asked), latest_month() or "")
    return paged(rows, page, each, lambda found: [row_of(row, person) for row in found])


@router.get("claimable", response=Paged[Claimable],
            **needs(Act.OWN_DAY, "read", zh="可认领客户", en="Customers nobody owns"))  # fmt: skip
def list_claimable(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """Of one's own district, the most valuable first; masked, and no more than one may choose by."""
    rows = by_value(claimable_by(request.user), latest_month() or "")
    return paged(rows, page, each, lambda found: [vars(brief_of(row, request.user)) for row in found])


@router.get("accounts/{customer_id}", response=AccountShape,
            **needs(Act.SEE_ACCOUNTS, "read", zh="一位客户", en="One customer"))  # fmt: skip
def read_account(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """Everything the customer's page shows: standing, plan, bills, products, promises, offers, timeline."""
    return whole_account(access_account(request.user, at(customer_id)), request.user)


@router.post("accounts/{customer_id}/claim", response={201: Claimed},
             **needs(Act.OWN_DAY, "work", zh="认领无主客户", en="Take an account nobody owns"))  # fmt: skip
def claim_account(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """Of one's own district; the second of two who take it at once is told that somebody has it."""
    made = claim(account=get_object_or_404(claimable_by(request.user), pk=at(customer_id)), by=request.user)
    return {"customer_id": str(made.account_id), "owner_since": made.starts_on}
