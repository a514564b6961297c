"""Publications come in: what cannot be followed is noted, what cannot be read is left out, and the rest is there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from core.small_lake import Row, lake_of
from core.small_publication import MONTH
from keepline.front import KeeplineError, Month, read_published
from keepline_web import serving
from keepline_web.audit.models import Entry
from keepline_web.customers.models import Account, Assignment, Event, Line, PlanRow, Standing
from keepline_web.exchange import arriving, organisations
from keepline_web.exchange.arriving import bring_in_all, waiting
from keepline_web.exchange.models import Arrival
from keepline_web.exchange.placing import units_of
from keepline_web.exchange.views import figures_of
from keepline_web.jobs.actions import ask
from keepline_web.jobs.models import State
from keepline_web.jobs.working import work_once
from keepline_web.people.actions import disable, make_unit, move_person
from keepline_web.people.models import Unit
from keepline_web.people.roles import Role
from keepline_web.work.actions import log_contact
from keepline_web.work.customer import work_of
from web.cast import Cast
from web.conftest import ROOT
from web.published import Published, Rows

AUGUST, SEPTEMBER, NOVEMBER = "2026-08", "2026-09", "2026-11"
DAY = dt.date(2026, 10, 9)


def of(pk: int, **values: object) -> Callable[[Rows], None]:
    """Turns the row of one customer."""

    def change(rows: Rows) -> None:
        if pk in rows["customer_id"]:
            for name, value in values.items():
                rows[name][rows["customer_id"].index(pk)] = value

    return change


def owner_of(pk: int) -> str:
    return Assignment.objects.get(account=pk, ends_on=None).person.username


def told() -> dict[str, Any]:
    """What the audit says of the last publication that came in."""
    entry = Entry.objects.filter(act="publication_in").order_by("-pk").first()
    assert entry is not None
    return entry.detail


def promoted(cast: Cast) -> None:
    move_person(person=cast.colleague, role=Role.TEAM_LEAD, unit=cast.colleague.unit, by=cast.people["admin"])


def disabled(cast: Cast) -> None:
    disable(person=cast.colleague, by=cast.people["admin"])


# a row that cannot be followed


@pytest.mark.parametrize("gone", [promoted, disabled])
def test_a_manager_who_may_not_own_any_more_is_taken_for_an_unknown_one_and_noted(
    gone: Callable[[Cast], None], published: Published, cast: Cast
) -> None:
    gone(cast)
    free = Account.objects.filter(assignments__person=cast.stranger).order_by("pk")[1].pk
    Assignment.objects.filter(account=free).delete()
    for pk in (cast.own.pk, free):
        published.turn("features", of(pk, manager_id="M102"))
    assert published.of(MONTH, 1).come_in() is not None
    assert owner_of(cast.own.pk) == "m101"
    assert not Assignment.objects.filter(account=free, ends_on=None).exists()
    assert Account.objects.get(pk=free).manager_said == "M102"
    assert told()["may_not_own"] == "M102 (2)"


def test_texts_longer_than_their_columns_are_cut_and_keep_no_month_out(published: Published, cast: Cast) -> None:
    own, long = cast.own.pk, "长" * 200
    published.turn("features", of(own, industry=long, region=long, star_rating=long, preferred_channel=long))
    published.turn("features", of(cast.team.pk, manager_id="M" * 60))
    who: Row = {"customer_id": own, "month": MONTH}
    lake_of(
        published.root / "lake",
        complaints=[who | {"complaint_id": "1", "opened_on": DAY, "category": long}],
        contacts=[who | {"contact_id": "2", "contacted_on": DAY, "channel": long, "direction": "in"}],
        plans=[{"plan_id": "p", "month": MONTH, "name": long}],
        lines=[who | {"line_id": 3, "plan_id": "p"}],
    )
    assert published.of(MONTH, 1).come_in() is not None
    account = Account.objects.get(pk=own)
    assert (account.industry, account.region, account.preferred_channel) == tuple(
        "长" * (most - 1) + "…" for most in (40, 40, 20)
    )
    assert Account.objects.get(pk=cast.team.pk).manager_said == "M" * 39 + "…"
    assert Standing.objects.get(account=own, month=MONTH).star_rating == "长" * 19 + "…"
    assert sorted(len(e.about + e.channel) for e in Event.objects.filter(account=own)) == [20, 40]
    assert Line.objects.get(account=own).plan_name == "长" * 79 + "…"
    said = {"customer_id": own, "person_no": "4", "preferred_channel": long} | dict.fromkeys(
        ("role", "name", "phone", "birthday")
    )
    person = organisations._next(said, {})
    assert person is not None
    assert person.preferred_channel == "长" * 19 + "…"


# a month before one that is in


def test_an_earlier_month_published_anew_changes_nothing_but_its_own(published: Published, cast: Cast) -> None:
    own, who = cast.own.pk, {"customer_id": cast.own.pk, "month": AUGUST}
    early = published.of(SEPTEMBER, 9)
    lake_of(published.root / "lake", lines=[who | {"line_id": 3, "product": "mobile"}])
    assert published.of(MONTH, 10).come_in() is not None
    Account.objects.filter(pk=own).update(consent=False, blacklisted=True, unit=None)
    Line.objects.filter(pk=3).update(product="tv")  # as a later month told it
    before = Account.objects.values().get(pk=own)
    early.turn("features", of(own, manager_id="M102", consent=True, blacklisted=False, revenue_3m_fen=4_711))
    assert early.come_in() is not None
    assert Account.objects.values().get(pk=own) == before
    assert owner_of(own) == "m101"
    assert Line.objects.get(pk=3).product == "tv"
    assert Standing.objects.get(account=own, month=SEPTEMBER).revenue_3m_fen == 4_711
    assert Standing.objects.get(account=own, month=MONTH).revenue_3m_fen != 4_711
    arrival = Arrival.objects.get(month=SEPTEMBER)
    assert arrival.accounts == Standing.objects.filter(month=SEPTEMBER).count() > 0
    assert arrival.plan_rows == PlanRow.objects.filter(month=SEPTEMBER).count() > 0
    assert arrival.figures["head"]


def test_an_earlier_month_makes_no_account_that_a_later_one_does_not_know(published: Published, cast: Cast) -> None:
    early = published.of(SEPTEMBER, 9)
    whole = Account.objects.count()
    gone = Account.objects.exclude(pk=cast.own.pk).order_by("pk").last()
    assert gone is not None
    gone.delete()
    assert early.come_in() is not None
    assert Account.objects.count() == whole - 1
    assert Standing.objects.filter(month=SEPTEMBER).count() == whole - 1


def test_the_last_month_published_anew_still_has_the_last_word(published: Published, cast: Cast) -> None:
    assert published.of(SEPTEMBER, 9).come_in() is not None
    published.turn("features", of(cast.own.pk, manager_id="M102"))
    assert published.of(MONTH, 10).come_in() is not None
    assert owner_of(cast.own.pk) == "m102"


def test_a_publication_that_takes_its_place_back_comes_in_once_more(published: Published, cast: Cast) -> None:
    for number, revenue in ((1, 100), (2, 200), (1, 100)):
        published.turn("features", of(cast.own.pk, revenue_3m_fen=revenue))
        month = published.of(MONTH, number)
        assert waiting(month.site) == [MONTH]
        assert month.come_in() is not None
        assert month.come_in() is None
        assert waiting(month.site) == []
        assert Standing.objects.get(account=cast.own, month=MONTH).revenue_3m_fen == revenue
        assert figures_of(cast.owner, "")["arrival"].publication_id == f"{number:064x}"
    assert Arrival.objects.filter(publication_id=f"{1:064x}").count() == 2


# districts


def city(cast: Cast, name: str, *districts: str) -> dict[str, Unit]:
    above = make_unit(kind=Unit.Kind.CITY, name=name, above=cast.people["province_chief"].unit, by=None)
    return {d: make_unit(kind=Unit.Kind.DISTRICT, name=d, above=above, by=None) for d in districts}


def test_districts_of_one_name_go_to_the_unit_of_their_own_city(published: Published, cast: Cast) -> None:
    units = {name: city(cast, name, "城关区")["城关区"].pk for name in ("甲市", "乙市")}
    for account, name in ((cast.own, "甲市"), (cast.other, "乙市")):
        published.turn("features", of(account.pk, region=name, district="城关区"))
    assert published.of(MONTH, 1).come_in() is not None
    assert Account.objects.get(pk=cast.own.pk).unit_id == units["甲市"]
    assert Account.objects.get(pk=cast.other.pk).unit_id == units["乙市"]
    assert "no_one_unit" not in told()


def test_a_district_that_could_be_of_two_cities_has_no_unit_and_is_noted(published: Published, cast: Cast) -> None:
    for name in ("甲市", "乙市"):
        city(cast, name, "城关区")
    published.turn("features", of(cast.own.pk, region=None, district="城关区"))
    assert published.of(MONTH, 1).come_in() is not None
    assert Account.objects.get(pk=cast.own.pk).unit is None
    assert told()["no_one_unit"] == "/城关区"


@pytest.mark.parametrize(("places", "found", "unclear"), [
    ({("甲市", "河东"), ("乙市", "河东")}, {("甲市", "河东")}, [("乙市", "河东")]),  # the other city has no unit here
    ({("0571", "河西")}, {("0571", "河西")}, []),  # no city bears the region's name: that of the district tells
    ({("0571", "河西"), ("0572", "河西")}, set(), [("0571", "河西"), ("0572", "河西")]),
    ({("甲市", "河东"), ("丙市", "河西")}, {("甲市", "河东"), ("丙市", "河西")}, []),
    ({("甲市", "河西"), ("丁市", "河南")}, set(), [("甲市", "河西")]),  # a unit of 丁市, which the files know
    ({("", "河西")}, {("", "河西")}, []),
    ({("", "河西"), ("丁市", "河西")}, {("丁市", "河西")}, [("", "河西")]),
    ({("甲市", "河北")}, set(), []),  # of no unit at all, as before
])  # fmt: skip
def test_a_unit_is_taken_where_there_is_but_one_it_can_be(
    places: set[tuple[str, str]], found: set[tuple[str, str]], unclear: list[tuple[str, str]], cast: Cast
) -> None:
    city(cast, "甲市", "河东")
    city(cast, "丁市", "河西")
    units, left = units_of(places)
    assert (set(units), left) == (found, unclear)


# a month that cannot be read


@pytest.fixture
def torn(published: Published) -> Published:
    """Three months published: one without a manifest, one with half of it, and one that is whole."""
    (published.of(AUGUST, 8).folder / "manifest.json").unlink()
    half = published.of(SEPTEMBER, 9).folder / "manifest.json"
    half.write_text(half.read_text(encoding="utf-8")[:50], encoding="utf-8")
    return published.of(MONTH, 10)


def test_months_that_cannot_be_read_are_left_out_and_told_and_the_others_come_in(torn: Published) -> None:
    assert waiting(torn.site) == [AUGUST, SEPTEMBER, MONTH]
    arrivals, left = bring_in_all(torn.site)
    assert [arrival.month for arrival in arrivals] == [MONTH]
    assert list(left) == [AUGUST, SEPTEMBER]
    assert "is missing" in left[AUGUST].en
    assert "文件缺失" in left[AUGUST].zh
    assert "restore it from a backup" in left[SEPTEMBER].en
    assert waiting(torn.site) == [AUGUST, SEPTEMBER]


def test_who_asks_for_months_is_told_which_could_not_come_in(torn: Published, cast: Cast, settings: Any) -> None:
    settings.SITE = torn.site
    ask(kind="bring_in", asked={}, by=cast.people["importer"])
    task = work_once()
    assert task is not None
    task.refresh_from_db()
    assert task.state == State.FAILED
    assert AUGUST in task.refused["zh"]
    assert SEPTEMBER in task.refused["en"]
    assert Arrival.objects.filter(publication_id=f"{10:064x}").exists()


def test_a_start_says_which_months_it_serves_without(torn: Published, capsys: pytest.CaptureFixture[str]) -> None:
    serving._bring_in(torn.site)
    said = capsys.readouterr().err
    assert f"未能接入 {AUGUST}" in said
    assert f"{SEPTEMBER} is not brought in" in said
    assert f"bringing in {MONTH}" in said


def test_a_month_that_breaks_on_the_way_leaves_nothing_and_the_next_comes_in(
    published: Published, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    published.of(NOVEMBER, 11)
    before, people = set(Standing.objects.values_list("pk", flat=True)), arriving._people

    def full(front: Any) -> None:
        if str(front.made.month) == MONTH:
            raise OSError(28, "No space left on device")
        people(front)

    monkeypatch.setattr(arriving, "_people", full)
    arrivals, left = bring_in_all(published.of(MONTH, 10).site)
    assert [arrival.month for arrival in arrivals] == [NOVEMBER]
    assert set(Standing.objects.filter(month=MONTH).values_list("pk", flat=True)) == before
    number = caplog.text.split("reference ")[1][:8]
    assert number in left[MONTH].zh
    assert number in left[MONTH].en
    assert "No space left on device" in caplog.text


def test_the_page_of_data_opens_while_a_month_cannot_be_read(
    torn: Published, entered: Callable[[str], Any], settings: Any
) -> None:
    settings.SITE = torn.site
    answer = entered("importer").get("/data")
    assert answer.status_code == 200
    assert AUGUST in answer.content.decode()


def test_the_core_refuses_a_month_without_its_manifest_in_words(published: Published) -> None:
    (published.folder / "manifest.json").unlink()
    with pytest.raises(KeeplineError, match="is missing") as refused:
        read_published(published.site, Month.parse(MONTH))
    assert "文件缺失" in refused.value.zh


# contacts and complaints


def events(account: Account) -> list[tuple[str, str]]:
    return sorted(Event.objects.filter(account=account).values_list("kind", "about"))


def contact(pk: int, number: str, **more: object) -> Row:
    return {"customer_id": pk, "month": MONTH, "contact_id": number, "contacted_on": DAY, "purpose": "care"} | more


def complaint(pk: int, number: str, **more: object) -> Row:
    return {"customer_id": pk, "month": MONTH, "complaint_id": number, "opened_on": DAY, "category": "网络"} | more


def test_a_contact_and_a_complaint_of_one_number_are_two_and_each_is_its_own_customers(
    published: Published, cast: Cast
) -> None:
    lake_of(
        published.root / "lake", contacts=[contact(cast.own.pk, "1001")], complaints=[complaint(cast.other.pk, "1001")]
    )
    assert published.of(MONTH, 1).come_in() is not None
    assert events(cast.own) == [("contact", "care")]
    assert events(cast.other) == [("complaint", "网络")]
    assert Arrival.objects.get(publication_id=f"{1:064x}").events == 2


def test_an_event_that_turns_out_to_be_another_customers_moves_there(published: Published, cast: Cast) -> None:
    for number, account in enumerate((cast.own, cast.other), start=1):
        lake_of(published.root / "lake", complaints=[complaint(account.pk, "7")])
        assert published.of(MONTH, number).come_in() is not None
    assert (events(cast.own), events(cast.other)) == ([], [("complaint", "网络")])


def test_numbers_longer_than_a_column_stay_apart(published: Published, cast: Cast) -> None:
    long = "x" * 100
    lake_of(published.root / "lake", contacts=[contact(cast.own.pk, long + end) for end in "ab"])
    assert published.of(MONTH, 1).come_in() is not None
    assert len(events(cast.own)) == 2


def test_what_was_logged_here_and_comes_back_from_the_lake_is_told_once(published: Published, cast: Cast) -> None:
    made = log_contact(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), outcome="reached", note="回电")
    lake_of(published.root / "lake", contacts=[contact(cast.own.pk, f"W-{made.key}"), contact(cast.own.pk, "1")])
    assert published.of(MONTH, 1).come_in() is not None
    assert len(events(cast.own)) == 2
    assert len(work_of(cast.own, cast.owner)["timeline"]) == 2


def test_events_of_a_version_that_mixed_them_up_go_with_the_upgrade_and_are_read_anew(
    committed: str,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    cast, published = Cast.found(), Published(ROOT, tmp_path / "site")
    call_command("migrate", "exchange", "0005_taken", verbosity=0)
    call_command("migrate", "customers", "0004_answers", verbosity=0)
    with connection.cursor() as cursor:  # another customer's complaint, under the number of a contact of this one
        cursor.execute(
            "INSERT INTO customers_event (event_id, account_id, kind, happened_on, channel, direction, about) "
            "VALUES ('1001', %s, 'complaint', '2026-10-09', '', 'in', '网络')",
            [cast.own.pk],
        )
    call_command("migrate", verbosity=0)
    assert events(cast.own) == []
    lake_of(
        published.root / "lake", contacts=[contact(cast.own.pk, "1001")], complaints=[complaint(cast.other.pk, "1001")]
    )
    before = Entry.objects.count()
    assert published.come_in() is None  # the same publication, which is in already
    assert (events(cast.own), events(cast.other)) == ([("contact", "care")], [("complaint", "网络")])
    lake_of(published.root / "lake", contacts=[contact(cast.own.pk, "2")])
    assert published.come_in() is None
    assert len(events(cast.own)) == 1  # once and not at each look
    assert Entry.objects.count() == before
