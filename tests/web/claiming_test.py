"""A seller finds what nobody owns in the own district, is told little of it, and claims it once."""

from __future__ import annotations

import datetime as dt

import pytest

from core.small_publication import MONTH
from keepline_web.customers.actions import assign, claim
from keepline_web.customers.claimable import band_of, brief_of, by_value
from keepline_web.customers.models import Account, Assignment
from keepline_web.customers.queries import claimable_by, details, owner_of, shown, visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.people.roles import Role
from web.calling import Program
from web.cast import Cast
from web.matrix_test import unowned
from web.published import Published
from web.races import at_once
from web.scope_test import LOT, twins
from web.visiting import browser


@pytest.fixture
def free(cast: Cast) -> Account:
    return unowned("own", cast.own, cast.owner)


def test_what_nobody_owns_is_told_to_the_sellers_of_its_district_alone(cast: Cast, free: Account) -> None:
    for person in cast.people.values():
        may = person.username in ("m101", "m102", "m103", "agent")
        assert claimable_by(person).filter(pk=free.pk).exists() is may, person.username
    assert not visible_to(cast.owner).filter(pk=free.pk).exists()


def test_whose_unit_lies_in_no_district_and_who_is_disabled_claim_nothing(cast: Cast, free: Account) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(unit=cast.people[Role.CITY_CHIEF].unit)
    Person.objects.filter(pk=cast.colleague.pk).update(is_active=False)
    for pk in (cast.owner.pk, cast.colleague.pk):
        assert not claimable_by(Person.objects.get(pk=pk)).exists()
    assert claimable_by(cast.people["m103"]).filter(pk=free.pk).exists()


def test_what_is_to_be_somebodys_from_tomorrow_is_not_to_be_claimed(cast: Cast, free: Account) -> None:
    assign(account=free, to=cast.colleague, reason="片区调整", by=None, on=clock.today() + dt.timedelta(days=1))
    assert not claimable_by(cast.owner).exists()
    assert browser(cast.owner).post(f"/accounts/{free.pk}/claim").status_code == 404


def test_the_list_shows_a_masked_name_class_band_and_risk_and_opens_nothing(cast: Cast, free: Account) -> None:
    client = browser(cast.owner)
    assert "/accounts/claimable" in client.get("/accounts").content.decode()
    page = client.get("/accounts/claimable").content.decode()
    one, (name, phone, number) = shown(free, cast.owner), details(free)
    assert one.name in page
    assert f'action="/accounts/{free.pk}/claim"' in page
    assert f'href="/accounts/{free.pk}"' not in page
    hidden = [phone, number, one.phone, one.number] + ([name] if free.kind != "organisation" else [])
    assert not [text for text in hidden if text and text in page]
    (row,) = Program(cast.owner).get("claimable").json()["items"]
    assert set(row) == {"customer_id", "name", "district", "class_code", "value_band", "risk_band"}
    assert (row["customer_id"], row["name"]) == (str(free.pk), one.name)


def test_who_claims_owns_it_from_then_on_and_it_is_in_no_list_of_those_any_more(cast: Cast, free: Account) -> None:
    client = browser(cast.owner)
    assert client.post(f"/accounts/{free.pk}/claim")["Location"] == f"/accounts/{free.pk}"
    assert owner_of(free) == cast.owner
    assert client.get(f"/accounts/{free.pk}").status_code == 200
    assert not claimable_by(cast.colleague).exists()
    assert "/accounts/claimable" not in client.get("/accounts").content.decode()
    assert browser(cast.colleague).post(f"/accounts/{free.pk}/claim").status_code == 404


def test_of_four_who_found_it_at_once_one_owns_it(committed: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    free = unowned("own", cast.own, cast.owner)
    people = [cast.people[name] for name in ("m101", "m102", "m103", "agent")]
    said = at_once([lambda p=person: claim(account=claimable_by(p).get(pk=free.pk), by=p) for person in people])
    assert sum(isinstance(one, Assignment) for one in said) == 1
    assert Assignment.objects.filter(account=free).count() == 1
    assert {one.code for one in said if isinstance(one, Refused)} <= {"owned_already"}


@pytest.mark.parametrize(
    ("fen", "band"), [(None, ""), (-1, "low"), (99_999, "low"), (100_000, "middle"), (2_000_000, "top")]
)
def test_a_value_is_told_by_its_band(fen: int | None, band: str) -> None:
    assert band_of(fen) == band


def test_one_held_out_looks_like_one_below_the_cut_to_who_may_claim_them(
    published: Published,
    cast: Cast,
) -> None:
    pair = twins(published, cast)
    Assignment.objects.filter(account__in=pair).delete()
    Account.objects.filter(pk__in=[one.pk for one in pair]).update(unit=cast.owner.unit.above)
    first, second = (vars(brief_of(row, cast.owner)) for row in by_value(claimable_by(cast.owner), MONTH))
    assert {name for name in first if first[name] != second[name]} <= {"customer_id", "name", "district", "value_band"}
    page = browser(cast.owner).get("/accounts/claimable").content.decode()
    assert not LOT.search(page)
