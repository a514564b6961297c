"""One customer's page: what is known, what was done, what was promised, and what came of offers, in one look."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from keepline.front import read_service
from keepline_web.customers.group import moves_of
from keepline_web.customers.listing import Listing, neighbours
from keepline_web.customers.models import Account, Event
from keepline_web.customers.page import page_of
from keepline_web.customers.persons import changes_of
from keepline_web.customers.queries import access_account
from keepline_web.customers.words import CLASSES, KINDS, LINE_STATES, LOYALTY, LOYALTY_KINDS, PRODUCTS, RISKS
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.frame.words import Text
from keepline_web.people.access import page
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work.entitlements import owed
from keepline_web.work.models import Contact, Promise
from keepline_web.work.proposals import OPEN, with_state
from keepline_web.work.reasons import SOON, reasons_of
from keepline_web.work.today import know, never
from keepline_web.work.words import CHANNELS, DECISIONS, OUTCOMES, PURPOSES

LATEST = 60
KINDS_OF_EVENT = {"contact": Text("联系", "contact"), "complaint": Text("投诉", "complaint")}


@page(Act.SEE_ACCOUNTS)
def account(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Everything known of one customer, and the way to the next in the list one came from."""
    one = access_account(request.user, customer_id)
    came_from = QueryDict(request.GET.get("from", ""))
    try:
        asked = Listing.of(came_from)
    except Refused:  # a search that is over takes the way to the next with it, not the page
        came_from = QueryDict()
        asked = Listing.of(came_from)
    before, after, place, length = neighbours(request.user, asked, customer_id)
    words = {
        "channels": CHANNELS, "classes": CLASSES, "risks": RISKS, "loyalties": LOYALTY, "products": PRODUCTS,
        "line_states": LINE_STATES, "decisions": DECISIONS, "kinds": KINDS, "loyalty_kinds": LOYALTY_KINDS,
    }  # fmt: skip
    way = {"before": before, "after": after, "place": place, "length": length, "came_from": came_from.urlencode()}
    values = page_of(one, request.user) | words | way | work_of(one, request.user)
    return render(request, "work/account.html", values)


def work_of(one: Account, person: Person) -> dict[str, Any]:
    """Why to turn to the customer, what not to do, what was promised and asked for, and what happened."""
    known = know([one], clock.today(), read_service(settings.SITE.policy))[0]
    offers = with_state(one.proposals.all()).select_related("made_by").order_by("-pk")[:LATEST]
    promises = Promise.objects.filter(account=one).select_related("end", "person").order_by("-due_on")[:LATEST]
    return {
        "owed": owed(one, known.standing.class_code if known.standing else "ordinary", clock.today()),
        "reasons": reasons_of(known), "granted": known.granted,
        "soon_day": clock.today() + dt.timedelta(days=SOON),
        "never": never(known), "promises": promises, "offers": offers,
        "open_states": OPEN, "timeline": _timeline(one, person), "keys": uuid.uuid4, "person_may": person.may,
    }  # fmt: skip


def _timeline(one: Account, person: Person) -> list[dict[str, Any]]:
    """Our own log, what the operator's files tell, and who came to speak for the customer, latest first."""
    own = Contact.objects.filter(account=one, withdrawn=False).select_related("person", "corrected_by", "plan_row")
    found = [_of_contact(row) for row in own.order_by("-at")[:LATEST]]
    known = {
        Event.key_of("contact", f"W-{key}") for key in Contact.objects.filter(account=one).values_list("key", flat=True)
    }
    told = Event.objects.filter(account=one).exclude(event_id__in=known).order_by("-happened_on")[:LATEST]
    found += [_of_event(row) for row in told]
    found += [_plain(row, "user", row["name"], str(row["role"] or "")) for row in changes_of(one, person)]
    found += [_plain(row, "building", row["head"], row["note"]) for row in moves_of(one, person)]
    return sorted(found, key=lambda row: (row["day"], row["order"]), reverse=True)[:LATEST]


def _of_contact(row: Contact) -> dict[str, Any]:
    icon = "walk" if row.channel == "visit" else "phone-off" if row.outcome == "not_reached" else "phone"
    return {
        "day": row.on_day, "order": row.pk, "icon": icon, "what": CHANNELS[row.channel], "how": OUTCOMES[row.outcome],
        "note": row.note, "who": row.person.name, "taken_back": hasattr(row, "corrected_by"),
        "offer": row.plan_row.name if row.plan_row else None,
    }  # fmt: skip


def _plain(row: dict[str, Any], icon: str, how: str, note: str) -> dict[str, Any]:
    return {"day": row["day"], "order": row["order"], "icon": icon, "what": row["what"], "how": how, "note": note,
            "who": row["who"], "taken_back": False, "offer": None}  # fmt: skip


def _of_event(row: Event) -> dict[str, Any]:
    icon = "alert-triangle" if row.kind == "complaint" else "message"
    about = PURPOSES.get(row.about) or Text(row.about, row.about)
    return {
        "day": row.happened_on, "order": 0, "icon": icon, "what": KINDS_OF_EVENT[row.kind], "how": about,
        "note": "", "who": str(CHANNELS[row.channel]) if row.channel in CHANNELS else "",
        "taken_back": False, "offer": None,
        "closed_on": row.closed_on, "complaint": row.kind == "complaint",
    }  # fmt: skip
