"""What a class is owed and was given: counted by the year, never more than is owed, once for one entry."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.http import Http404
from django.test import Client

from keepline_web.customers.models import Account, Standing
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.work.entitlements import give, owed
from keepline_web.work.models import Given
from web.cast import Cast

LINE = "guaranteed-line"  # four a year for important customers, by the starter policy


def important(account: Account) -> Account:
    Standing.objects.filter(account=account).update(class_code="important")
    return account


def given(cast: Cast, *, key: uuid.UUID | None = None, what: str = LINE) -> Given:
    return give(by=cast.owner, customer_id=important(cast.own).pk, key=key or uuid.uuid4(), entitlement_id=what)


def test_what_is_given_counts_until_all_of_the_year_is(cast: Cast) -> None:
    for count in range(1, 5):
        given(cast)
        row = next(row for row in owed(cast.own, "important", clock.today()) if row["id"] == LINE)
        assert (row["times"], row["given"]) == (4, count)
    with pytest.raises(Refused) as refused:
        given(cast)
    assert refused.value.code == "given_already"


def test_the_same_entry_sent_again_is_there_once_and_stays(cast: Cast) -> None:
    key = uuid.uuid4()
    assert given(cast, key=key) == given(cast, key=key)
    with pytest.raises(DatabaseError), transaction.atomic():
        Given.objects.filter(key=key).delete()


def test_what_another_class_is_owed_cannot_be_given(cast: Cast) -> None:
    with pytest.raises(Http404):
        given(cast, what="bill-review")


@pytest.mark.parametrize(
    ("day", "behind"), [("2026-03-31", 0), ("2026-04-02", 1), ("2026-07-02", 2), ("2026-12-31", 4)]
)
def test_behind_is_what_the_passed_share_of_the_year_asks_less_what_was_given(
    day: str, behind: int, cast: Cast
) -> None:
    row = next(row for row in owed(important(cast.own), "important", dt.date.fromisoformat(day)) if row["id"] == LINE)
    assert row["behind"] == behind


def test_the_page_shows_owed_against_given_and_takes_one_more(cast: Cast, entered: Callable[[str], Client]) -> None:
    client, key = entered("account_manager"), str(uuid.uuid4())
    account = important(cast.own)
    assert "今年 0 / 4 次" in client.get(f"/accounts/{account.pk}").content.decode()
    assert client.post(f"/accounts/{account.pk}/give", {"key": key, "entitlement": LINE}).status_code == 302
    assert "今年 1 / 4 次" in client.get(f"/accounts/{account.pk}").content.decode()
