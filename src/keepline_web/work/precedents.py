"""What was decided before, beside what waits: the same offer, or the same class and need, within one's own accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from django.db.models import Prefetch

from keepline_web.customers.models import Standing
from keepline_web.customers.queries import visible_to
from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.work.models import Proposal, Ruling

DAYS = 365
LATEST = 500  # decisions looked through
SHOWN = 4
DECIDED = ("approved", "returned", "refused")
Need = tuple[str, str]  # class of the month, and what the customer is most likely to leave for


@dataclass(frozen=True)
class Precedent:
    """One earlier decision, and how like it is."""

    proposal: Proposal
    decided: Ruling
    same_offer: bool
    same_need: bool
    class_code: str


@dataclass(frozen=True)
class Before:
    """The likest decisions, and the prices at which the same offer was approved."""

    shown: tuple[Precedent, ...]
    approved: int
    declined: int
    low_fen: int | None
    median_fen: int | None


def precedents(person: Person, waiting: Sequence[Proposal]) -> dict[int, Before]:
    """Of each that waits, what was decided of others; accounts one does not see are neither named nor counted."""
    decided = Ruling.objects.filter(what__in=DECIDED).select_related("person")
    since = clock.today() - dt.timedelta(days=DAYS)
    past = (
        Proposal.objects.filter(account__in=visible_to(person), rulings__what__in=DECIDED, made_on__gte=since)
        .select_related("account", "made_by")
        .prefetch_related(Prefetch("rulings", decided, to_attr="decided"))
        .distinct()
        .order_by("-pk")[:LATEST]
    )
    known = list(past)
    needs = _needs([*known, *waiting])
    return {one.pk: _before(one, [row for row in known if row.pk != one.pk], needs) for one in waiting}


def _needs(rows: Sequence[Proposal]) -> dict[int, Need]:
    """The class and the first reason of risk of each account in the month whose offer it is."""
    standings = Standing.objects.filter(account__in={r.account_id for r in rows}, month__in={r.month for r in rows})
    found = {(s.account_id, s.month): (s.class_code, s.risks[0]["code"] if s.risks else "") for s in standings}
    return {row.pk: found.get((row.account_id, row.month), ("", "")) for row in rows}


def _before(one: Proposal, known: Sequence[Proposal], needs: dict[int, Need]) -> Before:
    rows = [_precedent(row, one, needs) for row in known]
    like = sorted((row for row in rows if row.same_offer or row.same_need),
                  key=lambda row: (-(row.same_offer + row.same_need), -row.proposal.pk))  # fmt: skip
    same = [row for row in rows if row.same_offer]
    prices = [row.proposal.price_fen for row in same if row.decided.what == "approved"]
    return Before(
        shown=tuple(like[:SHOWN]), approved=len(prices), declined=len(same) - len(prices),
        low_fen=min(prices, default=None), median_fen=round(median(prices)) if prices else None,
    )  # fmt: skip


def _precedent(row: Proposal, one: Proposal, needs: dict[int, Need]) -> Precedent:
    need = needs[row.pk]
    return Precedent(
        row, row.decided[0], row.offer_id == one.offer_id,  # type: ignore[attr-defined]
        need == needs[one.pk] and need != ("", ""), need[0],
    )  # fmt: skip
