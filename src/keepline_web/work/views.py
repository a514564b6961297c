"""The day, the log, promises and offers, as pages and as the small answers htmx puts into them."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline_web.customers.queries import Shown, access_account, shown, shown_while_seen
from keepline_web.frame import clock
from keepline_web.frame.inputs import entry_key, whole
from keepline_web.frame.refusals import Refused
from keepline_web.people.access import page
from keepline_web.people.roles import Act
from keepline_web.work import actions, entitlements, proposals
from keepline_web.work.authority import authority_of
from keepline_web.work.holding import take_up
from keepline_web.work.models import Proposal
from keepline_web.work.precedents import Before, precedents
from keepline_web.work.proposals import TOP_LEVEL
from keepline_web.work.queries import catalogue_of, log_of, promises_of
from keepline_web.work.reasons import SOON
from keepline_web.work.several import day_said
from keepline_web.work.team import board
from keepline_web.work.today import day_of
from keepline_web.work.words import CHANNELS, DECISIONS, OUTCOMES

EACH = 30
HOME = (
    ("own_day", "today"),
    ("see_figures", "month"),
    ("see_accounts", "accounts"),
    ("load", "data"),
    ("configure", "people"),
    ("read_audit", "audit"),
)


@page(Act.SIGNED_IN)
def home(request: HttpRequest) -> HttpResponse:
    """The page a role begins its day with."""
    return redirect(next((url for act, url in HOME if request.user.may(act)), "me"))


@page(Act.OWN_DAY)
def today(request: HttpRequest) -> HttpResponse:
    """Overdue, today, planned."""
    day = day_of(request.user)
    to_go = len(day.overdue) + len(day.today)
    values = {
        "day": day,
        "planned_shown": 20,
        "soon_day": clock.today() + dt.timedelta(days=SOON),
        "to_go": to_go,
        "share": round(100 * day.done / max(1, day.done + to_go)),
    }
    return render(request, "work/today.html", values)


@page(Act.OWN_DAY, "POST")
def log_contact(request: HttpRequest, customer_id: int) -> HttpResponse:
    """One tap: the line is in the log, and the next step is proposed."""
    access_account(request.user, customer_id)
    said = request.POST
    contact = actions.log_contact(
        by=request.user, customer_id=customer_id, key=entry_key(request), outcome=said.get("outcome", ""),
        channel=said.get("channel", "manager_call"), note=said.get("note", ""),
        plan_row=whole(said.get("plan_row", "")), proposal=whole(said.get("proposal", "")),
        happened_at=_moment(said.get("happened_at", "")),
    )  # fmt: skip
    values = {
        "contact": contact, "outcome": OUTCOMES[contact.outcome], "proposed": actions.proposed_for(contact),
        "key": uuid.uuid4(),
        "shown": shown(contact.account, request.user), "channels": CHANNELS,
    }  # fmt: skip
    if request.headers.get("HX-Request") != "true":
        return redirect("account", customer_id)
    return _moved(render(request, "work/logged.html", values))


@page(Act.OWN_DAY, "POST")
def withdraw_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    taken = actions.withdraw_contact(by=request.user, contact_id=contact_id)
    if request.headers.get("HX-Request") != "true":
        return redirect("log")
    known = shown_while_seen([taken.account], request.user)
    return _moved(render(request, "work/withdrawn.html", {"shown": known[taken.account_id]}))


def _moved(answer: HttpResponse) -> HttpResponse:
    """The page is told that the day has moved on, and asks for its counts anew."""
    answer["HX-Trigger"] = "day-moved"
    return answer


@page(Act.OWN_DAY, "POST")
def plan_step(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The next step, as proposed or on another day."""
    access_account(request.user, customer_id)
    said = request.POST
    step = actions.plan_step(
        by=request.user, customer_id=customer_id, key=entry_key(request), due_on=day_said(said.get("due_on", "")),
        channel=said.get("channel", "manager_call"), note=said.get("note", ""),
        after=whole(said.get("after", "")),
    )  # fmt: skip
    if request.headers.get("HX-Request") != "true":
        return redirect("account", customer_id)
    return render(request, "work/stepped.html", {"step": step, "channel": CHANNELS[step.channel]})


@page(Act.OWN_DAY)
def log(request: HttpRequest) -> HttpResponse:
    """The marketing log: one's own lines, by day."""
    outcome = request.GET.get("outcome", "")
    paged = Paginator(log_of(request.user, outcome), EACH).get_page(request.GET.get("page"))
    known = shown_while_seen([row.account for row in paged], request.user)
    lines = [(row, known[row.account_id]) for row in paged]
    values = {"page": paged, "lines": lines, "outcomes": OUTCOMES, "channels": CHANNELS, "outcome": outcome}
    return render(request, "work/log.html", values)


@page(Act.OWN_DAY)
def promises(request: HttpRequest) -> HttpResponse:
    """What was promised to the customers one sees, and whether it was kept."""
    ended = request.GET.get("state") == "ended"
    paged = Paginator(promises_of(request.user, ended=ended), EACH).get_page(request.GET.get("page"))
    values = {"page": paged, "lines": [(row, shown(row.account, request.user)) for row in paged],
              "ended": ended}  # fmt: skip
    return render(request, "work/promises.html", values)


@page(Act.OWN_DAY, "POST")
def promise(request: HttpRequest, customer_id: int) -> HttpResponse:
    access_account(request.user, customer_id)
    said = request.POST
    actions.promise(by=request.user, customer_id=customer_id, key=entry_key(request), what=said.get("what", ""),
                    due_on=day_said(said.get("due_on", "")))  # fmt: skip
    return redirect("account", customer_id)


@page(Act.OWN_DAY, "POST")
def give(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Something the customer's class is owed was given."""
    access_account(request.user, customer_id)
    said = request.POST
    entitlements.give(by=request.user, customer_id=customer_id, key=entry_key(request),
                      entitlement_id=said.get("entitlement", ""), note=said.get("note", ""))  # fmt: skip
    return redirect("account", customer_id)


@page(Act.OWN_DAY, "POST")
def end_promise(request: HttpRequest, promise_id: int) -> HttpResponse:
    kept = {"yes": True, "no": False}.get(request.POST.get("kept", ""))
    actions.end_promise(by=request.user, promise_id=promise_id, kept=kept, note=request.POST.get("note", ""))
    return redirect("promises")


@page(Act.OWN_DAY)
def proposals_page(request: HttpRequest) -> HttpResponse:
    """Offers one asked for, and what became of them."""
    return _proposals(request, proposals.proposals_of(request.user).filter(made_by=request.user), inbox=False)


@page(Act.APPROVE)
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for one's decision, with its reason, margin effect and precedents."""
    return _proposals(request, proposals.waiting_for(request.user), inbox=True)


def _proposals(request: HttpRequest, rows: object, *, inbox: bool) -> HttpResponse:
    paged = Paginator(rows, EACH).get_page(request.GET.get("page"))
    found = precedents(request.user, list(paged)) if inbox else {}
    known = shown_while_seen([row.account for row in paged], request.user)
    own = authority_of(request.user) if request.user.rights.level else None
    values = {
        "page": paged, "inbox": inbox,
        "lines": [_line(request, row, known[row.account_id], found.get(row.pk)) for row in paged],
        "decisions": DECISIONS, "open_states": proposals.OPEN, "may_raise": request.user.rights.level < TOP_LEVEL,
        "authority": own, "beyond": {row.pk for row in paged if own is None or not own.covers(row.cost_fen)},
    }  # fmt: skip
    return render(request, "work/proposals.html", values)


def _line(request: HttpRequest, row: Proposal, who: Shown, before: Before | None) -> tuple[object, ...]:
    """One proposal with its steps, its margin at the price asked, and what was decided before."""
    like = [(one, shown(one.proposal.account, request.user).name) for one in before.shown] if before else []
    steps = list(row.rulings.select_related("person"))
    return row, who, steps, proposals.net_fen(row), before, like


@page(Act.OWN_DAY, "GET", "POST")
def propose(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Ask for an offer: the plan's first, the rest of the catalogue after it."""
    account = access_account(request.user, customer_id)
    if request.method == "POST":
        said = request.POST
        proposals.propose(
            by=request.user, customer_id=customer_id, key=entry_key(request), offer_id=said.get("offer_id", ""),
            price_fen=_fen(said.get("price", "")), reason=said.get("reason", ""),
        )  # fmt: skip
        return redirect("account", customer_id)
    listed, planned = catalogue_of(account)
    values = {"shown": shown(account, request.user), "offers": listed, "planned": planned, "key": uuid.uuid4(),
              "authority": authority_of(request.user)}  # fmt: skip
    return render(request, "work/propose.html", values)


@page(Act.APPROVE, "POST")
def decide(request: HttpRequest, proposal_id: int) -> HttpResponse:
    proposals.decide(by=request.user, proposal_id=proposal_id, what=request.POST.get("what", ""),
                     reason=request.POST.get("reason", ""))  # fmt: skip
    return redirect("inbox")


@page(Act.OWN_DAY, "POST")
def withdraw_proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    proposals.withdraw(by=request.user, proposal_id=proposal_id)
    return redirect("proposals")


@page(Act.OWN_DAY, "POST")
def use_proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """The customer took the offer up."""
    used = take_up(by=request.user, proposal_id=proposal_id)
    return redirect("account", used.proposal.account_id)


@page(Act.SEE_TEAM)
def team(request: HttpRequest) -> HttpResponse:
    """The people one leads: what each has done and has before them this month."""
    return render(request, "work/team.html", board(request.user))


def _moment(text: str) -> dt.datetime | None:
    """When a line that waited for the network happened."""
    try:
        said = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return said if said.tzinfo else None


def _fen(text: str) -> int:
    """Yuan as typed, in fen; never through a float."""
    yuan, _, part = text.strip().replace(",", "").partition(".")
    fen = whole(yuan + part.ljust(2, "0")) if len(yuan) <= 9 and len(part) <= 2 and yuan else None
    if fen is None:
        raise Refused(
            "价格应为金额，如 69 或 69.50。",
            "The price must be an amount such as 69 or 69.50.",
            code="bad_price",
            status=422,
        )
    return fen
