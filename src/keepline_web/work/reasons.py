"""Why to turn to a customer now: each reason finds itself in what is known, with its day, its weight and its words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from keepline.front import Service, numbers
from keepline_web.customers.models import Account, ContactPerson, PlanRow, Standing
from keepline_web.customers.words import DECISION_ROLES
from keepline_web.frame.words import Text
from keepline_web.work.models import Promise, Proposal, Step
from keepline_web.work.words import CHANNELS

SOON = 7  # days ahead for birthdays and anniversaries
CONTRACT_AHEAD = 60


@dataclass(frozen=True)
class Reason:
    """One reason. A hard one has a day that was agreed with somebody; a soft one can wait for a better day."""

    code: str
    words: Text
    weight: float
    due_on: dt.date | None = None
    hard: bool = False


@dataclass(frozen=True)
class Known:
    """Everything reasons are found in, of one account on one day."""

    account: Account
    standing: Standing | None
    plan: PlanRow | None
    plan_done: bool
    promises: tuple[Promise, ...]
    steps: tuple[Step, ...]
    last_contact_on: dt.date | None
    contract_end_on: dt.date | None
    resting: bool  # turned to a few days ago
    day: dt.date
    policy: Service
    persons: tuple[ContactPerson, ...] = ()  # who speak for it and have a birthday
    granted: tuple[Proposal, ...] = ()  # approved, not taken up, the one that ends first before the others


def promises(k: Known) -> list[Reason]:
    return [
        Reason(
            "promise", Text(f"承诺：{p.what}", f"promised: {p.what}"), 5 if p.due_on < k.day else 4, p.due_on, hard=True
        )
        for p in k.promises
    ]


def steps(k: Known) -> list[Reason]:
    found = []
    for step in k.steps:
        channel = CHANNELS[step.channel]
        zh, en = f"约定{channel.zh}", f"{channel.en} agreed"
        words = Text(f"{zh}：{step.note}", f"{en}: {step.note}") if step.note else Text(zh, en)
        found.append(Reason("step", words, 4 if step.due_on < k.day else 3.5, step.due_on, hard=True))
    return found


def granted(k: Known) -> list[Reason]:
    """An offer was approved and nobody took it up: it ends soon, or has not been spoken of."""
    found = []
    for offer in k.granted:
        last: dt.date = offer.last_on  # type: ignore[attr-defined]
        days = (last - k.day).days
        if days <= SOON:
            zh, en = f"已批准的{offer.name['zh']}将于 {last.isoformat()} 到期", f"ends unused on {last.isoformat()}"
            found.append(Reason("granted", Text(zh, f"{offer.name['en']} was granted and {en}"), 4, last))
    return found


def told_of_offer(k: Known) -> list[Reason]:
    """An approved offer that still holds for longer: one may tell the customer of it."""
    return [
        Reason("granted", Text(f"已批准待使用：{o.name['zh']}", f"granted and not taken up: {o.name['en']}"), 2.5)
        for o in k.granted
        if (o.last_on - k.day).days > SOON  # type: ignore[attr-defined]
    ]


def complaint(k: Known) -> list[Reason]:
    count = k.standing.complaints_open if k.standing else None
    if not count:
        return []
    return [
        Reason("complaint", Text("投诉尚未办结：先问是否已解决", "a complaint is open: ask first if it is settled"), 4)
    ]


def plan(k: Known) -> list[Reason]:
    if k.plan is None or k.plan_done:
        return []
    return [Reason("plan", Text(f"本月方案：{k.plan.name['zh']}", f"this month's plan: {k.plan.name['en']}"), 3)]


def risk(k: Known) -> list[Reason]:
    if k.standing is None or k.standing.risk_band != "high":
        return []
    why = k.standing.risks[0] if k.standing.risks else None
    zh, en = "离网风险高", "high risk of leaving"
    return [Reason("risk", Text(f"{zh}：{why['zh']}", f"{en}: {why['en']}") if why else Text(zh, en), 3)]


def contract(k: Known) -> list[Reason]:
    end = k.contract_end_on
    if end is None:
        return []
    days = (end - k.day).days
    if not -CONTRACT_AHEAD <= days <= CONTRACT_AHEAD:
        return []
    if days < 0:
        words = Text(f"合约已于 {end.isoformat()} 到期", f"the contract ended on {end.isoformat()}")
    else:
        words = Text(
            f"合约 {days} 天后到期（{end.isoformat()}）", f"the contract ends in {days} days ({end.isoformat()})"
        )
    return [Reason("contract", words, 2.5)]


def arrears(k: Known) -> list[Reason]:
    owed = k.standing.arrears_fen if k.standing else None
    if not owed:
        return []
    months = k.standing.arrears_months or 0 if k.standing else 0
    amount = numbers.fixed(owed / 100, 0)
    return [
        Reason("arrears", Text(f"欠费 {amount} 元，账龄 {months} 个月", f"{amount} yuan owed for {months} months"), 2.5)
    ]


def rhythm(k: Known) -> list[Reason]:
    """Nobody has spoken with the customer for longer than the class is owed, or the customer chose."""
    code = k.standing.class_code if k.standing else "ordinary"
    every = max(k.policy.of_class(code).contact_days_max, k.account.contact_gap_days or 0)
    if k.last_contact_on is None:
        return [Reason("rhythm", Text("尚无联系记录", "no contact on record"), 2)]
    days = (k.day - k.last_contact_on).days
    if days < every:
        return []
    return [
        Reason(
            "rhythm",
            Text(f"已 {days} 天未联系（标准 {every} 天）", f"no contact for {days} days (standard {every})"),
            2,
        )
    ]


def birthday(k: Known) -> list[Reason]:
    days = days_until(k.account.birthday, k.day)
    if days is None or days > SOON:
        return []
    organisation = k.account.kind == "organisation"
    zh, en = ("成立纪念日", "founding day") if organisation else ("生日", "birthday")
    when = Text("今天", "today") if days == 0 else Text(f"{days} 天后", f"in {days} days")
    return [Reason("birthday", Text(f"{zh}：{when.zh}", f"{en} {when.en}"), 2, k.day + dt.timedelta(days=days))]


def persons_birthday(k: Known) -> list[Reason]:
    """Of those who speak for the account, by their part in decisions; the page tells who it is."""
    found = []
    for one in k.persons:
        days = days_until(one.birthday, k.day)
        if days is None or days > SOON:
            continue
        role = DECISION_ROLES.get(one.role) or Text("联系人", "contact person")
        when = Text("今天", "today") if days == 0 else Text(f"{days} 天后", f"in {days} days")
        words = Text(f"联系人（{role.zh}）生日：{when.zh}", f"birthday of who {role.en}: {when.en}")
        found.append(Reason("person_birthday", words, 1.5, k.day + dt.timedelta(days=days)))
    return found


def anniversary(k: Known) -> list[Reason]:
    days = days_until(k.account.joined_on, k.day)
    if days is None or days > SOON or k.account.joined_on is None:
        return []
    day = k.day + dt.timedelta(days=days)
    years = day.year - k.account.joined_on.year
    if years < 1:
        return []
    words = Text(f"入网满 {years} 年（{day.isoformat()}）", f"{years} years with us on {day.isoformat()}")
    return [Reason("anniversary", words, 1, day)]


def days_until(day: dt.date | None, today: dt.date) -> int | None:
    """Days until the day comes round again; who was born on 29 February is greeted on the 28th in common years."""
    if day is None:
        return None
    for year in (today.year, today.year + 1):
        leap = day.month == 2 and day.day == 29 and not _is_leap(year)
        again = dt.date(year, 2, 28) if leap else day.replace(year=year)
        if again >= today:
            return (again - today).days
    raise AssertionError("a day comes round every year")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


AGREED: tuple[Callable[[Known], list[Reason]], ...] = (promises, steps, granted)
OURS = (told_of_offer, complaint, plan, risk, contract, arrears, rhythm, birthday, persons_birthday, anniversary)


def reasons_of(known: Known) -> list[Reason]:
    """All reasons, the most pressing first; one who was turned to a few days ago hears only what was agreed."""
    find = AGREED if known.resting else (*AGREED, *OURS)
    found = [reason for each in find for reason in each(known)]
    return sorted(found, key=lambda reason: (-reason.weight, reason.due_on or dt.date.max))
