"""What is told of an account that nobody owns to a seller who may take it: masked, class, band of value, risk."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Prefetch, QuerySet, Subquery
from django.db.models.expressions import OuterRef

from keepline_web.customers.models import Account, Standing
from keepline_web.customers.queries import shown
from keepline_web.customers.words import VALUE_BANDS
from keepline_web.people.models import Person

BOUNDS = (("low", 100_000), ("middle", 500_000), ("high", 2_000_000))  # fen; what is above them all is the top


@dataclass(frozen=True)
class Brief:
    """Enough to choose by."""

    customer_id: int
    name: str
    district: str
    class_code: str
    value_band: str
    risk_band: str


def by_value(accounts: QuerySet[Account], month: str) -> QuerySet[Account]:
    """Each with its standing of the month, the most valuable first."""
    of_month = Standing.objects.filter(month=month)
    value = Subquery(of_month.filter(account=OuterRef("pk")).values("value_fen")[:1])
    rows = accounts.annotate(value=value).prefetch_related(Prefetch("standings", of_month, to_attr="of_month"))
    return rows.order_by(F("value").desc(nulls_last=True), "pk")


def brief_of(account: Account, person: Person) -> Brief:
    standing: Standing | None = next(iter(account.of_month), None)  # type: ignore[attr-defined]
    return Brief(
        account.pk, shown(account, person).name, account.district, standing.class_code if standing else "",
        band_of(standing.value_fen if standing else None), standing.risk_band if standing else "",
    )  # fmt: skip


def band_of(value_fen: int | None) -> str:
    """The band a value lies in; nothing where the value is not known."""
    if value_fen is None:
        return ""
    code = next((code for code, below in BOUNDS if value_fen < below), "top")
    assert code in VALUE_BANDS
    return code
