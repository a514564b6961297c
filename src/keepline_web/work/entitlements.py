"""What a class is owed, against what was given this year: recorded by whoever gave it, never above what is owed."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404

from keepline.front import Service, read_service
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers.models import Account
from keepline_web.customers.queries import access_account
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.work.actions import NOTE_MAX
from keepline_web.work.models import Given

DAYS_A_YEAR = 365


def owed(account: Account, class_code: str, day: dt.date) -> list[dict[str, Any]]:
    """Each entitlement of the class with how often it is owed, was given this year, and is behind by now.

    By the share of the year that has passed, so much should have been given: floor(times × day / 365).
    """
    service, given = read_service(settings.SITE.policy), _given_this_year(account, day)
    found = []
    for row in service.of_class(class_code).entitlement:
        count = sum(one.entitlement_id == row.id for one in given)
        due = row.times_a_year * day.timetuple().tm_yday // DAYS_A_YEAR
        found.append(
            {"id": row.id, "name": row.name, "times": row.times_a_year, "given": count, "behind": max(0, due - count)}
        )
    return found


def _given_this_year(account: Account, day: dt.date) -> list[Given]:
    return list(Given.objects.filter(account=account, on_day__year=day.year).order_by("-on_day"))


@transaction.atomic
def give(*, by: Person, customer_id: int, key: uuid.UUID, entitlement_id: str, note: str = "") -> Given:
    """Record that it was given today; the same key again gives the row that is there."""
    account = access_account(by, customer_id)
    Account.objects.select_for_update().get(pk=account.pk)
    before = Given.objects.filter(key=key).first()
    if before is not None:
        if (before.person_id, before.account_id) != (by.pk, account.pk):
            raise Refused("编号已被使用，请刷新页面。", "The number is taken; reload the page.", code="key_taken")
        return before
    standing, service = account.standings.order_by("-month").first(), read_service(settings.SITE.policy)
    _still_owed(account, standing.class_code if standing else "ordinary", entitlement_id, service)
    made = Given.objects.create(
        key=key, account=account, person=by, entitlement_id=entitlement_id, policy_version=service.version,
        on_day=clock.today(), note=note[:NOTE_MAX], at=clock.now(),
    )  # fmt: skip
    detail = {"given": made.pk, "entitlement": entitlement_id}
    write(Stream.WORK, act="entitlement_given", by=by, object=f"account:{customer_id}", detail=detail)
    return made


def _still_owed(account: Account, class_code: str, entitlement_id: str, service: Service) -> None:
    row = next((e for e in service.of_class(class_code).entitlement if e.id == entitlement_id), None)
    if row is None:
        raise Http404
    given = sum(one.entitlement_id == entitlement_id for one in _given_this_year(account, clock.today()))
    if given >= row.times_a_year:
        raise Refused(
            f"今年的 {row.times_a_year} 次都已提供；如需增加，请先修改服务标准 service.toml。",
            f"All {row.times_a_year} of this year were given; to give more, change service.toml first.",
            code="given_already",
        )
