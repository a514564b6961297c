"""The day of who sells: whom to turn to, the log, next steps, promises, and what a class is owed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import AwareDatetime, BeforeValidator, Field, StrictBool

from keepline_web.api.access import needs
from keepline_web.api.fields import (
    EACH,
    CustomerId,
    CustomerPath,
    Day,
    Id,
    In,
    Key,
    Note,
    Out,
    Paged,
    PageNumber,
    PageSize,
    PathId,
    Words,
    at,
    only_text,
    paged,
    words,
)
from keepline_web.api.shapes import Plan, PromiseRow, ReasonShape, Who, plan_of, promise_row, who, who_of
from keepline_web.customers.queries import Shown, access_account, shown_while_seen
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work import actions
from keepline_web.work.entitlements import give
from keepline_web.work.models import Contact
from keepline_web.work.queries import log_of, promises_of
from keepline_web.work.today import Card, day_of
from keepline_web.work.words import CHANNELS, OUTCOMES, PURPOSES

NAME = "日常 · the day"
router = Router()
Channel = Literal[tuple(CHANNELS)]  # type: ignore[valid-type]
Outcome = Literal[tuple(OUTCOMES)]  # type: ignore[valid-type]
Moment = Annotated[AwareDatetime, BeforeValidator(only_text)]


class CardShape(Who):
    """One account of the day: who, why now, what to offer, what not."""

    reasons: list[ReasonShape]
    facts: list[Words]
    offer: Plan | None
    never: list[Words]
    due_on: dt.date | None
    covering_for: str


class DayShape(Out):
    overdue: list[CardShape]
    today: list[CardShape]
    planned: list[CardShape]
    quiet: int
    done: int


class ContactIn(In):
    key: Key
    outcome: Outcome
    channel: Channel = "manager_call"
    purpose: Literal[tuple(PURPOSES)] = "care"  # type: ignore[valid-type]
    note: Note = ""
    plan_row: Id | None = Field(None, description="the plan's row the talk was about")
    proposal: Id | None = Field(None, description="what was asked for and approved; 'agreed' needs it or a plan_row")
    happened_at: Moment | None = Field(None, description="when it waited for a network; at most a week ago")


class Logged(Out):
    id: int
    customer_id: CustomerId
    on_day: dt.date
    channel: str
    outcome: str
    purpose: str
    note: str
    plan_row: int | None
    proposal: int | None
    next_proposed_on: dt.date


class LogRow(Who):
    id: int
    at: dt.datetime
    on_day: dt.date
    channel: str
    outcome: str
    purpose: str
    note: str
    offer: Words | None
    taken_back: bool


class Withdrawn(Out):
    id: int
    corrects: int


class StepIn(In):
    key: Key
    due_on: Day
    channel: Channel = "manager_call"
    note: Note = ""
    after: Id | None = Field(None, description="the contact it follows")


class StepShape(Out):
    id: int
    customer_id: CustomerId
    due_on: dt.date
    channel: str
    note: str


class PromiseIn(In):
    key: Key
    what: str = Field(min_length=1, max_length=200)
    due_on: Day


class Promised(PromiseRow):
    customer_id: CustomerId


class PromiseListed(PromiseRow, Who):
    pass


class PromiseEndIn(In):
    kept: StrictBool
    note: Note = ""


class GivenIn(In):
    key: Key
    entitlement_id: str = Field(min_length=1, max_length=60)
    note: Note = ""


class GivenShape(Out):
    id: int
    customer_id: CustomerId
    entitlement_id: str
    on_day: dt.date


@router.get("today", response=DayShape, **needs(Act.OWN_DAY, "read", zh="今日", en="Today"))
def read_today(request: HttpRequest) -> Any:
    """Overdue, today and planned, each by value and urgency, with three facts, what to offer and what not."""
    one = day_of(request.user)
    parts = {name: [_card(card) for card in getattr(one, name)] for name in ("overdue", "today", "planned")}
    return parts | {"quiet": one.quiet, "done": one.done}


def _card(card: Card) -> dict[str, Any]:
    one = card.shown
    return {
        "customer_id": one.account.pk, "name": one.name, "phone": one.phone, "number": one.number,
        "reasons": [{"code": r.code, "words": words(r.words), "due_on": r.due_on} for r in card.reasons],
        "facts": [words(text) for text in card.facts], "offer": plan_of(card.offer),
        "never": [words(text) for text in card.never], "due_on": card.due_on, "covering_for": card.covering_for,
    }  # fmt: skip


@router.post("accounts/{customer_id}/contacts", response={201: Logged},
             **needs(Act.OWN_DAY, "work", zh="记一次联系", en="Log a contact"))  # fmt: skip
def log_contact(request: HttpRequest, customer_id: CustomerPath, said: ContactIn) -> Any:
    """One line of the marketing log; the same key again gives the line that is there, and the next day proposed.

    Where the customer agreed, the offer named, or granted for the plan's row, is taken up.
    """
    contact = actions.log_contact(by=request.user, customer_id=at(customer_id), **said.model_dump())
    return {
        "id": contact.pk, "customer_id": contact.account_id, "on_day": contact.on_day, "channel": contact.channel,
        "outcome": contact.outcome, "purpose": contact.purpose, "note": contact.note,
        "plan_row": contact.plan_row_id, "proposal": contact.proposal_id,
        "next_proposed_on": actions.proposed_for(contact),
    }  # fmt: skip


@router.get("contacts", response=Paged[LogRow], **needs(Act.OWN_DAY, "read", zh="营销日志", en="The log"))
def list_contacts(
    request: HttpRequest, outcome: Outcome | None = None, page: PageNumber = 1, each: PageSize = EACH
) -> Any:
    """One's own lines, latest first."""
    rows = log_of(request.user, outcome or "")
    return paged(rows, page, each, lambda found: _lines(found, request.user))


def _lines(rows: list[Contact], person: Person) -> list[dict[str, Any]]:
    """One's own work stays one's own; who it was with is told while one sees them."""
    known = shown_while_seen([row.account for row in rows], person)
    return [_line(row, known[row.account_id]) for row in rows]


def _line(row: Contact, one: Shown) -> dict[str, Any]:
    names = ("at", "on_day", "channel", "outcome", "purpose", "note")
    return who_of(one) | {name: getattr(row, name) for name in names} | {
        "id": row.pk, "offer": row.plan_row.name if row.plan_row else None, "taken_back": hasattr(row, "corrected_by"),
    }  # fmt: skip


@router.post("contacts/{contact_id}/withdraw", response={201: Withdrawn},
             **needs(Act.OWN_DAY, "work", zh="撤回一条日志", en="Take a line back"))  # fmt: skip
def withdraw_contact(request: HttpRequest, contact_id: PathId) -> Any:
    """Within half an hour: it stays, with a line beside it that says so."""
    taken = actions.withdraw_contact(by=request.user, contact_id=contact_id)
    return {"id": taken.pk, "corrects": contact_id}


@router.post("accounts/{customer_id}/steps", response={201: StepShape},
             **needs(Act.OWN_DAY, "work", zh="安排下一步", en="Plan the next step"))  # fmt: skip
def plan_step(request: HttpRequest, customer_id: CustomerPath, said: StepIn) -> Any:
    """What is to be done next, and when."""
    step = actions.plan_step(by=request.user, customer_id=at(customer_id), **said.model_dump())
    return {"id": step.pk, "customer_id": step.account_id, "due_on": step.due_on, "channel": step.channel,
            "note": step.note}  # fmt: skip


@router.post("accounts/{customer_id}/promises", response={201: Promised},
             **needs(Act.OWN_DAY, "work", zh="记下承诺", en="Record a promise"))  # fmt: skip
def make_promise(request: HttpRequest, customer_id: CustomerPath, said: PromiseIn) -> Any:
    """A promise made is a promise recorded."""
    made = actions.promise(by=request.user, customer_id=at(customer_id), **said.model_dump())
    return promise_row(made) | {"customer_id": made.account_id}


@router.get("promises", response=Paged[PromiseListed], **needs(Act.OWN_DAY, "read", zh="承诺", en="Promises"))
def list_promises(
    request: HttpRequest, state: Literal["open", "ended"] = "open", page: PageNumber = 1, each: PageSize = EACH
) -> Any:
    """What was promised to the customers one sees, and whether it was kept."""
    rows = promises_of(request.user, ended=state == "ended")
    return paged(rows, page, each, lambda found: [promise_row(r) | who(r.account, request.user) for r in found])


@router.post("promises/{promise_id}/end", response={201: PromiseRow},
             **needs(Act.OWN_DAY, "work", zh="承诺的结果", en="What became of a promise"))  # fmt: skip
def end_promise(request: HttpRequest, promise_id: PathId, said: PromiseEndIn) -> Any:
    """Kept or not; once said it stays."""
    return promise_row(actions.end_promise(by=request.user, promise_id=promise_id, **said.model_dump()).promise)


@router.post("accounts/{customer_id}/entitlements", response={201: GivenShape},
             **needs(Act.OWN_DAY, "work", zh="记为已提供权益", en="Record an entitlement as given"))  # fmt: skip
def give_entitlement(request: HttpRequest, customer_id: CustomerPath, said: GivenIn) -> Any:
    """Something the customer's class is owed was given today; never more than is owed."""
    access_account(request.user, at(customer_id))
    made = give(by=request.user, customer_id=at(customer_id), **said.model_dump())
    return {"id": made.pk, "customer_id": made.account_id, "entitlement_id": made.entitlement_id, "on_day": made.on_day}
