"""Accounts as they are told to a program: what the page shows, masked as the page masks it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from keepline_web.api.fields import CustomerId, Named, Out, Words, named, words
from keepline_web.customers.models import Account, PlanRow, Standing
from keepline_web.customers.page import page_of
from keepline_web.customers.pictures import months_of
from keepline_web.customers.queries import Shown, shown
from keepline_web.people.models import Person
from keepline_web.work.customer import work_of

ANSWERS = ("staying", "price", "circle")
HIDDEN = ("id", "account", "month", "class_code", "class_reason", "risks", "facts", "state_words", *ANSWERS)
FIGURES = [field.name for field in Standing._meta.concrete_fields if field.name not in HIDDEN]


class Who(Out):
    """A customer, masked by the role of the token's person."""

    customer_id: CustomerId
    name: str
    phone: str
    number: str


class Plan(Out):
    """An offer that the month's plan has for the account."""

    id: int
    month: str
    offer_id: str
    name: Words
    channel: str
    purpose: str
    price_fen: int
    list_price_fen: int
    floor_price_fen: int
    gain_fen: int | None
    cost_fen: int | None


class Brief(Out):
    """The standing of the month in a list."""

    month: str
    class_code: str
    risk_band: str
    loyalty: str
    move: str
    value_fen: int | None
    revenue_3m_fen: int | None
    arrears_fen: int | None
    state: Words | None


class AccountRow(Who):
    kind: str
    region: str
    district: str
    blacklisted: bool | None
    owner: str | None
    standing: Brief | None
    plan: Plan | None


class Ahead(Out):
    """The share of customers alike who are here still after so many months, when nothing is done."""

    months: int
    share: float


class Staying(Out):
    """How long customers like this stay; in words for a year."""

    words: Words
    points: list[Ahead]


class PriceAnswer(Out):
    """How what the customer buys answers to its price: change in per cent for one per cent of price, 90 % interval."""

    words: Words
    strength: Literal["strong", "middling", "weak", "unsure"]
    basis: Words
    elasticity: float
    low: float
    high: float


class CirclePart(Out):
    """The part in a circle of callers; its size by the least of its band, 1 for those below ten."""

    words: Words
    size_min: int | None
    leader: bool
    gatekeeper: bool


class StandingShape(Out):
    """All that the month's publication says of the account."""

    month: str
    class_code: str
    previous_class: str
    move: str
    class_reason: Words | None
    star_rating: str
    loyalty: str
    loyalty_kind: str
    risk_band: str
    risks: list[Words]
    facts: list[Words]
    staying: Staying | None
    price: PriceAnswer | None
    circle: CirclePart | None
    state: Words | None
    value_fen: int | None
    value_low_fen: int | None
    value_high_fen: int | None
    persistence_fen: int | None
    growth_fen: int | None
    word_of_mouth_fen: int | None
    tenure_months: int | None
    revenue_fen: int | None
    revenue_3m_fen: int | None
    revenue_12m_fen: int | None
    revenue_change: float | None
    margin_3m_fen: int | None
    margin_12m_fen: int | None
    discount_3m_fen: int | None
    voice_change: float | None
    data_change: float | None
    complaints_3m: int | None
    complaints_open: int | None
    days_since_contact: int | None
    arrears_fen: int | None
    arrears_months: int | None
    lines: int | None
    products: int | None
    contract_months_left: int | None
    satisfaction: float | None
    recommend: float | None


class Change(Out):
    """What is different from the month before."""

    field: str
    words: Words
    old: int | str | None
    new: int | str | None


class Bill(Out):
    """What was paid and used in a month."""

    month: str
    revenue_fen: int | None
    recurring_fen: int | None
    discount_fen: int | None
    voice_s: int | None
    data_kb: int | None


class Holding(Out):
    """Lines that are alike, counted together."""

    product: str
    plan_name: str
    price_fen: int | None
    contract_end_on: dt.date | None
    closed: bool
    count: int
    since: dt.date | None


class ReasonShape(Out):
    code: str
    words: Words
    due_on: dt.date | None


class Entitled(Out):
    id: str
    name: Words
    times: int
    given: int
    behind: int


class PromiseRow(Out):
    id: int
    what: str
    due_on: dt.date
    made_on: dt.date
    by: str
    kept: bool | None
    ended_on: dt.date | None
    note: str


class OfferRow(Out):
    id: int
    offer_id: str
    name: Words
    price_fen: int
    state: str
    made_on: dt.date
    by: str
    reason: str


class Happened(Out):
    """A line of our own log, or what the operator's files told."""

    day: dt.date
    what: Words
    how: Words
    who: str
    note: str
    offer: Words | None
    taken_back: bool
    complaint: bool
    closed_on: dt.date | None


class AccountShape(Who):
    kind: str
    industry: str
    region: str
    district: str
    joined_on: dt.date | None
    consent: bool | None
    blacklisted: bool | None
    preferred_channel: str
    contact_gap_days: int | None
    owner: Named | None
    owner_unit: Named | None
    standing: StandingShape | None
    previous_month: str | None
    changes: list[Change]
    plan: Plan | None
    reasons: list[ReasonShape]
    never: list[Words]
    bills: list[Bill]
    holdings: list[Holding]
    entitlements: list[Entitled]
    policy_version: str
    promises: list[PromiseRow]
    offers: list[OfferRow]
    timeline: list[Happened]


def who(account: Account, person: Person) -> dict[str, Any]:
    """The account as the person may see it."""
    return who_of(shown(account, person))


def who_of(one: Shown) -> dict[str, Any]:
    account = one.account
    return {"customer_id": account.pk, "name": one.name, "phone": one.phone, "number": one.number}


def plan_of(row: PlanRow | None) -> dict[str, Any] | None:
    names = ("id", "month", "offer_id", "name", "channel", "purpose", "price_fen", "list_price_fen",
             "floor_price_fen", "gain_fen", "cost_fen")  # fmt: skip
    return {name: getattr(row, name) for name in names} if row is not None else None


def row_of(account: Account, person: Person) -> dict[str, Any]:
    """A row of the list, of an account that has its standing and plan row with it."""
    standing: Standing | None = next(iter(account.of_month), None)  # type: ignore[attr-defined]
    brief = None
    if standing is not None:
        names = ("month", "class_code", "risk_band", "loyalty", "move", "value_fen", "revenue_3m_fen", "arrears_fen")
        brief = {name: getattr(standing, name) for name in names} | {"state": words(standing.state_words)}
    return who(account, person) | {
        "kind": account.kind, "region": account.region, "district": account.district,
        "blacklisted": account.blacklisted, "owner": account.owner_name, "standing": brief,  # type: ignore[attr-defined]
        "plan": plan_of(next(iter(account.plan_of_month), None)),  # type: ignore[attr-defined]
    }  # fmt: skip


def whole_account(account: Account, person: Person) -> dict[str, Any]:
    """Everything of the customer's page."""
    page, work = page_of(account, person), work_of(account, person)
    owner, same = page["owner"], ("kind", "industry", "region", "district", "joined_on", "consent", "blacklisted",
                                  "preferred_channel", "contact_gap_days")  # fmt: skip
    return who(account, person) | {name: getattr(account, name) for name in same} | {
        "owner": named(owner), "owner_unit": named(owner.unit) if owner else None,
        "standing": _standing(page["standing"]), "previous_month": page["previous_month"],
        "changes": [row | {"words": words(row["words"])} for row in page["changes"]],
        "plan": plan_of(page["plan"]), "bills": months_of(account),
        "reasons": [{"code": r.code, "words": words(r.words), "due_on": r.due_on} for r in work["reasons"]],
        "never": [words(text) for text in work["never"]],
        "holdings": page["holdings"], "policy_version": page["policy_version"],
        "entitlements": [row | {"name": words(row["name"])} for row in work["owed"]],
        "promises": [promise_row(row) for row in work["promises"]],
        "offers": [_offer(row) for row in work["offers"]],
        "timeline": [_happened(row) for row in work["timeline"]],
    }  # fmt: skip


def _standing(row: Standing | None) -> dict[str, Any] | None:
    if row is None:
        return None
    told = {name: getattr(row, name) for name in FIGURES if name != "state"}
    return told | {
        "month": row.month, "class_code": row.class_code, "class_reason": words(row.class_reason),
        "risks": [words(one) for one in row.risks], "facts": [words(one) for one in row.facts],
        "state": words(row.state_words),
    } | {name: _answer(getattr(row, name)) for name in ANSWERS}  # fmt: skip


def _answer(said: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a publication answers, its words under a name of their own."""
    return None if said is None else said | {"words": words(said)}


def promise_row(row: Any) -> dict[str, Any]:
    end = getattr(row, "end", None)
    return {
        "id": row.pk, "what": row.what, "due_on": row.due_on, "made_on": row.made_on, "by": row.person.name,
        "kept": end.kept if end else None, "ended_on": end.on_day if end else None, "note": end.note if end else "",
    }  # fmt: skip


def _offer(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk, "offer_id": row.offer_id, "name": row.name, "price_fen": row.price_fen, "state": row.state,
        "made_on": row.made_on, "by": row.made_by.name, "reason": row.reason,
    }  # fmt: skip


def _happened(row: dict[str, Any]) -> dict[str, Any]:
    names = ("day", "who", "note", "taken_back")
    return {name: row[name] for name in names} | {
        "what": words(row["what"]), "how": words(row["how"]), "offer": words(row["offer"]),
        "complaint": row.get("complaint", False), "closed_on": row.get("closed_on"),
    }  # fmt: skip
