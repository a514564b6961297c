"""Everything known and decided about one customer of a publication: each offer with why and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline.decisions import drivers, offers, telling, words
from keepline.decisions.base import base, see
from keepline.decisions.change import change_of
from keepline.decisions.drivers import DriverSeen
from keepline.decisions.words import Words
from keepline.engine import Engine
from keepline.jsonfile import read_json
from keepline.periods import Month
from keepline.policy.documents import Offer, Policy
from keepline.sqlmodel import literal
from keepline.tables import STATES

Row = dict[str, Any]
GATE_STATES = STATES[: STATES.index("no_offer_fits")]
OF_ONE = ("features", "scores", "classes", "decisions", "assignments", "candidates")
WHERE_KNOWN = ("price_sensitivity", "drivers", "circles")  # of publications that have it


@dataclass(frozen=True)
class OfferSeen:
    """One offer of the catalogue as it stands to the customer. Amounts in fen; None where nothing was computed."""

    offer_id: str
    name: Words
    channel: str
    purpose: str
    obstacles: tuple[Words, ...]  # why the customer may not have it; none when nothing stands in the way
    gain_fen: int | None
    gain_low_fen: int | None
    gain_high_fen: int | None
    cost_fen: int | None
    price_fen: int | None  # what the means it uses cost at the month's prices
    assumed: bool

    @property
    def left_fen(self) -> int | None:
        """Gain after paying for the means; above zero, the prices would choose it."""
        if self.gain_fen is None or self.price_fen is None:
            return None
        return self.gain_fen - self.price_fen


@dataclass(frozen=True)
class Explanation:
    """Facts, scores, class, offers and the decision of one customer and month.

    Two faces: ``analyst`` shows all. ``seller`` is for people who sell: it names no arm, and a
    held-out customer reads in the very words of one below the cut.
    """

    customer_id: int
    month: str
    features: Row
    scores: Row
    classes: Row
    decision: Row
    assigned: Row | None
    offers: tuple[OfferSeen, ...]
    risks: tuple[Words, ...]
    interval: float
    price: Row = field(default_factory=dict)  # how purchases answer to price; empty where nothing is known of anybody
    quotes: Row = field(default_factory=dict)  # what that was learnt from
    drivers: tuple[DriverSeen, ...] = ()
    circle: Row = field(default_factory=dict)  # part in the calling graph; empty where there is none

    def text(self, lang: str = "zh", face: str = "analyst") -> str:
        """The explanation in sentences; ``lang`` is zh or en, ``face`` analyst or seller."""
        return telling.text(self, lang=lang, face=face)

    def to_dict(self, face: str = "analyst") -> Row:
        """The same for machines."""
        return telling.as_dict(self, face=face)


def explain(engine: Engine, folder: Path, *, customer_id: int, month: Month, policy: Policy) -> Explanation | None:
    """Explain a customer from a publication's folder; None when the customer is not in its base."""
    there = (*OF_ONE, *(table for table in WHERE_KNOWN if (folder / table).is_dir()))
    known = {table: _rows_of(engine, folder, table, customer_id) for table in there}
    if not known["features"]:
        return None
    manifest = read_json(folder / "manifest.json")
    one = {table: rows[0] if rows else {} for table, rows in known.items()}
    return Explanation(
        customer_id=customer_id,
        month=str(month),
        features=one["features"],
        scores=one["scores"],
        classes=one["classes"],
        decision=one["decisions"],
        assigned=one["assignments"] or None,
        offers=_offers(engine, policy, one, known["candidates"], manifest),
        risks=_risks(one["scores"], _said_reasons(manifest)),
        interval=policy.value.interval,
        price=one.get("price_sensitivity") or {},
        quotes=manifest.get("price") or {},
        drivers=drivers.seen(one.get("drivers") or {}, one["features"], policy.loyalty),
        circle=one.get("circles") or {},
    )


def _rows_of(engine: Engine, folder: Path, table: str, customer_id: int) -> list[Row]:
    see(engine, table, folder / table)
    query = exp.select("*").from_(table).where(_is(customer_id))
    return list(engine.fetch(query).to_pylist())


def _is(customer_id: int) -> exp.Expr:
    return exp.EQ(this=exp.column("customer_id"), expression=literal(customer_id))


def _said_reasons(manifest: Row) -> Mapping[str, Mapping[str, str]]:
    """The model card's words for the codes of reasons."""
    card = manifest.get("model_card") or {}
    return (card.get("words") or {}).get("reasons") or {}


def _risks(scores: Row, said: Mapping[str, Mapping[str, str]]) -> tuple[Words, ...]:
    codes = [scores.get(f"reason_{place}") for place in (1, 2, 3)]
    return tuple(words.risk_reason(code, said) for code in codes if code is not None)


def _offers(
    engine: Engine, policy: Policy, one: Mapping[str, Row], candidates: Sequence[Row], manifest: Row
) -> tuple[OfferSeen, ...]:
    """Every offer of the catalogue, with what stands in its way and what it would earn."""
    facts, plan = one["features"] | one["scores"], manifest.get("plan") or {}
    needs = {offer.id: _needs(offer, policy) for offer in policy.offers.offer}
    failed = _failed(engine, facts, needs)
    found = {row["offer_id"]: row for row in candidates}
    barred = _barred(one["decisions"])
    seen = []
    for offer in policy.offers.offer:
        row = found.get(offer.id)
        obstacles = (*failed[offer.id], *_authority(policy, offer, facts, plan))
        if row is None and not obstacles and (not barred or _in_vain(offer, barred, facts, manifest)):
            obstacles = (_not_counted(facts),)
        seen.append(_seen(offer, row or {}, (*obstacles, *barred), _price(row, facts, plan)))
    return tuple(seen)


@dataclass(frozen=True)
class _Need:
    """Something an offer asks of a customer: the test over the base, and the words where it fails."""

    tree: exp.Expr
    said: Callable[[Row], Words]


def _needs(offer: Offer, policy: Policy) -> list[_Need]:
    own = [_Need(c.tree(), partial(words.condition_failed, c)) for c in offer.eligible]
    return [
        *own,
        _Need(offers.reaches(offer), lambda _: words.NEEDS["manager"]),
        _Need(offers.permitted(offer, policy.contact), lambda _: words.NEEDS["consent"]),
    ]


def _failed(engine: Engine, facts: Row, needs: Mapping[str, list[_Need]]) -> dict[str, list[Words]]:
    """By offer, the needs the customer does not meet; all tests run as one query on one row."""
    flat = [need for each in needs.values() for need in each]
    if not flat:
        return {offer_id: [] for offer_id in needs}
    columns = [exp.alias_(need.tree, f"need_{place}") for place, need in enumerate(flat)]
    query = exp.select(*columns).from_("base").where(_is(facts["customer_id"])).with_("base", as_=base())
    answers = iter(engine.fetch(query).to_pylist()[0].values())
    return {offer_id: [need.said(facts) for need in each if not next(answers)] for offer_id, each in needs.items()}


def _barred(decision: Row) -> tuple[Words, ...]:
    """The gate that keeps the customer from every offer, if one does."""
    return (words.REASONS[decision["reason"]],) if decision.get("state") in GATE_STATES else ()


def _authority(policy: Policy, offer: Offer, facts: Row, plan: Row) -> tuple[Words, ...]:
    """The offer costs more than the customer's manager may give."""
    mine = [row for row in plan.get("by_manager", []) if row["manager_id"] == facts["manager_id"]]
    bound = mine[0]["authority_fen"] if mine else None
    if bound is None or policy.limits.exceed_authority == "allow" or not offers.by_manager(offer):
        return ()
    cost = offers.unit_cost_fen(offer)
    return (words.over_authority(cost, bound),) if cost > bound else ()


def _in_vain(offer: Offer, barred: tuple[Words, ...], facts: Row, manifest: Row) -> bool:
    """For a customer in a pilot: no gain of the offer could be told even without it, so people who sell see no more."""
    unmeasured = change_of(offer, manifest.get("pilots") or []) is None
    return barred == (words.PILOT_RUNNING,) and (unmeasured or _not_counted(facts) is words.REASONS["scores_unknown"])


def _not_counted(facts: Row) -> Words:
    unknown = facts.get("value_fen") is None or facts.get("leave_probability") is None
    return words.REASONS["scores_unknown"] if unknown else words.NEEDS["effect"]


def _price(row: Row | None, facts: Row, plan: Row) -> int | None:
    """What the means of a candidate cost at the month's prices, in fen."""
    prices = plan.get("prices")
    if row is None or prices is None:
        return None
    minute = prices["minutes"].get(facts["manager_id"], 0)
    units = prices["money"] * row["cost_fen"] + prices["contacts"].get(row["channel"], 0) + minute * row["minutes"]
    return int(-(-units // prices["unit"]))


def _seen(offer: Offer, row: Row, obstacles: tuple[Words, ...], price: int | None) -> OfferSeen:
    return OfferSeen(
        offer_id=offer.id,
        name=Words(offer.name.zh, offer.name.en),
        channel=offer.channel,
        purpose=offer.purpose,
        obstacles=obstacles,
        gain_fen=row.get("gain_fen"),
        gain_low_fen=row.get("gain_low_fen"),
        gain_high_fen=row.get("gain_high_fen"),
        cost_fen=row.get("cost_fen"),
        price_fen=price,
        assumed=offer.effect.source == "assumed",
    )
