"""The same offer at different prices, side by side, with who approved it and why (D3)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch

from keepline.front import numbers
from keepline_web.customers.models import Account, Standing
from keepline_web.customers.queries import visible_to
from keepline_web.customers.words import CLASSES
from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.people.models import Person
from keepline_web.work.models import Proposal, Ruling
from keepline_web.work.proposals import proposals_of

DAYS = 180  # how far back prices are compared


@dataclass(frozen=True)
class Price:
    """One approval: to whom, at what price, why, and by whom."""

    proposal: Proposal
    class_code: str
    approved_by: str
    alone: bool  # within the asker's own authority

    @property
    def account(self) -> Account:
        return self.proposal.account


@dataclass(frozen=True)
class Compared:
    """One offer with all its approvals, the lowest price first, and what differs in sentences."""

    offer_id: str
    name: dict[str, str]
    prices: tuple[Price, ...]
    differs: tuple[Text, ...]


def compared(person: Person) -> tuple[list[Compared], int]:
    """Offers approved at more than one price, widest apart first; and how many were always at one price."""
    found: dict[str, list[Price]] = defaultdict(list)
    for price in _approved(person):
        found[price.proposal.offer_id].append(price)
    offers = [_compare(offer_id, prices) for offer_id, prices in found.items() if _spread(prices)]
    return sorted(offers, key=lambda one: (-_spread(one.prices), one.offer_id)), len(found) - len(offers)


def _approved(person: Person) -> list[Price]:
    yes = Ruling.objects.filter(what="approved")
    since = clock.today() - dt.timedelta(days=DAYS)
    mine = proposals_of(person).filter(account__in=visible_to(person))
    rows = mine.filter(Exists(yes.filter(proposal=OuterRef("pk"))), made_on__gte=since)
    rows = rows.prefetch_related(Prefetch("rulings", yes.select_related("person"), to_attr="yes"))
    listed = list(rows)
    classes = _classes(listed)
    return [_price(row, classes.get((row.account_id, row.month), "")) for row in listed]


def _classes(rows: list[Proposal]) -> dict[tuple[int, str], str]:
    """The class each account had in the month whose offer it was."""
    ids = {row.account_id for row in rows}
    standings = Standing.objects.filter(account__in=ids, month__in={row.month for row in rows})
    return {(account, month): code for account, month, code in standings.values_list("account", "month", "class_code")}


def _price(row: Proposal, class_code: str) -> Price:
    by = row.yes[-1].person  # type: ignore[attr-defined]
    return Price(row, class_code, by.name, by.pk == row.made_by_id)


def _spread(prices: list[Price] | tuple[Price, ...]) -> int:
    amounts = [price.proposal.price_fen for price in prices]
    return max(amounts) - min(amounts)


def _compare(offer_id: str, prices: list[Price]) -> Compared:
    rising = tuple(sorted(prices, key=lambda price: (price.proposal.price_fen, price.proposal.pk)))
    return Compared(offer_id, rising[-1].proposal.name, rising, tuple(_differs(rising)))


def _differs(prices: tuple[Price, ...]) -> list[Text]:
    """What differs, plainly: how far apart in all, and within each class."""
    low, high = prices[0].proposal.price_fen, prices[-1].proposal.price_fen
    gap = numbers.percent((high - low) / high, 0) if high else "0%"
    said = [
        Text(f"共批准 {len(prices)} 次，价格 {_yuan(low)} 至 {_yuan(high)} 元，最低比最高少 {gap}。",
             f"Approved {len(prices)} times, at {_yuan(low)} to {_yuan(high)} yuan; "
             f"the lowest is {gap} below the highest.")
    ]  # fmt: skip
    within = [text for code in CLASSES if (text := _within(code, prices)) is not None]
    if within:
        return said + within
    return [*said, Text("同一分类内价格一致，差别只在分类之间。",
                        "Within each class the price is the same; it differs between classes alone.")]  # fmt: skip


def _within(code: str, prices: tuple[Price, ...]) -> Text | None:
    """Customers of one class at different prices: that the class does not explain."""
    amounts = sorted({price.proposal.price_fen for price in prices if price.class_code == code})
    if len(amounts) < 2:
        return None
    low, high, words = _yuan(amounts[0]), _yuan(amounts[-1]), CLASSES[code]
    return Text(
        f"同为{words.zh}，有 {low} 元也有 {high} 元：分类不能解释，须看理由。",
        f"Both {words.en}, yet {low} and {high} yuan: the class does not explain it; read the reasons.",
    )


def _yuan(fen: int) -> str:
    return numbers.fixed(fen / 100, 2).removesuffix(".00")
