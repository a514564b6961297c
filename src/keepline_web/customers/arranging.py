"""The pages on which a chief gives accounts to people: handover, cover, and accounts that nobody owns."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline_web.customers import actions
from keepline_web.customers.holders import (
    accounts_of,
    cover_lists,
    covers_of,
    holders,
    receiver_of,
    receivers,
    summary,
    unowned,
)
from keepline_web.customers.listing import picked
from keepline_web.customers.models import Account
from keepline_web.customers.queries import latest_month, owners_now, shown, visible_to, with_standing
from keepline_web.customers.words import RISKS
from keepline_web.frame.inputs import whole
from keepline_web.frame.refusals import Refused
from keepline_web.people.access import page
from keepline_web.people.models import Person
from keepline_web.people.queries import people_of
from keepline_web.people.roles import Act


@page(Act.ASSIGN)
def handover(request: HttpRequest) -> HttpResponse:
    """The people of one's scope with how many accounts each; those who can no longer serve theirs first."""
    rows = holders(request.user)
    values = {
        "rows": rows, "unowned": unowned(request.user).count(), "tab": "handover", "done": _done(request),
        "stranded": sum(row.accounts for row in rows if not row.sells),
    }  # fmt: skip
    return render(request, "customers/handover.html", values)


@page(Act.ASSIGN, "GET", "POST")
def hand_over(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person's accounts: chosen, looked at once more, given to somebody else."""
    leaving = people_of(request.user).select_related("unit").filter(pk=person_id).first()
    if leaving is None:
        raise Http404
    if request.method == "POST":
        to, ids, day = _receiver(request), _ids(request), _day(request.POST.get("on", ""))
        if request.POST.get("confirmed") == "yes":
            count = actions.hand_over(
                leaving=leaving, to=to, accounts=ids, reason=request.POST.get("reason", ""), by=request.user, on=day
            )
            return redirect(f"/handover?done={count}")
        return _preview(request, _all_of(accounts_of(request.user, leaving), ids), to, leaving, day)
    return _choose(request, accounts_of(request.user, leaving), receivers(request.user, leaving), leaving)


@page(Act.ASSIGN, "GET", "POST")
def give_out(request: HttpRequest) -> HttpResponse:
    """Accounts that nobody owns: chosen, looked at once more, given to somebody."""
    if request.method == "POST":
        to, ids = _receiver(request), _ids(request)
        if request.POST.get("confirmed") == "yes":
            count = actions.give_out(to=to, accounts=ids, reason=request.POST.get("reason", ""), by=request.user)
            return redirect(f"/handover?done={count}")
        return _preview(request, _all_of(unowned(request.user), ids), to, None, None)
    return _choose(request, unowned(request.user), receivers(request.user), None)


@page(Act.ASSIGN, "POST")
def reassign(request: HttpRequest) -> HttpResponse:
    """Accounts picked from the list, whoever owns them: looked at once more, given to somebody from today."""
    to, ids = _receiver(request), picked(request.POST.getlist("account"))
    if request.POST.get("confirmed") == "yes":
        owners = [whole(text) for text in request.POST.getlist("held")]
        actions.all_still(len(owners) == len(ids))
        held = dict(zip(ids, owners, strict=True))
        count = actions.reassign(to=to, held=held, reason=request.POST.get("reason", ""), by=request.user)
        return redirect(f"/accounts?owner={to.pk}&done={count}")
    chosen = _all_of(visible_to(request.user).order_by("pk"), ids)
    return _preview(request, chosen, to, None, None, owners_now(chosen))


def _choose(request: HttpRequest, accounts: Any, to: list[Person], leaving: Person | None) -> HttpResponse:
    month = latest_month() or ""
    rows = [(row, shown(row, request.user)) for row in with_standing(accounts, month)]
    values = {"rows": rows, "receivers": to, "leaving": leaving, "tab": "handover" if leaving else "unowned",
              "month": month, "risks": RISKS}  # fmt: skip
    return render(request, "customers/choose.html", values)


def _preview(
    request: HttpRequest, chosen: list[Account], to: Person, leaving: Person | None, day: dt.date | None,
    owners: dict[int, Person] | None = None,
) -> HttpResponse:  # fmt: skip
    """What would be done, before it is; nothing is changed by looking."""
    rows = [(row, shown(row, request.user), (owners or {}).get(row.pk)) for row in chosen]
    values = {
        "chosen": rows, "to": to, "leaving": leaving, "on": day, "picked": owners is not None,
        "sums": summary(chosen, to), "reason": request.POST.get("reason", ""),
    }  # fmt: skip
    return render(request, "customers/preview.html", values | {"after": values["sums"]["before"] + len(chosen)})


@page(Act.ASSIGN, "GET", "POST")
def cover(request: HttpRequest) -> HttpResponse:
    """Who looks after whose accounts, from which day to which; and a new one."""
    if request.method == "POST":
        said, people = request.POST, people_of(request.user)
        away = people.filter(pk=whole(said.get("away", ""))).first()
        instead = people.filter(pk=whole(said.get("covered_by", ""))).first()
        first, last = _day(said.get("starts_on", "")), _day(said.get("last_day", ""))
        if away is None or instead is None or first is None or last is None:
            raise Refused(
                "请选择由谁代管谁，以及起止日期。", "Say who covers whom, and from which day to which.",
                code="cover_incomplete", status=422,
            )  # fmt: skip
        actions.cover(
            away=away, covered_by=instead, starts_on=first, ends_on=day_after(last),
            reason=said.get("reason", ""), by=request.user,
        )  # fmt: skip
        return redirect("cover")
    open_now, over = cover_lists(request.user)
    people = [row.person for row in holders(request.user)]
    values = {"open": open_now, "over": over, "people": people, "receivers": receivers(request.user), "tab": "cover",
              "preselected": whole(request.GET.get("away", ""))}  # fmt: skip
    return render(request, "customers/cover.html", values)


@page(Act.ASSIGN, "POST")
def end_cover(request: HttpRequest, cover_id: int) -> HttpResponse:
    """End cover today, before its time."""
    found = covers_of(request.user).filter(pk=cover_id).first()
    if found is None:
        raise Http404
    actions.end_cover(cover=found, by=request.user)
    return redirect("cover")


def _receiver(request: HttpRequest) -> Person:
    return receiver_of(request.user, whole(request.POST.get("to", "")))


def _ids(request: HttpRequest) -> list[int]:
    """The accounts ticked; one that cannot be read stops all, so that none is left behind unnoticed."""
    numbers = [whole(text) for text in request.POST.getlist("account")]
    if None in numbers:
        raise Refused(
            "名单中有无法识别的客户，未作任何改动；请刷新名单后重选。",
            "An account of the list cannot be read. Nothing was done; reload the list and choose again.",
            code="unreadable_choice",
            status=422,
        )
    return [number for number in numbers if number is not None]


def _all_of(accounts: QuerySet[Account], ids: list[int]) -> list[Account]:
    """The accounts chosen, every one of them."""
    if not ids:
        raise Refused("请至少选择一户。", "Choose one account at least.", code="nothing_chosen", status=422)
    chosen = list(accounts.filter(pk__in=ids))
    actions.all_still(len(chosen) == len(set(ids)))
    return chosen


def day_after(day: dt.date) -> dt.date:
    """The first day after; the calendar's last has none, and is far enough."""
    return day + dt.timedelta(days=1) if day < dt.date.max else day


def _day(text: str) -> dt.date | None:
    """A day from a form; nothing when none was chosen."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            "请选择日期，格式如 2026-11-05。", "Choose a day, such as 2026-11-05.", code="bad_day", status=422
        ) from error


def _done(request: HttpRequest) -> int | None:
    return whole(request.GET.get("done", ""))
