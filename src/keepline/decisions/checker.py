"""Every limit and rule verified from the written tables alone, by code that shares nothing with what made the plan.

Policy is laid out as a small relation of offers and joined to the tables; each check counts the
rows that break it. One breach anywhere and the month is not published.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    for name, folder in folders.items():
        engine.see(name, Scan(TABLES[name], (Files(tuple(sorted(folder.glob("part-*.parquet")))),)))
    engine.see("managers", lake.scan("managers", snapshot))
    engine.see("experiments", lake.scan("experiments", snapshot))
    counted = {**_everyone(engine, policy, snapshot), **_treated(engine, policy), **_assigned(engine)}
    counted |= {"contacts": _contacts(engine, policy), "hours": _hours(engine, policy)}
    counted |= _pilots(engine, policy) | _weeks(engine, policy)
    found = [Check(code, zh, en, *counted[code]) for code, zh, en in _rules() if code in counted]
    _refuse_breaches(found, snapshot)
    return {"customers": counted["one_row"][0], "checks": [vars(check) for check in found]}


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


def _ask(engine: Engine, text: str, relations: Mapping[str, exp.Query] | None = None, **parts: exp.Expr) -> Row:
    """One row of counts. ``parts`` take the place of ``:names``; ``relations`` are read beside the tables."""
    query = _query(text, **parts)
    for name, relation in (relations or {}).items():
        query = query.with_(name, as_=relation)
    return {key: int(value or 0) for key, value in engine.fetch(query).to_pylist()[0].items()}


def _query(text: str, **parts: exp.Expr) -> exp.Query:
    def fill(node: exp.Expr) -> exp.Expr:
        return parts[str(node.this)].copy() if isinstance(node, exp.Placeholder) else node

    return as_query(parse_one(text, read="duckdb").transform(fill))


def _everyone(engine: Engine, policy: Policy, snapshot: Month) -> Counted:
    """Rules about all rows of the base."""
    base = _ask(engine, checks.BASE)
    limits = policy.limits
    lot = held_out_tree(limits.held_out_salt, limits.held_out_share, exp.column("customer_id", table="d"))
    found = _ask(
        engine,
        checks.ROWS,
        month=literal(str(snapshot)),
        version=literal(policy.version),
        known=exp.column("state", table="d").isin(*STATES),
        lot=exp.paren(lot),
    )
    alone = base["missing"] + found["strangers"] + found["decided"] - found["customers"]
    codes = ("of_the_month", "known_state", "nothing_to_do", "lots", "has_candidate")
    return {
        "one_row": (base["base"], alone),
        "funnel": (base["base"], abs(base["base"] - found["in_a_state"])),
        **{code: (found["decided"], found[code]) for code in codes},
    }


def _treated(engine: Engine, policy: Policy) -> Counted:
    """Rules about the customers treated, and what they cost together."""
    contact = policy.contact
    found = _ask(
        engine,
        checks.TREATED,
        _relations(policy),
        eligible=_eligible(policy),
        arrears_months=literal(contact.arrears_months_max),
        contacts_max=literal(contact.contacts_month_max),
        gap_days=literal(contact.contact_gap_days_min),
        complaint_stops=literal(contact.open_complaint_stops),
        excludes=literal(policy.limits.exceed_authority == "exclude"),
    )
    codes = ("in_catalogue", "eligible", "consent", "blacklist", "arrears", "contact_rhythm", "complaints")
    counted = {code: (found["treated"], found[code]) for code in (*codes, "authority", "gains")}
    return counted | {"money": (found["treated"], int(found["money"] > policy.limits.money_fen))}


def _assigned(engine: Engine) -> Counted:
    found, arms = _ask(engine, checks.ASSIGNED), _ask(engine, checks.IN_ARMS)
    return {"assigned": (found["assigned"], found["apart"] + abs(found["assigned"] - arms["in_arms"]))}


def _pilots(engine: Engine, policy: Policy) -> Counted:
    """The lots on record themselves, where policy keeps running pilots apart; nobody is kept out where it does not."""
    horizon = policy.leaving.horizon_months if policy.contact.running_pilot_stops else 0
    found = _ask(engine, checks.PILOTS, horizon=exp.Literal.number(horizon))
    return {"pilots": (found["decided"], found["amiss"])}


def _contacts(engine: Engine, policy: Policy) -> tuple[int, int]:
    most = exp.case()
    for channel, contacts in sorted(policy.limits.channel_contacts.items()):
        here = exp.EQ(this=exp.column("channel", table="d"), expression=literal(channel))
        most = most.when(here, exp.cast(literal(contacts), "BIGINT"))
    tree = most.else_(_null("BIGINT")) if policy.limits.channel_contacts else _null("BIGINT")
    found = _ask(engine, checks.CONTACTS, most=tree)
    return found["channels"], found["over"]


def _hours(engine: Engine, policy: Policy) -> tuple[int, int]:
    each = policy.limits.manager_minutes_each
    tree = _null("BIGINT") if each is None else exp.cast(literal(each), "BIGINT")
    found = _ask(engine, checks.HOURS, _relations(policy), each=tree)
    return found["managers"], found["over"]


def _weeks(engine: Engine, policy: Policy) -> Counted:
    """Rules about the weeks, where policy knows some."""
    limits = policy.limits
    if limits.weeks is None:
        return {}
    most = exp.case()
    for channel, contacts in sorted(limits.channel_week_contacts.items()):
        for week, number in enumerate(contacts, start=1):
            here = [("channel", "d", literal(channel)), ("week", "s", exp.Literal.number(week))]
            tests = [exp.EQ(this=exp.column(name, table=table), expression=value) for name, table, value in here]
            most = most.when(exp.and_(*tests), exp.cast(literal(number), "BIGINT"))
    tree = most.else_(_null("BIGINT")) if limits.channel_week_contacts else _null("BIGINT")
    each = limits.manager_week_minutes
    minutes = _null("BIGINT") if each is None else exp.cast(literal(each), "BIGINT")
    when = _ask(engine, checks.SCHEDULED, weeks=literal(limits.weeks))
    contacts_made = _ask(engine, checks.WEEK_CONTACTS, most=tree)
    spent = _ask(engine, checks.WEEK_HOURS, _relations(policy), each=minutes)
    return {
        "scheduled": (when["treated"], when["apart"] + abs(when["treated"] - when["scheduled"])),
        "week_contacts": (contacts_made["weeks"], contacts_made["over"]),
        "week_hours": (spent["weeks"], spent["over"]),
    }


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
