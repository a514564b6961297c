"""How each offer of the catalogue stands to one customer: what is in the way, what it would earn, what its means cost.

What an offer asks is read from policy once, as the trees the plan is made by, and then answered of one row at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlglot import exp

from keepline.decisions import offers, words
from keepline.decisions.change import change_of
from keepline.decisions.words import Words
from keepline.onerow import Asked, asked
from keepline.policy.documents import Offer, Policy
from keepline.tables import STATES

Row = dict[str, Any]
GATE_STATES = STATES[: STATES.index("no_offer_fits")]


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
class _Need:
    """Something an offer asks of a customer: the test of the row, and the words where it fails."""

    holds: Asked
    said: Callable[[Row], Words]


@dataclass(frozen=True)
class _Asks:
    """One offer and all that it asks; ``bound`` where a manager makes it and policy keeps to what each may give."""

    offer: Offer
    needs: tuple[_Need, ...]
    reads: frozenset[str]
    measured: Callable[
        [], bool
    ]  # asked of who is in a pilot alone: months before there were such tell pilots otherwise
    bound: bool


class Catalogue:
    """The offers of one month as policy and pilots made them, ready to be asked of any customer."""

    def __init__(self, policy: Policy, manifest: Mapping[str, Any]) -> None:
        plan, pilots = manifest.get("plan") or {}, manifest.get("pilots") or []
        self._offers = [_asks(offer, policy, pilots) for offer in policy.offers.offer]
        self._authority = {row["manager_id"]: row["authority_fen"] for row in plan.get("by_manager", [])}
        self._prices = plan.get("prices")
        self.reads = {name for asks in self._offers for name in asks.reads} | {"manager_id"}  # of the facts

    def seen(self, facts: Row, candidates: Sequence[Row], decision: Row) -> tuple[OfferSeen, ...]:
        """Every offer, with what stands in its way and what it would earn; ``facts`` are features and scores."""
        found = {row["offer_id"]: row for row in candidates}
        barred = _barred(decision)
        return tuple(self._seen(asks, facts, found.get(asks.offer.id), barred) for asks in self._offers)

    def _seen(self, asks: _Asks, facts: Row, row: Row | None, barred: tuple[Words, ...]) -> OfferSeen:
        failed = [need.said(facts) for need in asks.needs if not need.holds(facts)]
        obstacles = (*failed, *self._beyond(asks, facts))
        if row is None and not obstacles and (not barred or _in_vain(asks, barred, facts)):
            obstacles = (_not_counted(facts),)
        return _told(asks.offer, row or {}, (*obstacles, *barred), self._price(row, facts))

    def _beyond(self, asks: _Asks, facts: Row) -> tuple[Words, ...]:
        """The offer costs more than the customer's manager may give."""
        most = self._authority.get(facts["manager_id"]) if asks.bound else None
        cost = offers.unit_cost_fen(asks.offer)
        return (words.over_authority(cost, most),) if most is not None and cost > most else ()

    def _price(self, row: Row | None, facts: Row) -> int | None:
        """What the means of a candidate cost at the month's prices, in fen."""
        prices = self._prices
        if row is None or prices is None:
            return None
        minute = prices["minutes"].get(facts["manager_id"], 0)
        units = prices["money"] * row["cost_fen"] + prices["contacts"].get(row["channel"], 0) + minute * row["minutes"]
        return int(-(-units // prices["unit"]))


def _asks(offer: Offer, policy: Policy, pilots: Sequence[Any]) -> _Asks:
    asks: list[tuple[exp.Expr, Callable[[Row], Words]]] = [
        *((c.tree(), partial(words.condition_failed, c)) for c in offer.eligible),
        (offers.reaches(offer), lambda _: words.NEEDS["manager"]),
        (offers.permitted(offer, policy.contact), lambda _: words.NEEDS["consent"]),
    ]
    return _Asks(
        offer,
        needs=tuple(_Need(asked(tree), said) for tree, said in asks),
        reads=frozenset(column.name for tree, _ in asks for column in tree.find_all(exp.Column)),
        measured=cache(lambda: change_of(offer, pilots) is not None),
        bound=policy.limits.exceed_authority != "allow" and offers.by_manager(offer),
    )


def _barred(decision: Row) -> tuple[Words, ...]:
    """The gate that keeps the customer from every offer, if one does."""
    return (words.REASONS[decision["reason"]],) if decision.get("state") in GATE_STATES else ()


def _in_vain(asks: _Asks, barred: tuple[Words, ...], facts: Row) -> bool:
    """For a customer in a pilot: no gain of the offer could be told even without it, so people who sell see no more."""
    unknown = _not_counted(facts) is words.REASONS["scores_unknown"]
    return barred == (words.PILOT_RUNNING,) and (not asks.measured() or unknown)


def _not_counted(facts: Row) -> Words:
    unknown = facts.get("value_fen") is None or facts.get("leave_probability") is None
    return words.REASONS["scores_unknown"] if unknown else words.NEEDS["effect"]


def _told(offer: Offer, row: Row, obstacles: tuple[Words, ...], price: int | None) -> OfferSeen:
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
