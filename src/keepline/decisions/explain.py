"""Everything known and decided about one customer of a publication: each offer with why and why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepline.decisions import drivers, telling, words
from keepline.decisions.base import parts_of
from keepline.decisions.catalogue import Catalogue, OfferSeen
from keepline.decisions.drivers import DriverSeen
from keepline.decisions.words import Words
from keepline.engine import ID_SPACE
from keepline.jsonfile import read_json
from keepline.lookup import Lookup
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.tables import SCORES

Row = dict[str, Any]
OF_ONE = ("features", "scores", "classes", "decisions", "assignments", "candidates")
WHERE_KNOWN = ("price_sensitivity", "drivers", "circles")  # of publications that have it
Only = Mapping[str, Collection[str]]
# What the seller's face is told of; offers may ask for more.
OF_SELLERS: Only = {
    "scores": (
        "value_fen", "value_low_fen", "value_high_fen", "persistence_fen", "growth_fen", "word_of_mouth_fen",
        "loyalty", "loyalty_kind", "leave_probability", "risk_band", "reason_1", "reason_2", "reason_3",
    ),
    "classes": ("class", "previous_class", "reason_zh", "reason_en"),
    "decisions": ("state", "reason", "offer_id", "channel", "manager_id"),
    "candidates": (
        "offer_id", "channel", "gain_fen", "gain_low_fen", "gain_high_fen", "cost_fen", "minutes",
    ),
    "price_sensitivity": ("elasticity", "low", "high"),
    "circles": ("circle_size", "leader", "gatekeeper"),
    "assignments": (),
    "drivers": (),
}  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """Facts, scores, class, offers and the decision of one customer and month.

    Two faces: ``analyst`` shows all. ``seller`` is for people who sell: it names no arm, and a
    held-out customer reads in the very words of one below the cut.
    """

    customer_id: int
    month: str
    features: Row  # those that are told, or asked for by an offer
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
    whole: bool = True  # else only what people who sell read was looked up

    def text(self, lang: str = "zh", face: str = "analyst") -> str:
        """The explanation in sentences; ``lang`` is zh or en, ``face`` analyst or seller."""
        return telling.text(self, lang=lang, face=self._may_show(face))

    def to_dict(self, face: str = "analyst") -> Row:
        """The same for machines."""
        return telling.as_dict(self, face=self._may_show(face))

    def _may_show(self, face: str) -> str:
        if face != "seller" and not self.whole:
            raise ValueError("what analysts read was not looked up")
        return face


class Explainer:
    """A publication opened once, to explain many customers from; several threads may ask at once."""

    def __init__(self, folder: Path, *, month: Month, policy: Policy, only: Only | None = None) -> None:
        """``only`` names the columns to look up of some tables, none of it a table to leave alone."""
        there = (*OF_ONE, *(table for table in WHERE_KNOWN if (folder / table).is_dir()))
        for table in there:
            parts_of(folder / table)  # a table without parts is refused
        self._tables = [table for table in there if only is None or only.get(table) != ()]
        self._whole = only is None
        self._month, self._policy = str(month), policy
        self._manifest = read_json(folder / "manifest.json")
        self._catalogue = Catalogue(policy, self._manifest)
        known = self._manifest.get("lookup") or {}
        self._lookup = Lookup(folder, self._tables, sha256=known.get("sha256"), only=self._columns(only or {}))

    def _columns(self, only: Only) -> Only:
        """The columns to look up; whatever an offer asks for is among them."""
        asked = self._catalogue.reads
        by = drivers.reads(self._policy.loyalty) if "drivers" in self._tables else set()
        scores = {"scores": {*only["scores"], *asked}} if "scores" in only else {}
        return {**only, **scores, "features": {*telling.PROFILE, *asked, *by}}

    def explain(self, customer_id: int) -> Explanation | None:
        """Explain a customer; None when the customer is not in the base of the month."""
        if not 0 < customer_id < ID_SPACE or not (features := self._lookup.rows("features", customer_id)):
            return None
        known = {table: self._lookup.rows(table, customer_id) for table in self._tables if table != "features"}
        one = {table: rows[0] if rows else {} for table, rows in known.items()}
        facts = dict.fromkeys(SCORES.names) | one["scores"] | features[0]
        return Explanation(
            customer_id=customer_id,
            month=self._month,
            features=features[0],
            scores=one["scores"],
            classes=one["classes"],
            decision=one["decisions"],
            assigned=one.get("assignments") or None,
            offers=self._catalogue.seen(facts, known["candidates"], one["decisions"]),
            risks=_risks(one["scores"], _said_reasons(self._manifest)),
            interval=self._policy.value.interval,
            price=one.get("price_sensitivity") or {},
            quotes=self._manifest.get("price") or {},
            drivers=drivers.seen(one.get("drivers") or {}, features[0], self._policy.loyalty),
            circle=one.get("circles") or {},
            whole=self._whole,
        )


def _said_reasons(manifest: Row) -> Mapping[str, Mapping[str, str]]:
    """The model card's words for the codes of reasons."""
    card = manifest.get("model_card") or {}
    return (card.get("words") or {}).get("reasons") or {}


def _risks(scores: Row, said: Mapping[str, Mapping[str, str]]) -> tuple[Words, ...]:
    codes = [scores.get(f"reason_{place}") for place in (1, 2, 3)]
    return tuple(words.risk_reason(code, said) for code in codes if code is not None)
