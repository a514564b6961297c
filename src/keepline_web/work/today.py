"""The day of one person: overdue, today and planned, by value and urgency, each account once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Max, Q

from keepline.front import Service, read_service
from keepline_web.customers.models import Account, Assignment, Event, Line, PlanRow, Standing
from keepline_web.customers.persons import holding
from keepline_web.customers.queries import Shown, latest_month, on_day, shown
from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.people.models import Person
from keepline_web.work.actions import works_for
from keepline_web.work.holding import granted_offers
from keepline_web.work.models import Contact, Promise, Proposal, Step
from keepline_web.work.reasons import Known, Reason, reasons_of

FACTS = 3
SAME_MATTER = {
    "contract": "contract",
    "birthday": "birthday",
    "complaint": "complained",
    "anniversary": "long_standing",
}  # reason → fact of the core
LEAST_VALUE_FEN = 10_000  # so that a small account in need still counts


@dataclass(frozen=True)
class Card:
    """One account of the day: who, why now, what to offer, what not."""

    shown: Shown
    standing: Standing | None
    reasons: tuple[Reason, ...]
    facts: tuple[Text, ...]
    offer: PlanRow | None
    granted: tuple[Proposal, ...]
    never: tuple[Text, ...]
    due_on: dt.date | None  # the first day something agreed with somebody falls due
    score: float
    covering_for: str = ""  # whose account it is, where the person looks after it for a colleague


@dataclass(frozen=True)
class Day:
    """The three parts of the day, and how many accounts have nothing due."""

    overdue: tuple[Card, ...]
    today: tuple[Card, ...]
    planned: tuple[Card, ...]
    quiet: int
    done: int


def day_of(person: Person) -> Day:
    """The person's accounts, and those of whom they cover, sorted into the day."""
    policy, day = read_service(settings.SITE.policy), clock.today()
    people = works_for(person)
    owned = Account.objects.filter(assignments__in=_assignments(people, day)).order_by("pk")
    lent = dict(_assignments(people, day).exclude(person=person).values_list("account", "person__name"))
    known_of = know(list(owned), day, policy)
    cards = [card for known in known_of if (card := _card(known, person, lent.get(known.account.pk, ""))) is not None]
    overdue = [c for c in cards if c.due_on is not None and c.due_on < day]
    must = [c for c in cards if c.due_on == day]
    ahead = [c for c in cards if c.due_on is not None and c.due_on > day]
    may = sorted((c for c in cards if c.due_on is None), key=_rank)
    room = max(0, policy.cards_a_day - len(overdue) - len(must))
    until = day + dt.timedelta(days=policy.visit_ahead_days)
    planned = sorted((c for c in ahead if c.due_on and c.due_on <= until), key=lambda c: (c.due_on, *_rank(c)))
    done = Contact.objects.filter(person=person, on_day=day, withdrawn=False, corrected_by__isnull=True).count()
    return Day(
        overdue=tuple(sorted(overdue, key=lambda c: (c.due_on, *_rank(c)))),
        today=tuple(sorted(must, key=_rank) + may[:room]),
        planned=tuple(planned + may[room:]),
        quiet=owned.count() - len(cards),
        done=done,
    )


def _assignments(people: list[int], day: dt.date) -> Any:
    return Assignment.objects.filter(on_day(day), person__in=people)


def _rank(card: Card) -> tuple[float, int]:
    return -card.score, card.shown.account.pk


def know(accounts: list[Account], day: dt.date, policy: Service) -> list[Known]:
    """What reasons are found in, for many accounts at once, in nine queries."""
    ids, month = [account.pk for account in accounts], latest_month()
    standings = {s.account_id: s for s in Standing.objects.filter(account__in=ids, month=month)}
    plans = {row.account_id: row for row in PlanRow.objects.filter(account__in=ids, month=month)}
    contacts = _by(Contact.objects.filter(account__in=ids, withdrawn=False, corrected_by__isnull=True))
    promises = _by(Promise.objects.filter(account__in=ids, end__isnull=True))
    steps = _by(Step.objects.filter(account__in=ids, end__isnull=True))
    persons = _by(holding().filter(account__in=ids, birthday__isnull=False))
    told, granted = _last_told(ids), _by(granted_offers().filter(account__in=ids).order_by("last_on", "pk"))
    ends = _contract_ends(ids)
    found = []
    for account in accounts:
        own = contacts[account.pk]
        answered = {c.plan_row_id for c in own if c.outcome in ("agreed", "refused")}
        row = plans.get(account.pk)
        tried = [c.on_day for c in own]
        reached = [c.on_day for c in own if c.outcome != "not_reached"]
        last = max([*reached, *([told[account.pk]] if account.pk in told else [])], default=None)
        known = Known(
            resting=_rests(max(tried, default=None), account, day, policy), account=account,
            standing=standings.get(account.pk), plan=row,
            plan_done=row is not None and row.pk in answered, promises=tuple(promises[account.pk]),
            steps=tuple(steps[account.pk]), last_contact_on=last, contract_end_on=ends.get(account.pk),
            day=day, policy=policy, persons=tuple(persons[account.pk]), granted=tuple(granted[account.pk]),
        )  # fmt: skip
        found.append(known)
    return found


def _rests(tried_on: dt.date | None, account: Account, day: dt.date, policy: Service) -> bool:
    """After a try of ours the account is left in peace: only what was agreed with somebody comes before its time."""
    rest = max(policy.rest_days, account.contact_gap_days or 0)
    return tried_on is not None and (day - tried_on).days < rest


def _by(rows: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(row)
    return found


def _last_told(ids: list[int]) -> dict[int, dt.date]:
    """The last contact the operator's own files tell of."""
    rows = Event.objects.filter(account__in=ids, kind="contact").values("account").annotate(last=Max("happened_on"))
    return {row["account"]: row["last"] for row in rows}


def _contract_ends(ids: list[int]) -> dict[int, dt.date]:
    open_lines = Line.objects.filter(account__in=ids, ended_on__isnull=True).filter(~Q(status="disconnected"))
    rows = open_lines.values("account").annotate(end=Max("contract_end_on"))
    return {row["account"]: row["end"] for row in rows if row["end"]}


def _card(known: Known, person: Person, covering_for: str) -> Card | None:
    """The account's card, or nothing when there is no reason to turn to it."""
    reasons = reasons_of(known)
    if not reasons:
        return None
    standing = known.standing
    days = [reason.due_on for reason in reasons if reason.hard and reason.due_on]
    worth = max((standing.value_fen if standing else 0) or 0, LEAST_VALUE_FEN)
    return Card(
        shown=shown(known.account, person),
        standing=standing,
        reasons=tuple(reasons),
        facts=_facts(known, reasons),
        offer=None if known.plan_done else known.plan,
        granted=known.granted,
        never=tuple(never(known)),
        due_on=min(days, default=None),
        score=worth * sum(reason.weight for reason in reasons),
        covering_for=covering_for,
    )


def _facts(known: Known, reasons: list[Reason]) -> tuple[Text, ...]:
    """Three facts: why now first, then what one may speak of."""
    found = [reason.words for reason in reasons]
    said = {SAME_MATTER.get(reason.code) for reason in reasons}
    more = known.standing.facts + known.standing.risks if known.standing else []
    found += [Text(row["zh"], row["en"]) for row in more if row["code"] not in said]
    different = {fact.zh: fact for fact in found}
    return tuple(different.values())[:FACTS]


def never(known: Known) -> list[Text]:
    """What must not be offered or done, and why."""
    account, standing = known.account, known.standing
    found = []
    if account.blacklisted:
        found.append(Text("在黑名单中：不得提供任何优惠", "on the blacklist: no offer of any kind"))
    if account.consent is False or account.consent is None:
        found.append(
            Text("没有营销授权：不得用短信、电话推销", "no consent to marketing: do not sell by call or message")
        )
    if standing and standing.arrears_fen:
        found.append(Text("欠费未清：先谈缴费，不谈优惠", "in arrears: speak of payment, not of offers"))
    if standing and standing.complaints_open:
        found.append(Text("投诉未办结：办结前不推销", "a complaint is open: sell nothing before it is settled"))
    if known.plan is None and not known.granted and not found:
        found.append(Text("本月方案没有安排优惠：不主动降价", "the plan has no offer this month: do not discount"))
    return found
