"""Around an account: those who speak for it, and what belongs together with it in one's own scope."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.fields import CustomerId, CustomerPath, Day, In, Key, Note, Out, PathId, at
from keepline_web.api.shapes import Who, who
from keepline_web.customers import group, persons
from keepline_web.customers.around import CHANNELS
from keepline_web.customers.queries import access_account
from keepline_web.customers.words import DECISION_ROLES
from keepline_web.people.roles import Act

NAME = "联系人与组织关系 · around a customer"
router = Router()
Name = Annotated[str, Field(max_length=persons.NAME_MOST)]
Phone = Annotated[str, Field(max_length=30, description="of 7 to 15 digits")]


class ContactPersonShape(Out):
    """Masked as on the customer's page; of a birthday month and day."""

    id: int
    customer_id: CustomerId
    name: str
    phone: str
    role: str
    birthday: str
    preferred_channel: str
    note: str


class ContactPersonIn(In):
    key: Key
    name: Name = Field("", description="needed of a new one; left empty it stays what it was")
    phone: Phone = Field("", description="of 7 to 15 digits; left empty it stays what it was")
    role: Literal[tuple(DECISION_ROLES)]  # type: ignore[valid-type]
    birthday: Day | None = None
    preferred_channel: Literal[CHANNELS] = ""  # type: ignore[valid-type]
    note: Note = ""

    def said(self) -> persons.Said:
        return persons.Said(**self.model_dump(exclude={"key"}))


class EndedPerson(Out):
    id: int
    customer_id: CustomerId
    ended_on: dt.date


class Relative(Who):
    depth: int = Field(description="how far below the highest that one sees")
    here: bool
    risk_band: str | None
    value_fen: int | None


class GroupShape(Out):
    """Those one sees; nothing tells whether there are more."""

    head: Who | None
    members: list[Relative]


class HeadIn(In):
    head: str = Field("", max_length=80, description="number, telephone or name within one's scope; empty for none")
    reason: str = Field(min_length=2, max_length=200, examples=["客户告知"])


@router.get("accounts/{customer_id}/contact-persons", response=list[ContactPersonShape],
            **needs(Act.SEE_ACCOUNTS, "read", zh="联系人", en="Contact persons"))  # fmt: skip
def list_contact_persons(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """Who speaks for the account, who decides first."""
    account = access_account(request.user, at(customer_id))
    return [_person(one) for one in persons.persons_of(account, request.user)]


@router.post("accounts/{customer_id}/contact-persons", response={201: ContactPersonShape},
             **needs(Act.OWN_DAY, "work", zh="新增联系人", en="Add a contact person"))  # fmt: skip
def add_contact_person(request: HttpRequest, customer_id: CustomerPath, said: ContactPersonIn) -> Any:
    """One more; the same key again gives the one that is there."""
    made = persons.add(by=request.user, customer_id=at(customer_id), key=said.key, said=said.said())
    return _person(persons.masked(made, request.user))


@router.post("contact-persons/{contact_person_id}", response={201: ContactPersonShape},
             **needs(Act.OWN_DAY, "work", zh="更新联系人", en="Correct a contact person"))  # fmt: skip
def correct_contact_person(request: HttpRequest, contact_person_id: PathId, said: ContactPersonIn) -> Any:
    """The next row of the same person, with a number of its own. Beside name and telephone all is as it is sent."""
    persons.must_see(request.user, contact_person_id)
    made = persons.correct(by=request.user, contact_id=contact_person_id, key=said.key, said=said.said())
    return _person(persons.masked(made, request.user))


@router.post("contact-persons/{contact_person_id}/end", response={201: EndedPerson},
             **needs(Act.OWN_DAY, "work", zh="联系人不再负责", en="End a contact person"))  # fmt: skip
def end_contact_person(request: HttpRequest, contact_person_id: PathId) -> Any:
    """They speak for the account no more."""
    made = persons.end(by=request.user, contact_id=contact_person_id)
    return {"id": contact_person_id, "customer_id": made.account_id, "ended_on": made.on_day}


@router.get("accounts/{customer_id}/group", response=GroupShape,
            **needs(Act.SEE_ACCOUNTS, "read", zh="组织关系", en="Head office and branches"))  # fmt: skip
def read_group(request: HttpRequest, customer_id: CustomerPath) -> Any:
    """The first of those one sees, as on the customer's page; the list of customers gives all by ``group``."""
    return _group(request, customer_id)


@router.post("accounts/{customer_id}/head", response={201: GroupShape},
             **needs(Act.OWN_DAY, "work", zh="登记上级单位", en="Record what it belongs to"))  # fmt: skip
def attach_head(request: HttpRequest, customer_id: CustomerPath, said: HeadIn) -> Any:
    """From today, to an organisation within one's own scope; the search for it counts as one."""
    group.attach(by=request.user, customer_id=at(customer_id), text=said.head, reason=said.reason)
    return _group(request, customer_id)


def _group(request: HttpRequest, customer_id: str) -> dict[str, Any]:
    told = group.group_of(access_account(request.user, at(customer_id)), request.user)
    head = told["head"]
    return {"head": who(head, request.user) if head else None,
            "members": [_relative(one) for one in told["members"]]}  # fmt: skip


def _relative(one: group.Member) -> dict[str, Any]:
    seen, standing = one.shown, one.standing
    return {
        "customer_id": seen.account.pk, "name": seen.name, "phone": seen.phone, "number": seen.number,
        "depth": one.depth, "here": one.here, "risk_band": standing.risk_band if standing else None,
        "value_fen": standing.value_fen if standing else None,
    }  # fmt: skip


def _person(one: persons.Shown) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.pk, "customer_id": row.account_id, "name": one.name, "phone": one.phone, "role": row.role,
        "birthday": one.birthday, "preferred_channel": row.preferred_channel, "note": one.note,
    }  # fmt: skip
