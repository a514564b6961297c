"""A publication comes in: accounts, standings, plan rows and history, in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from keepline.front import Front, Month, Published, Site, published_months, read_published
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers import sealed
from keepline_web.customers.models import Account, Event, Line, MonthPaid, PlanRow, Standing
from keepline_web.exchange import organisations
from keepline_web.exchange.models import Arrival
from keepline_web.exchange.placing import Placing, those_there
from keepline_web.exchange.rows import BATCH, fitted, upsert
from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.jobs.guarding import Guarded

LOCK = 7_292
FIGURES = (
    "head", "findings", "base", "concentration", "moves", "leaving", "plan", "limits", "effects", "drift", "niches",
    "circles", "price", "past",
)  # fmt: skip
BY_HAND = ("treated_given", "held_out_given")
Row = dict[str, Any]
STANDING = [
    field.name for field in Standing._meta.concrete_fields
    if field.name not in ("id", "account", "month", "class_code", "class_reason")
]  # fmt: skip


def bring_in_all(site: Site, begun: Callable[[Month], None] = lambda _: None) -> tuple[list[Arrival], dict[str, Text]]:
    """Every publication that is not in yet, oldest first, and why others could not be brought in: these stay out.

    What takes minutes is told when it begins.
    """
    arrivals, left = list[Arrival](), dict[str, Text]()
    for month, _ in published_months(site):
        with Guarded(f"bringing in {month}") as guard:
            if (one := bring_in(site, month, begun)) is not None:
                arrivals.append(one)
        if guard.why is not None:
            left[str(month)] = guard.why
    return arrivals, left


@transaction.atomic
def bring_in(site: Site, month: Month, begun: Callable[[Month], None] = lambda _: None) -> Arrival | None:
    """One month; nothing when this very publication is in. Another one of the month takes the former's place.

    A month before one that is in brings its own standings, plan and figures: accounts, owners, people and what
    happened stay as the later one told them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    made = read_published(site, month)
    there = Arrival.objects.filter(month=str(month)).order_by("-pk").first()
    if there is not None and there.publication_id == made.id:
        _read_events_anew(site, made, there)
        return None
    begun(month)
    with Front.opened(site, made) as front:
        told, noted = _of_its_month(front, made) if _later(str(month)) else _latest(front, made)
    told["plan_rows"] = PlanRow.objects.filter(month=str(month)).count()
    arrival = Arrival.objects.create(
        publication_id=made.id, month=str(month), at=clock.now(), figures=_aggregates(made.figures), **told
    )
    detail = {"month": str(month), "publication": made.id} | told | noted
    write(Stream.EXCHANGE, act="publication_in", by=None, object=f"month:{month}", detail=detail)
    return arrival


def _later(month: str) -> bool:
    """Whether a later month is in."""
    return Arrival.objects.filter(month__gt=month).exists()


def _latest(front: Front, made: Published) -> tuple[dict[str, int], dict[str, str]]:
    """All that the newest month tells, as numbers; and what of it could not be followed."""
    placing = Placing(str(made.month), front.places())
    accounts = _accounts(front, made, placing.take)
    _people(front)
    events = _history(front, made)
    organisations.affiliations(front)
    organisations.contact_persons(front)
    return {"accounts": accounts, "events": events}, placing.noted()


def _of_its_month(front: Front, made: Published) -> tuple[dict[str, int], dict[str, str]]:
    """What an earlier month tells of the accounts there are."""
    return {"accounts": _accounts(front, made, those_there)}, {}


def _aggregates(figures: Row) -> Row:
    """The report's figures without how many of either arm were given an offer by hand: people here gave them."""
    found = {name: figures.get(name) for name in FIGURES}
    rows = [{k: v for k, v in row.items() if k not in BY_HAND} for row in found["effects"] or []]
    return found | {"effects": rows if found["effects"] is not None else None}


def _accounts(front: Front, made: Published, take: Callable[[list[Row]], list[Row]]) -> int:
    """The month's standings and the plan's rows of the accounts that ``take`` took in; how many these are."""
    month, total = str(made.month), 0
    offers = {offer["offer_id"]: offer for offer in made.offers}
    PlanRow.objects.filter(month=month, contacts__isnull=True, proposals__isnull=True).delete()
    Standing.objects.filter(month=month).delete()
    for rows in map(take, front.accounts()):
        total += len(rows)
        Standing.objects.bulk_create([fitted(_standing(row, month)) for row in rows], BATCH)
        treated = [_plan_row(row, month, offers[row["offer_id"]]) for row in rows if row["offer_id"]]
        PlanRow.objects.bulk_create(treated, BATCH, ignore_conflicts=True)
    return total


def _standing(row: Row, month: str) -> Standing:
    same = {name: row[name] for name in STANDING}
    for name in ("previous_class", "move", "star_rating", "loyalty", "loyalty_kind", "risk_band", "state"):
        same[name] = same[name] or ""
    reason = {"zh": row["reason_zh"] or "", "en": row["reason_en"] or ""}
    return Standing(
        account_id=row["customer_id"], month=month, class_code=row["class"] or "ordinary", class_reason=reason, **same
    )


def _plan_row(row: Row, month: str, offer: Row) -> PlanRow:
    prices = {name: offer[name] for name in ("price_fen", "list_price_fen", "floor_price_fen", "unit_cost_fen")}
    return PlanRow(
        account_id=row["customer_id"], month=month, offer_id=row["offer_id"], channel=row["channel"],
        name={"zh": offer["zh"], "en": offer["en"]}, purpose=offer["purpose"], gain_fen=row["gain_fen"],
        cost_fen=row["cost_fen"], **prices,
    )  # fmt: skip


def _people(front: Front) -> None:
    """Names and numbers, sealed before they are stored."""
    for rows in front.people():
        found = []
        for row in rows:
            at = row["customer_id"]
            found.append(
                Account(
                    customer_id=at,
                    joined_on=row["joined_on"],
                    birthday=row["birthday"],
                    name_sealed=sealed.seal(row["name"], customer_id=at),
                    number_sealed=sealed.seal(row["customer_no"], customer_id=at),
                    phone_sealed=sealed.seal(row["phone"], customer_id=at),
                    phone_index=sealed.index(row["phone"]),
                )
            )
        fields = ["joined_on", "birthday", "name_sealed", "number_sealed", "phone_sealed", "phone_index"]
        Account.objects.bulk_update(found, fields, BATCH)


def _history(front: Front, made: Published) -> int:
    """What each paid, holds, and was in touch about; how many contacts and complaints these are."""
    for rows in front.months():
        upsert(MonthPaid, (_month_paid(row, made) for row in rows), ("account", "month"),
                ["revenue_fen", "recurring_fen", "discount_fen", "voice_s", "data_kb"])  # fmt: skip
    for rows in front.lines():
        names = ["product", "plan_name", "price_fen", "status", "started_on", "contract_end_on", "ended_on"]
        upsert(Line, (_line(row, names) for row in rows), "line_id", ["account", *names])
    return _events(front)


def _events(front: Front) -> int:
    names, count = ["kind", "happened_on", "channel", "direction", "about", "closed_on"], 0
    for rows in front.events():
        upsert(Event, (_event(row, names) for row in rows), "event_id", ["account", *names])
        count += len(rows)
    return count


def _read_events_anew(site: Site, made: Published, there: Arrival) -> None:
    """An update took the events of the last month that an earlier version had brought in: they are read once more."""
    if there.events is None and not _later(there.month):
        with Front.opened(site, made) as front:
            there.events = _events(front)
        there.save(update_fields=["events"])


def _month_paid(row: Row, made: Published) -> MonthPaid:
    month = str(made.month + -row.pop("months_ago"))
    return MonthPaid(account_id=row.pop("customer_id"), month=month, **row)


def _line(row: Row, names: list[str]) -> Line:
    values = {name: row[name] for name in names}
    for name in ("product", "plan_name", "status"):
        values[name] = values[name] or ""
    return Line(line_id=row["line_id"], account_id=row["customer_id"], **values)


def _event(row: Row, names: list[str]) -> Event:
    values = {name: row[name] for name in names}
    for name in ("channel", "direction", "about"):
        values[name] = values[name] or ""
    key = Event.key_of(row["kind"], row["event_id"])
    return Event(event_id=key, account_id=row["customer_id"], **values)


def waiting(site: Site | None = None) -> list[str]:
    """Published months that are not in: also where another publication of them is, or what is published is damaged."""
    last = dict(Arrival.objects.order_by("pk").values_list("month", "publication_id"))
    there = [(str(month), made) for month, made in published_months(site or settings.SITE)]
    return [month for month, made in there if month not in last or made not in (None, last[month])]
