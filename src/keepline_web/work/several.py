"""Planning one step for several customers picked from the list: looked at once more, then planned, all or none."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline_web.customers.listing import picked
from keepline_web.customers.queries import access_account, shown
from keepline_web.frame.inputs import entry_key
from keepline_web.frame.refusals import Refused
from keepline_web.people.access import page
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work import actions
from keepline_web.work.words import CHANNELS


@page(Act.OWN_DAY, "POST")
def plan_several(request: HttpRequest) -> HttpResponse:
    """A day, a way and a note for each of those ticked."""
    said, ids = request.POST, picked(request.POST.getlist("account"))
    key, due_on, channel = entry_key(request), day_said(said.get("due_on", "")), said.get("channel", "manager_call")
    if said.get("confirmed") == "yes":
        plan(by=request.user, accounts=ids, key=key, due_on=due_on, channel=channel, note=said.get("note", ""))
        return redirect(f"/accounts?done={len(ids)}")
    chosen = [shown(access_account(request.user, pk), request.user) for pk in ids]
    values = {"chosen": chosen, "key": key, "due_on": due_on, "channel": channel, "note": said.get("note", ""),
              "words": CHANNELS.get(channel, "")}  # fmt: skip
    return render(request, "work/several.html", values)


@transaction.atomic
def plan(*, by: Person, accounts: list[int], key: uuid.UUID, due_on: dt.date, channel: str, note: str) -> None:
    """A step each; the key of each follows from the whole's, so that the whole sent twice is there once."""
    for pk in sorted(accounts):
        own = uuid.uuid5(key, str(pk))
        actions.plan_step(by=by, customer_id=pk, key=own, due_on=due_on, channel=channel, note=note)


def day_said(text: str) -> dt.date:
    """A day from a form."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            "请选择日期，格式如 2026-11-05。", "Choose a day, such as 2026-11-05.", code="bad_day", status=422
        ) from error
