"""Every limit and rule verified from the written tables alone, by code that shares nothing with what made the plan.

Shared is how a condition and a lot are read (``policy/conditions.py``, ``holdout.py``); tests hold these to other ways.
Policy is laid out as a small relation of offers and joined to the tables; each check counts the
rows that break it, some parts at a time, and is added up. One breach anywhere and the month is not published.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot import exp, parse_one

from keepline.decisions import checks
from keepline.engine import Engine, Files, Scan
from keepline.errors import PublicationError
from keepline.holdout import held_out_tree
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.conditions import all_hold
from keepline.policy.documents import Offer, Policy
from keepline.sqlmodel import as_query, literal
from keepline.tables import STATES, TABLES

Row = dict[str, Any]
Counted = dict[str, tuple[int, int]]  # by rule: rows looked at, rows that break it
IN_PERSON = ("visit", "manager_call")
AT_ONCE = 8  # parts looked at together


@dataclass(frozen=True)
class Check:
    """One rule: its code, what it says, how much was looked at, and how much breaks it."""

    code: str
    zh: str
    en: str
    looked_at: int
    breaches: int


def verify(
    engine: Engine,
    lake: Lake,
    policy: Policy,
    *,
    snapshot: Month,
    features: Path,
    scores: Path,
    candidates: Path,
    decisions: Path,
    assignments: Path,
    schedule: Path,
) -> dict[str, Any]:
    """Check the folders of parts; return what was looked at, or raise PublicationError naming every breach."""
    folders = {
        "features": features,
        "scores": scores,
        "candidates": candidates,
        "decisions": decisions,
        "assignments": assignments,
        "schedule": schedule,
    }
    engine.see("managers", lake.scan("managers", snapshot))
    engine.see("experiments", lake.scan("experiments", snapshot))
    answers = _Answers()
    for parts in _some_at_a_time(folders):
        for name, paths in parts.items():
            engine.see(name, Scan(TABLES[name], (Files(paths),)))
        _ask_all(engine, policy, snapshot, answers)
    counted = {**_everyone(answers), **_treated(answers, policy), **_assigned(answers), **_pilots(answers)}
    counted |= {name: answers.over(name) for name in answers.used}
    counted |= _scheduled(answers)
    found = [Check(code, zh, en, *counted[code]) for code, zh, en in _rules() if code in counted]
    _refuse_breaches(found, snapshot)
    return {"customers": counted["one_row"][0], "checks": [vars(check) for check in found]}


def _some_at_a_time(folders: Mapping[str, Path]) -> Iterator[dict[str, tuple[Path, ...]]]:
    """The same few parts of every table; a row among parts of another time is a stranger there."""
    named = sorted({path.name for folder in folders.values() for path in folder.glob("part-*.parquet")})
    for first in range(0, max(1, len(named)), AT_ONCE):
        here = [{name: folder / part for name, folder in folders.items()} for part in named[first : first + AT_ONCE]]
        yield {name: tuple(part[name] for part in here if part[name].exists()) for name in folders}


class _Answers:
    """Counts added up over the parts, and how much is used of each limited means."""

    def __init__(self) -> None:
        self.sums: dict[str, Counter[str]] = defaultdict(Counter)
        self.used: dict[str, dict[tuple[Any, Any], tuple[int, int | None]]] = {}

    def add(self, name: str, row: Row) -> None:
        """One row of counts."""
        for key, value in row.items():
            self.sums[name][key] += int(value or 0)

    def use(self, name: str, rows: list[Row]) -> None:
        """Rows of name, week, used and most."""
        means = self.used.setdefault(name, {})
        for row in rows:
            key = (row["name"], row["week"])
            before = means[key][0] if key in means else 0
            means[key] = (before + int(row["used"] or 0), None if row["most"] is None else int(row["most"]))

    def over(self, name: str) -> tuple[int, int]:
        """How many means there are of a kind, and of how many too much is used."""
        means = self.used[name].values()
        return len(means), sum(most is not None and used > most for used, most in means)


def _rules() -> list[tuple[str, str, str]]:
    lines = (line.split(" | ") for line in checks.RULES.strip().splitlines())
    return [(code.strip(), zh.strip(), en.strip()) for code, zh, en in lines]


def _refuse_breaches(found: list[Check], snapshot: Month) -> None:
    broken = [check for check in found if check.breaches]
    if broken:
        zh = "；".join(f"{check.zh}（{check.breaches} 处不符）" for check in broken)
        en = "; ".join(f"{check.en} ({check.breaches} breaches)" for check in broken)
        raise PublicationError(
            f"the plan of {snapshot} breaks its own rules and is not published: {en}",
            f"{snapshot} 的方案违反规则，不予发布：{zh}",
            code="plan_breach",
        )


def _ask(engine: Engine, text: str, relations: Mapping[str, exp.Query] | None = None, **parts: exp.Expr) -> list[Row]:
    """What a question finds. ``parts`` take the place of ``:names``; ``relations`` are read beside the tables."""
    query = _query(text, **parts)
    for name, relation in (relations or {}).items():
        query = query.with_(name, as_=relation)
    return list(engine.fetch(query).to_pylist())


def _query(text: str, **parts: exp.Expr) -> exp.Query:
    def fill(node: exp.Expr) -> exp.Expr:
        return parts[str(node.this)].copy() if isinstance(node, exp.Placeholder) else node

    return as_query(parse_one(text, read="duckdb").transform(fill))


def _ask_all(engine: Engine, policy: Policy, snapshot: Month, answers: _Answers) -> None:
    """Every question to the parts that are seen."""
    limits, contact = policy.limits, policy.contact
    lot = held_out_tree(limits.held_out_salt, limits.held_out_share, exp.column("customer_id", table="d"))
    horizon = policy.leaving.horizon_months if contact.running_pilot_stops else 0
    asked: dict[str, tuple[str, dict[str, exp.Expr]]] = {
        "base": (checks.BASE, {}),
        "rows": (
            checks.ROWS,
            {
                "month": literal(str(snapshot)),
                "version": literal(policy.version),
                "known": exp.column("state", table="d").isin(*STATES),
                "lot": exp.paren(lot),
            },
        ),
        "assigned": (checks.ASSIGNED, {}),
        "arms": (checks.IN_ARMS, {}),
        "pilots": (checks.PILOTS, {"horizon": exp.Literal.number(horizon)}),
    }
    for name, (text, parts) in asked.items():
        answers.add(name, *_ask(engine, text, None, **parts))
    answers.add("treated", *_ask(engine, checks.TREATED, _relations(policy), **_of_contact(policy)))
    _ask_used(engine, policy, answers)


def _of_contact(policy: Policy) -> dict[str, exp.Expr]:
    """What policy says of each customer who is treated."""
    contact = policy.contact
    return {
        "eligible": _eligible(policy),
        "arrears_months": literal(contact.arrears_months_max),
        "contacts_max": literal(contact.contacts_month_max),
        "gap_days": literal(contact.contact_gap_days_min),
        "complaint_stops": literal(contact.open_complaint_stops),
        "excludes": literal(policy.limits.exceed_authority == "exclude"),
    }


def _ask_used(engine: Engine, policy: Policy, answers: _Answers) -> None:
    """How much is used of each limited means, in the month and, where policy knows weeks, in each week."""
    limits, relations = policy.limits, _relations(policy)
    month: dict[tuple[str, int | None], int] = {
        (channel, None): most for channel, most in limits.channel_contacts.items()
    }
    answers.use("contacts", _ask(engine, checks.CONTACTS, most=_most(month)))
    answers.use("hours", _ask(engine, checks.HOURS, relations, each=_number(limits.manager_minutes_each)))
    if limits.weeks is None:
        return
    weeks: dict[tuple[str, int | None], int] = {
        (channel, week): most
        for channel, contacts in limits.channel_week_contacts.items()
        for week, most in enumerate(contacts, start=1)
    }
    answers.add("scheduled", *_ask(engine, checks.SCHEDULED, weeks=literal(limits.weeks)))
    answers.add("scheduled", *_ask(engine, checks.IN_WEEKS))
    answers.use("week_contacts", _ask(engine, checks.WEEK_CONTACTS, most=_most(weeks)))
    answers.use("week_hours", _ask(engine, checks.WEEK_HOURS, relations, each=_number(limits.manager_week_minutes)))


def _most(contacts: Mapping[tuple[str, int | None], int]) -> exp.Expr:
    """The contacts of a row's channel, in its week where weeks are told; null where there is no limit."""
    tree = exp.case()
    for (channel, week), most in sorted(contacts.items(), key=lambda item: (item[0][0], item[0][1] or 0)):
        here = exp.EQ(this=exp.column("channel", table="d"), expression=literal(channel))
        then = exp.EQ(this=exp.column("week", table="s"), expression=exp.Literal.number(week or 0))
        tree = tree.when(here if week is None else exp.and_(here, then), _number(most))
    return tree.else_(_null("BIGINT")) if contacts else _null("BIGINT")


def _number(most: int | None) -> exp.Expr:
    return _null("BIGINT") if most is None else exp.cast(literal(most), "BIGINT")


def _everyone(answers: _Answers) -> Counted:
    """Rules about all rows of the base."""
    base, found = answers.sums["base"], answers.sums["rows"]
    alone = base["missing"] + found["strangers"] + found["decided"] - found["customers"]
    codes = ("of_the_month", "known_state", "nothing_to_do", "lots", "has_candidate")
    return {
        "one_row": (base["base"], alone),
        "funnel": (base["base"], abs(base["base"] - found["in_a_state"])),
        **{code: (found["decided"], found[code]) for code in codes},
    }


def _treated(answers: _Answers, policy: Policy) -> Counted:
    """Rules about the customers treated, and what they cost together."""
    found = answers.sums["treated"]
    codes = ("in_catalogue", "eligible", "consent", "blacklist", "arrears", "contact_rhythm", "complaints")
    counted = {code: (found["treated"], found[code]) for code in (*codes, "authority", "gains")}
    return counted | {"money": (found["treated"], int(found["money"] > policy.limits.money_fen))}


def _assigned(answers: _Answers) -> Counted:
    found, arms = answers.sums["assigned"], answers.sums["arms"]
    return {"assigned": (found["assigned"], found["apart"] + abs(found["assigned"] - arms["in_arms"]))}


def _pilots(answers: _Answers) -> Counted:
    """The lots on record themselves, where policy keeps running pilots apart; nobody is kept out where it does not."""
    found = answers.sums["pilots"]
    return {"pilots": (found["decided"], found["amiss"])}


def _scheduled(answers: _Answers) -> Counted:
    """Rules about the weeks, where policy knows some."""
    if "scheduled" not in answers.sums:
        return {}
    when = answers.sums["scheduled"]
    return {"scheduled": (when["treated"], when["apart"] + abs(when["treated"] - when["scheduled"]))}


def _relations(policy: Policy) -> dict[str, exp.Query]:
    """What is laid beside the tables: policy's offers, the month's managers, what is known of customers."""
    return {"catalogue": _catalogue(policy), "in_charge": _query(checks.IN_CHARGE), "facts": _facts()}


CATALOGUE = {
    "offer_id": "VARCHAR",
    "channel": "VARCHAR",
    "minutes": "BIGINT",
    "unit_cost": "BIGINT",
    "needs_consent": "BOOLEAN",
    "in_person": "BOOLEAN",
    "above_floor": "BOOLEAN",
}


def _catalogue(policy: Policy) -> exp.Query:
    rows = [_offer_row(offer, policy) for offer in policy.offers.offer]
    if not rows:
        return exp.select(*[exp.alias_(_null(kind), name) for name, kind in CATALOGUE.items()]).where(exp.false())
    whole: exp.Query = rows[0]
    for row in rows[1:]:
        whole = exp.union(whole, row, distinct=False)
    return whole


def _offer_row(offer: Offer, policy: Policy) -> exp.Select:
    values: tuple[str | int | bool, ...] = (
        offer.id,
        offer.channel,
        offer.manager_minutes,
        offer.contact_cost_fen + offer.benefit_cost_fen,
        offer.channel in policy.contact.consent_needed_channels,
        offer.channel in IN_PERSON,
        offer.price_fen >= offer.floor_price_fen,
    )
    named = zip(values, CATALOGUE.items(), strict=True)
    return exp.select(*[exp.alias_(exp.cast(literal(value), kind), name) for value, (name, kind) in named])


def _facts() -> exp.Select:
    """Features and scores of a customer in one relation, as policy's conditions name them."""
    features, scores = TABLES["features"].names, TABLES["scores"].names
    own = [exp.alias_(exp.column(name, table="features"), name) for name in features]
    more = [exp.alias_(exp.column(name, table="scores"), name) for name in scores if name not in features]
    same = [exp.column("customer_id", table=table) for table in ("features", "scores")]
    on = exp.EQ(this=same[0], expression=same[1])
    return exp.select(*own, *more).from_("features").join("scores", on=on, join_type="left")


def _eligible(policy: Policy) -> exp.Expr:
    """The conditions of the very offer that is made."""
    held = [
        exp.and_(
            exp.EQ(this=exp.column("offer_id", table="d"), expression=literal(offer.id)),
            exp.paren(all_hold(offer.eligible, "facts")),
        )
        for offer in policy.offers.offer
    ]
    return exp.paren(exp.or_(*held)) if held else exp.false()


def _null(kind: str) -> exp.Expr:
    return exp.cast(exp.null(), kind)
