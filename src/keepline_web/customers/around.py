"""The pages of those who speak for an account and of what it belongs to."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline_web.customers import group, persons
from keepline_web.customers.models import Account
from keepline_web.customers.queries import access_account, shown
from keepline_web.customers.sealed import grouped
from keepline_web.customers.words import DECISION_ROLES
from keepline_web.frame.inputs import entry_key
from keepline_web.frame.refusals import Refused
from keepline_web.people.access import page
from keepline_web.people.roles import Act

UNMASK_SECONDS = 30
CHANNELS = ("", "manager_call", "visit", "sms", "email", "app")


@page(Act.OWN_DAY, "GET", "POST")
def add_contact_person(request: HttpRequest, customer_id: int) -> HttpResponse:
    """One more who speaks for the account."""
    account = access_account(request.user, customer_id)
    if request.method == "POST":
        persons.add(by=request.user, customer_id=customer_id, key=entry_key(request), said=_said(request))
        return _back(account)
    return _form(request, account, None)


@page(Act.OWN_DAY, "GET", "POST")
def contact_person(request: HttpRequest, contact_id: int) -> HttpResponse:
    """One of them, corrected; what is masked stays when its field is left empty."""
    persons.must_see(request.user, contact_id)
    if request.method == "POST":
        made = persons.correct(by=request.user, contact_id=contact_id, key=entry_key(request), said=_said(request))
        return _back(made.account)
    row = persons.access_contact_person(request.user, contact_id)
    return _form(request, row.account, persons.masked(row, request.user))


@page(Act.OWN_DAY, "POST")
def end_contact_person(request: HttpRequest, contact_id: int) -> HttpResponse:
    return _back(persons.end(by=request.user, contact_id=contact_id).account)


@page(Act.UNMASK, "POST")
def unmask_contact_person(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Name and telephone in full for half a minute, for a reason."""
    said = persons.unmask(person=request.user, contact_id=contact_id, reason=request.POST.get("reason", ""))
    values = {"name": said.name, "phone": grouped(said.phone), "seconds": UNMASK_SECONDS}
    return render(request, "customers/unmasked_person.html", values)


@page(Act.OWN_DAY, "POST")
def attach_head(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What the account belongs to, from today."""
    said = request.POST
    group.attach(by=request.user, customer_id=customer_id, text=said.get("head", ""), reason=said.get("reason", ""))
    return _back(access_account(request.user, customer_id))


def _back(account: Account) -> HttpResponse:
    return redirect(f"/accounts/{account.pk}#persons")


def _form(request: HttpRequest, account: Account, one: persons.Shown | None) -> HttpResponse:
    values = {
        "account": account, "shown": shown(account, request.user), "one": one, "roles": DECISION_ROLES,
        "channel_codes": CHANNELS,
    }  # fmt: skip
    return render(request, "customers/contact_person.html", values)


def _said(request: HttpRequest) -> persons.Said:
    said = request.POST
    channel = said.get("preferred_channel", "")
    return persons.Said(
        name=said.get("name", ""), phone=said.get("phone", ""), role=said.get("role", ""),
        birthday=_day(said.get("birthday", "")), preferred_channel=channel if channel in CHANNELS else "",
        note=said.get("note", ""),
    )  # fmt: skip


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused(
            "请选择日期，格式如 1980-11-05。", "Choose a day, such as 1980-11-05.", code="bad_day", status=422
        ) from error
