"""The list of customers: filters and order from the URL, the same for pages, counts and the way to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, FilteredRelation, IntegerField, Q, QuerySet, When
from django.http import QueryDict

from keepline_web.customers.group import group_ids
from keepline_web.customers.models import Account, Assignment, PlanRow
from keepline_web.customers.queries import latest_month, on_day, search, visible_to
from keepline_web.frame import clock
from keepline_web.frame.inputs import whole
from keepline_web.frame.refusals import Refused
from keepline_web.frame.sought import text_of
from keepline_web.people.models import Person

ORDERS = {
    "value": ("value", True), "revenue": ("revenue", True), "risk": ("risk_place", False), "arrears": ("arrears", True),
    "joined": ("joined_on", False), "district": ("district", False), "contract": ("now__contract_months_left", False),
    "contact": ("now__days_since_contact", True), "change": ("now__revenue_change", False),
    "loyalty": ("now__loyalty", False), "lines": ("now__lines", True),
}  # fmt: skip
TURNED = "-"  # before an order: the other way round
CHOSEN_MOST = 200  # accounts one picks by hand for one act
RISK_PLACE = Case(
    When(now__risk_band="high", then=0), When(now__risk_band="medium", then=1), When(now__risk_band="low", then=2),
    default=3, output_field=IntegerField(),
)  # fmt: skip
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
CODES = {"class": "class_code", "risk": "risk_band", "loyalty": "loyalty", "move": "move", "was": "previous_class"}
ANSWERS = ("agreed", "refused")


@dataclass(frozen=True)
class Listing:
    """What the URL asks for: text, codes, flags, order; ``chosen`` are accounts picked by hand from it."""

    text: str
    codes: dict[str, str]
    planned: bool
    owing: bool
    owner: str
    district: str
    order: str
    group: str = ""
    chosen: tuple[int, ...] = ()
    month: str = ""  # of a publication; none for the last one
    channel: str = ""  # of the plan's offer
    answered: bool = False  # the plan's offer was taken or refused

    @classmethod
    def of(cls, said: QueryDict) -> Listing:
        order = said.get("sort", "value")
        return cls(
            text=text_of(said, "q"),
            codes={name: said[name] for name in CODES if said.get(name)},
            planned=said.get("plan") == "1",
            owing=said.get("owing") == "1",
            owner=said.get("owner", ""),
            district=said.get("district", ""),
            order=order if order.removeprefix(TURNED) in ORDERS else "value",
            group=said.get("group", ""),
            month=_month(said.get("month", "")),
            channel=said.get("channel", "")[:20],
            answered=said.get("answered") == "1",
        )

    @property
    def narrowed(self) -> bool:
        return bool(
            self.text or self.codes or self.planned or self.owing or self.owner or self.district or self.further
        )

    @property
    def further(self) -> dict[str, str]:
        """What came with a link and has no field of its own in the form."""
        said = {"group": self.group, "month": self.month, "channel": self.channel, "move": self.codes.get("move", ""),
                "was": self.codes.get("was", ""), "answered": "1" if self.answered else ""}  # fmt: skip
        return {name: value for name, value in said.items() if value}

    @property
    def by(self) -> str:
        """What it is ordered by, whichever way."""
        return self.order.removeprefix(TURNED)

    def turned(self, name: str) -> str:
        """The order that a click on a column's head asks for."""
        return TURNED + name if self.order == name else name


def _month(said: str) -> str:
    """A month as one writes it; anything else asks for none."""
    return said if MONTH.fullmatch(said) else ""


def listed(person: Person, asked: Listing) -> QuerySet[Account]:
    """The accounts the person may see, that fit, in order."""
    month = asked.month or latest_month()
    rows = visible_to(person).annotate(
        now=FilteredRelation("standings", condition=Q(standings__month=month)),
        value=F("now__value_fen"),
        revenue=F("now__revenue_3m_fen"),
        arrears=F("now__arrears_fen"),
        risk_place=RISK_PLACE,
    )
    fits = Q()
    for name, code in asked.codes.items():
        fits &= Q(**{f"now__{CODES[name]}": code})
    if asked.owing:
        fits &= Q(now__arrears_fen__gt=0)
    if asked.chosen:
        fits &= Q(pk__in=asked.chosen)
    if asked.planned or asked.channel or asked.answered:
        fits &= Q(pk__in=_planned(asked, month).values("account"))
    if asked.district:
        fits &= Q(district=asked.district)
    owner = whole(asked.owner)
    if owner is not None:
        rows = rows.filter(pk__in=_owned_by(owner))
    if asked.group:
        rows = rows.filter(pk__in=_together_with(person, whole(asked.group)))
    rows = search(rows.filter(fits), asked.text, person) if asked.text else rows.filter(fits)
    return rows.order_by(*_order(asked.order))


def picked(texts: list[str]) -> list[int]:
    """The accounts ticked in the list; one that cannot be read stops all, so that none is left behind unnoticed."""
    numbers = list(dict.fromkeys(whole(text) for text in texts))
    if None in numbers or not 0 < len(numbers) <= CHOSEN_MOST:
        raise Refused(
            f"请在列表中勾选 1 至 {CHOSEN_MOST} 户；未作任何改动。",
            f"Tick from 1 to {CHOSEN_MOST} customers in the list. Nothing was done.",
            code="nothing_chosen",
            status=422,
        )
    return [number for number in numbers if number is not None]


def _owned_by(owner: int) -> QuerySet[Any]:
    return Account.objects.filter(pk__in=_current(owner)).values("pk")


def _planned(asked: Listing, month: str | None) -> QuerySet[PlanRow]:
    rows = PlanRow.objects.filter(month=month)
    rows = rows.filter(channel=asked.channel) if asked.channel else rows
    if not asked.answered:
        return rows
    return rows.filter(contacts__outcome__in=ANSWERS, contacts__withdrawn=False, contacts__corrected_by=None)


def _together_with(person: Person, customer_id: int | None) -> set[int]:
    """The group of an account one may see; of any other, nothing."""
    account = visible_to(person).filter(pk=customer_id).first()
    return group_ids(account) if account else set()


def _current(owner: int) -> QuerySet[Any]:
    return Assignment.objects.filter(on_day(clock.today()), person=owner).values("account")


def _order(name: str) -> list[Any]:
    field, down = ORDERS[name.removeprefix(TURNED)]
    down ^= name.startswith(TURNED)
    first = F(field).desc(nulls_last=True) if down else F(field).asc(nulls_last=True)
    return [first, "pk"]


def neighbours(person: Person, asked: Listing, customer_id: int) -> tuple[int | None, int | None, int, int]:
    """The accounts before and after in the list one came from, one's place in it, and its length."""
    ids = list(listed(person, asked).values_list("pk", flat=True))
    if customer_id not in ids:
        return None, None, 0, len(ids)
    at = ids.index(customer_id)
    return ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None, at + 1, len(ids)


def districts_of(person: Person) -> list[str]:
    return list(
        visible_to(person).exclude(district="").values_list("district", flat=True).distinct().order_by("district")
    )


def owners_of(person: Person) -> list[tuple[int, str]]:
    """Today's owners among the accounts one sees."""
    rows = Assignment.objects.filter(on_day(clock.today()), account__in=visible_to(person))
    return list(rows.values_list("person", "person__name").distinct().order_by("person"))
