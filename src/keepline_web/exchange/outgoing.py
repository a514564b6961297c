"""Which rows go out, made of what people did: the state as of now of everything a new line touches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from keepline_web.exchange.models import Taken
from keepline_web.work.models import Contact, Promise, PromiseEnd, Proposal, Ruling

Row = dict[str, Any]
# kind of line, its day: what people add, and what is remembered of it once it was taken in
LINES: dict[str, tuple[type[Model], str]] = {
    "contact": (Contact, "on_day"),
    "promise": (Promise, "made_on"),
    "promise_end": (PromiseEnd, "on_day"),
    "ruling": (Ruling, "on_day"),
}
SCHEMAS = {
    "contacts": pa.schema([
        ("contact_id", pa.string()), ("customer_id", pa.int64()), ("contacted_on", pa.date32()),
        ("channel", pa.string()), ("direction", pa.string()), ("purpose", pa.string()), ("manager_id", pa.string()),
        ("withdrawn", pa.bool_()),
    ]),
    "deliveries": pa.schema([
        ("customer_id", pa.int64()), ("plan_month", pa.string()), ("offer_id", pa.string()), ("channel", pa.string()),
        ("delivered_on", pa.date32()), ("answer", pa.string()), ("cost_fen", pa.int64()), ("withdrawn", pa.bool_()),
    ]),
    "promises": pa.schema([
        ("promise_id", pa.string()), ("customer_id", pa.int64()), ("promised_on", pa.date32()),
        ("due_on", pa.date32()), ("ended_on", pa.date32()), ("kept", pa.bool_()), ("manager_id", pa.string()),
    ]),
    "approvals": pa.schema([
        ("approval_id", pa.string()), ("customer_id", pa.int64()), ("plan_month", pa.string()),
        ("offer_id", pa.string()), ("planned", pa.bool_()), ("price_fen", pa.int64()), ("list_price_fen", pa.int64()),
        ("cost_fen", pa.int64()), ("level", pa.int64()), ("decision", pa.string()), ("decided_on", pa.date32()),
        ("holds_until", pa.date32()), ("used_on", pa.date32()), ("answer", pa.string()), ("manager_id", pa.string()),
    ]),
}  # fmt: skip
ANSWERS = {"agreed": "accepted", "refused": "refused", "reached": "none"}
DECIDED = ("approved", "returned", "refused")


@dataclass(frozen=True)
class Outgoing:
    """The lines that were not taken in yet, and the rows that tell what they touch, by table."""

    lines: dict[str, list[int]]
    rows: dict[str, list[Row]]


def waiting_lines(kind: str, day: dt.date | None = None) -> QuerySet[Any]:
    """The lines of a kind that no handing took in, whenever they happened and whenever they were logged."""
    model, on_day = LINES[kind]
    taken = Taken.objects.filter(kind=kind, line=OuterRef("pk"))
    until = Q() if day is None else Q(**{f"{on_day}__lte": day})
    return model._default_manager.filter(~Exists(taken), until)


def outgoing(day: dt.date) -> Outgoing:
    """Everything up to ``day`` that was not taken in, with whatever it corrects."""
    lines = {kind: list(waiting_lines(kind, day).order_by("pk").values_list("pk", flat=True)) for kind in LINES}
    touched = _contacts_of(lines["contact"])
    ended = PromiseEnd.objects.filter(pk__in=lines["promise_end"]).values_list("promise", flat=True)
    asked = Ruling.objects.filter(pk__in=lines["ruling"]).values_list("proposal", flat=True)
    rows = {
        "contacts": [_contact(c, day) for c in touched if c.outcome in ANSWERS],
        "deliveries": _deliveries({c.plan_row_id for c in touched if c.plan_row_id}, day),
        "promises": _promises({*lines["promise"], *ended}, day),
        "approvals": _approvals({*asked, *(c.proposal_id for c in touched if c.proposal_id)}, day),
    }
    return Outgoing(lines, rows)


def _contacts_of(lines: Sequence[int]) -> list[Contact]:
    """What was logged, and what was taken back since, which may have gone out before."""
    back = Contact.objects.filter(pk__in=lines, corrects__isnull=False).values_list("corrects", flat=True)
    found = Contact.objects.filter(pk__in={*lines, *back}, withdrawn=False)
    return list(found.select_related("person", "corrected_by").order_by("account_id", "on_day", "pk"))


def _holds(contact: Contact, day: dt.date) -> bool:
    """Whether the line stood at the end of ``day``."""
    return not (hasattr(contact, "corrected_by") and contact.corrected_by.on_day <= day)


def _contact(c: Contact, day: dt.date) -> Row:
    return {
        "contact_id": f"W-{c.key}", "customer_id": c.account_id, "contacted_on": c.on_day, "channel": c.channel,
        "direction": "out", "purpose": c.purpose, "manager_id": c.person.manager_id or None,
        "withdrawn": not _holds(c, day),
    }  # fmt: skip


def _deliveries(plan_rows: set[int], day: dt.date) -> list[Row]:
    """The last answer to each plan row; a clear one is not undone by a later talk. All taken back: it never was."""
    held = Contact.objects.filter(plan_row__in=plan_rows, withdrawn=False, on_day__lte=day, outcome__in=ANSWERS)
    stood: dict[int, Contact] = {}
    fell: dict[int, Contact] = {}
    for contact in held.select_related("plan_row", "proposal", "corrected_by").order_by("on_day", "pk"):
        assert contact.plan_row_id is not None
        before = stood.get(contact.plan_row_id)
        if not _holds(contact, day):
            fell[contact.plan_row_id] = contact
        elif before is None or contact.outcome != "reached" or before.outcome == "reached":
            stood[contact.plan_row_id] = contact
    rows = [_delivery(c, withdrawn=False) for c in stood.values()]
    rows += [_delivery(c, withdrawn=True) for row, c in fell.items() if row not in stood]
    return sorted(rows, key=lambda r: (r["customer_id"], r["plan_month"], r["offer_id"]))


def _delivery(contact: Contact, *, withdrawn: bool) -> Row:
    row, asked = contact.plan_row, contact.proposal
    assert row is not None
    cost = (asked.cost_fen if asked else row.unit_cost_fen) if contact.outcome == "agreed" else None
    return {
        "customer_id": contact.account_id, "plan_month": row.month, "offer_id": row.offer_id,
        "channel": contact.channel, "delivered_on": contact.on_day, "answer": ANSWERS[contact.outcome],
        "cost_fen": cost, "withdrawn": withdrawn,
    }  # fmt: skip


def _promises(numbers: Iterable[int], day: dt.date) -> list[Row]:
    made = Promise.objects.filter(pk__in=set(numbers), made_on__lte=day).select_related("person", "end")
    return [_promise(one, day) for one in made.order_by("account_id", "pk")]


def _promise(one: Promise, day: dt.date) -> Row:
    end = one.end if hasattr(one, "end") and one.end.on_day <= day else None
    return {
        "promise_id": f"W-{one.key}", "customer_id": one.account_id, "promised_on": one.made_on, "due_on": one.due_on,
        "ended_on": end.on_day if end else None, "kept": end.kept if end else None,
        "manager_id": one.person.manager_id or None,
    }  # fmt: skip


def _approvals(numbers: set[int], day: dt.date) -> list[Row]:
    """What was decided of each request, once something was."""
    found = Proposal.objects.filter(pk__in=numbers).select_related("made_by").prefetch_related("rulings")
    talks = Contact.objects.filter(proposal__in=numbers, withdrawn=False, on_day__lte=day, outcome__in=ANSWERS)
    said = {c.proposal_id: ANSWERS[c.outcome]
            for c in talks.select_related("corrected_by").order_by("on_day", "pk") if _holds(c, day)}  # fmt: skip
    rows = [_approval(one, [r for r in one.rulings.all() if r.on_day <= day], said.get(one.pk))
            for one in found.order_by("account_id", "pk")]  # fmt: skip
    return [row for row in rows if row is not None]


def _approval(one: Proposal, rulings: list[Ruling], answer: str | None) -> Row | None:
    decided = next((r for r in rulings if r.what in DECIDED), None)
    if decided is None:
        return None
    used = rulings[-1].on_day if rulings[-1].what == "used" else None
    return {
        "approval_id": f"W-{one.key}", "customer_id": one.account_id, "plan_month": one.month,
        "offer_id": one.offer_id, "planned": one.plan_row_id is not None, "price_fen": one.price_fen,
        "list_price_fen": one.list_price_fen, "cost_fen": one.cost_fen, "level": decided.level or None,
        "decision": decided.what, "decided_on": decided.on_day, "holds_until": decided.last_on,
        "used_on": used, "answer": "accepted" if used else answer, "manager_id": one.made_by.manager_id or None,
    }  # fmt: skip
