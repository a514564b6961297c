"""Handover, cover and giving out: all or nothing, within one's scope, and on the right side of midnight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from keepline_web.audit.models import Entry
from keepline_web.customers.actions import assign, cover, end_cover, give_out, hand_over
from keepline_web.customers.holders import holders, unowned
from keepline_web.customers.models import Account, Assignment, Cover
from keepline_web.customers.queries import owner_of, visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.actions import disable, move_person
from keepline_web.people.models import Person
from keepline_web.people.roles import Role
from keepline_web.work.today import day_of
from web.cast import Cast, enter
from web.races import at_once

DAY = dt.timedelta(days=1)
Enter = Callable[[str], Client]


def owned(person: Person) -> set[int]:
    return set(visible_to(person).values_list("pk", flat=True))


def lead(cast: Cast) -> Person:
    return cast.people[Role.TEAM_LEAD]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def at_shanghai(monkeypatch: pytest.MonkeyPatch, day: dt.date, hour: int, minute: int = 0, second: int = 0) -> None:
    """Let the machine's clock stand at this moment of the business zone."""
    zone = dt.timezone(dt.timedelta(hours=8))
    moment = dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
    monkeypatch.setattr(timezone, "now", lambda: moment.astimezone(dt.UTC))


def test_the_chosen_accounts_change_hands_and_the_others_stay(cast: Cast) -> None:
    first, second, *rest = sorted(owned(cast.owner))
    count = hand_over(leaving=cast.owner, to=cast.colleague, accounts=[first, second], reason="片区调整", by=lead(cast))
    assert count == 2
    assert owned(cast.owner) == set(rest)
    assert {first, second} <= owned(cast.colleague)
    entry = Entry.objects.get(act="handed_over")
    assert (entry.person_id, entry.detail["accounts"], entry.detail["to"]) == (lead(cast).pk, 2, cast.colleague.pk)
    assert Entry.objects.filter(act="assigned").count() == 2


def test_one_account_that_is_no_longer_theirs_stops_the_whole_handover(cast: Cast) -> None:
    code = refused(lambda: hand_over(leaving=cast.owner, to=cast.people["m103"], accounts=[cast.own.pk, cast.team.pk],
                                     reason="片区调整", by=lead(cast)))  # fmt: skip
    assert code == "changed_meanwhile"
    assert owner_of(cast.own) == cast.owner


@pytest.mark.parametrize("ends", [("m101", "m201"), ("m201", "m101")])
def test_a_lead_arranges_nothing_with_people_of_another_team(cast: Cast, ends: tuple[str, str]) -> None:
    leaving, to = (cast.people[name] for name in ends)
    by = lead(cast)
    ids = [cast.own.pk if leaving == cast.owner else cast.other.pk]
    day = clock.today()
    assert refused(lambda: hand_over(leaving=leaving, to=to, accounts=ids, reason="片区调整", by=by)) == "not_yours"
    assert refused(lambda: cover(away=leaving, covered_by=to, starts_on=day, ends_on=day + DAY, reason="年休假",
                                 by=by)) == "not_yours"  # fmt: skip


def test_an_account_manager_arranges_nothing_even_of_their_own(cast: Cast) -> None:
    code = refused(lambda: hand_over(leaving=cast.owner, to=cast.owner, accounts=[cast.own.pk], reason="片区调整",
                                     by=cast.owner))  # fmt: skip
    assert code == "not_yours"


def test_a_disabled_person_comes_first_in_the_list_and_receives_nothing(cast: Cast) -> None:
    disable(person=cast.people["m103"], by=cast.people[Role.ADMIN])
    gone = Person.objects.get(username="m103")
    rows = holders(lead(cast))
    assert rows[0].person == gone
    assert rows[0].accounts == Assignment.objects.filter(person=gone).count() > 0
    assert [row.sells for row in rows].count(False) == 1
    code = refused(lambda: hand_over(leaving=cast.owner, to=gone, accounts=[cast.own.pk], reason="片区调整",
                                     by=lead(cast)))  # fmt: skip
    assert code == "cannot_own"


def test_who_became_something_else_is_listed_while_they_hold_customers(cast: Cast) -> None:
    moved = cast.people["m103"]
    move_person(person=moved, role=Role.COMPLAINT_HANDLER, unit=moved.unit, by=cast.people[Role.ADMIN])
    row = holders(lead(cast))[0]
    assert (row.person, row.sells) == (moved, False)
    ids = list(Assignment.objects.filter(person=moved).values_list("account", flat=True))
    hand_over(leaving=moved, to=cast.owner, accounts=ids, reason="已转岗位", by=lead(cast))
    assert moved not in [row.person for row in holders(lead(cast))]


def test_the_page_previews_before_it_changes_anything(cast: Cast, entered: Enter) -> None:
    client = entered(Role.TEAM_LEAD)
    said = {"to": cast.colleague.pk, "account": [cast.own.pk], "reason": "片区调整", "on": clock.today().isoformat()}
    page = client.post(f"/handover/{cast.owner.pk}", said)
    assert page.status_code == 200
    assert owner_of(cast.own) == cast.owner
    answer = client.post(f"/handover/{cast.owner.pk}", said | {"confirmed": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, "/handover?done=1")
    assert owner_of(cast.own) == cast.colleague
    assert client.post(f"/handover/{cast.owner.pk}", said | {"confirmed": "yes"}).status_code == 409


@pytest.mark.parametrize("also", ["", "x", "9" * 19, "9" * 40])
def test_an_account_that_cannot_be_read_stops_all(cast: Cast, entered: Enter, also: str) -> None:
    said = {"to": cast.colleague.pk, "account": [cast.own.pk, also], "reason": "片区调整", "confirmed": "yes"}
    answer = entered(Role.TEAM_LEAD).post(f"/handover/{cast.owner.pk}", said)
    assert (answer.status_code, answer["X-Refused"]) == (422, "unreadable_choice")
    assert owner_of(cast.own) == cast.owner


def test_the_largest_key_an_account_may_have_is_handed_over_too(cast: Cast, entered: Enter) -> None:
    largest = Account.objects.create(customer_id=2**62 - 1, last_month="2026-10")
    assign(account=largest, to=cast.owner, reason="新到客户", by=None)
    said = {"to": cast.colleague.pk, "account": [cast.own.pk, largest.pk], "reason": "片区调整"}
    client, address = entered(Role.TEAM_LEAD), f"/handover/{cast.owner.pk}"
    assert len(client.post(address, said).context["chosen"]) == 2
    assert client.post(address, said | {"confirmed": "yes"})["Location"] == "/handover?done=2"
    assert client.post(address, said).status_code == 409


def test_the_pages_of_a_lead_name_nobody_of_another_team(cast: Cast, entered: Enter) -> None:
    client = entered(Role.TEAM_LEAD)
    for address in ("/handover", f"/handover/{cast.owner.pk}", "/cover"):
        text = client.get(address).content.decode()
        assert cast.colleague.name in text, address
        assert cast.stranger.name not in text, address
    said = {"to": cast.stranger.pk, "account": [cast.own.pk], "reason": "片区调整"}
    assert client.post(f"/handover/{cast.owner.pk}", said)["X-Refused"] == "no_receiver"


def test_a_name_of_a_person_is_masked_in_the_list_that_is_handed_over(cast: Cast, entered: Enter) -> None:
    text = entered(Role.TEAM_LEAD).get(f"/handover/{cast.owner.pk}").content.decode()
    assert "欧**" in text
    assert "欧阳" not in text


def test_a_chief_gives_out_what_nobody_owns_and_a_second_one_is_told(cast: Cast) -> None:
    chief = cast.people[Role.DISTRICT_CHIEF]
    account = cast.own
    Account.objects.filter(pk=account.pk).update(unit=chief.unit)
    Assignment.objects.filter(account=account).delete()
    assert list(unowned(chief)) == [account]
    assert list(unowned(lead(cast))) == []
    assert give_out(to=cast.colleague, accounts=[account.pk], reason="新到客户", by=chief) == 1
    assert owner_of(account) == cast.colleague
    again = refused(lambda: give_out(to=cast.owner, accounts=[account.pk], reason="新到客户", by=chief))
    assert again == "changed_meanwhile"


def test_a_handover_planned_for_tomorrow_happens_at_midnight_of_shanghai(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.today()
    hand_over(leaving=cast.owner, to=cast.colleague, accounts=[cast.own.pk], reason="月末离职", by=lead(cast),
              on=today + DAY)  # fmt: skip
    at_shanghai(monkeypatch, today, 23, 59, 59)
    assert owner_of(cast.own) == cast.owner
    assert cast.own.pk not in owned(cast.colleague)
    at_shanghai(monkeypatch, today + DAY, 0)
    assert owner_of(cast.own) == cast.colleague
    assert cast.own.pk not in owned(cast.owner)
    rows = Assignment.objects.filter(account=cast.own).order_by("starts_on").values_list("starts_on", "ends_on")
    assert list(rows)[-2:] == [(rows[0][0], today + DAY), (today + DAY, None)]


def test_what_was_planned_is_taken_back_by_what_is_decided_later(cast: Cast) -> None:
    today = clock.today()
    hand_over(leaving=cast.owner, to=cast.colleague, accounts=[cast.own.pk], reason="月末离职", by=lead(cast),
              on=today + 3 * DAY)  # fmt: skip
    assign(account=cast.own, to=cast.people["m103"], reason="改由他人", by=lead(cast))
    ahead = Assignment.objects.filter(account=cast.own, starts_on__gt=today)
    assert (owner_of(cast.own), ahead.count()) == (cast.people["m103"], 0)


def test_yesterday_is_not_rewritten(cast: Cast) -> None:
    today, by = clock.today(), lead(cast)
    owner, other, reason = cast.owner, cast.colleague, "补记一下"
    codes = [
        refused(
            lambda: hand_over(leaving=owner, to=other, accounts=[cast.own.pk], reason=reason, by=by, on=today - DAY)
        ),
        refused(
            lambda: cover(
                away=owner, covered_by=other, starts_on=today - DAY, ends_on=today + DAY, reason=reason, by=by
            )
        ),
    ]
    assert codes == ["in_the_past", "in_the_past"]


def test_cover_holds_from_its_first_midnight_to_the_one_after_its_last_day(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.today()
    before = owned(cast.colleague)
    cover(away=cast.owner, covered_by=cast.colleague, starts_on=today + DAY, ends_on=today + 3 * DAY, reason="年休假期",
          by=lead(cast))  # fmt: skip
    for day, hour, minute, holds in ((0, 23, 59, False), (1, 0, 0, True), (2, 23, 59, True), (3, 0, 0, False)):
        at_shanghai(monkeypatch, today + day * DAY, hour, minute)
        assert (cast.own.pk in owned(cast.colleague)) is holds, (day, hour)
        assert cast.own.pk in owned(cast.owner)
        if not holds:
            assert owned(cast.colleague) == before


def test_cover_ended_early_ends_the_same_day_and_only_once(cast: Cast) -> None:
    today = clock.today()
    made = cover(away=cast.owner, covered_by=cast.colleague, starts_on=today, ends_on=today + 5 * DAY,
                 reason="年休假期", by=lead(cast))  # fmt: skip
    assert cast.own.pk in owned(cast.colleague)
    end_cover(cover=made, by=lead(cast))
    assert cast.own.pk not in owned(cast.colleague)
    assert refused(lambda: end_cover(cover=made, by=lead(cast))) == "cover_over"


@pytest.mark.parametrize(("days", "code"), [(0, "bad_cover"), (1, "")])
def test_cover_lasts_a_day_at_least(cast: Cast, days: int, code: str) -> None:
    today = clock.today()

    def act() -> Cover:
        return cover(away=cast.owner, covered_by=cast.colleague, starts_on=today, ends_on=today + days * DAY,
                     reason="年休假期", by=lead(cast))  # fmt: skip

    assert (refused(act) if code else "") == code
    if not code:
        assert act().last_day == today


def test_the_same_cover_is_entered_once_and_again_only_after_it(cast: Cast) -> None:
    today, by = clock.today(), lead(cast)
    values = {"away": cast.owner, "covered_by": cast.colleague, "reason": "年休假期", "by": by}
    first = cover(starts_on=today, ends_on=today + 3 * DAY, **values)  # type: ignore[arg-type]
    again = lambda: cover(starts_on=today + DAY, ends_on=today + 5 * DAY, **values)  # type: ignore[arg-type]  # noqa: E731
    assert refused(again) == "covered_already"
    assert cover(starts_on=today + 3 * DAY, ends_on=today + 4 * DAY, **values).pk  # type: ignore[arg-type]
    end_cover(cover=first, by=by)
    assert refused(again) == "covered_already"  # by the one that follows
    assert cover(starts_on=today + DAY, ends_on=today + 3 * DAY, **values).pk  # type: ignore[arg-type]


def test_who_is_away_too_does_not_cover(cast: Cast) -> None:
    today = clock.today()
    by, third = lead(cast), cast.people["m103"]
    cover(away=cast.colleague, covered_by=third, starts_on=today, ends_on=today + 2 * DAY, reason="年休假期", by=by)
    values = {"away": cast.owner, "covered_by": cast.colleague, "reason": "外出培训", "by": by}
    code = refused(lambda: cover(starts_on=today + DAY, ends_on=today + 3 * DAY, **values))  # type: ignore[arg-type]
    assert code == "away_too"
    assert cover(starts_on=today + 2 * DAY, ends_on=today + 3 * DAY, **values).pk  # type: ignore[arg-type]


def test_a_covered_account_says_so_in_the_day_of_who_covers(cast: Cast) -> None:
    today = clock.today()
    cover(away=cast.owner, covered_by=cast.colleague, starts_on=today, ends_on=today + DAY, reason="年休假期",
          by=lead(cast))  # fmt: skip
    day = day_of(cast.colleague)
    said = {card.shown.account.pk: card.covering_for for card in (*day.overdue, *day.today, *day.planned)}
    assert {cast.owner.name, ""} == set(said.values())
    covered = {pk for pk, name in said.items() if name}
    assert covered <= owned(cast.owner)
    page = enter(Client(), cast.colleague).get("/today").content.decode()
    assert f"代管：{cast.owner.name}" in page


def test_a_lead_ends_no_cover_of_another_team(cast: Cast, entered: Enter) -> None:
    today = clock.today()
    made = Cover.objects.create(away=cast.stranger, covered_by=cast.people["m202"], starts_on=today,
                                ends_on=today + DAY, reason="年休假期", made_by=cast.stranger)  # fmt: skip
    assert entered(Role.TEAM_LEAD).post(f"/cover/{made.pk}/end").status_code == 404
    assert entered(Role.PROVINCE_CHIEF).post(f"/cover/{made.pk}/end").status_code == 302


@pytest.mark.parametrize(("reason", "code"), [(" 离 ", "reason_needed"), ("离职", "")])
def test_a_handover_says_why_in_two_signs_at_least(cast: Cast, reason: str, code: str) -> None:
    def act() -> int:
        return hand_over(leaving=cast.owner, to=cast.colleague, accounts=[cast.own.pk], reason=reason, by=lead(cast))

    assert (refused(act) if code else act()) == (code or 1)


@pytest.mark.parametrize("who", ["owner", "colleague"])
@pytest.mark.parametrize("leaves", ["moves", "is disabled"])
def test_who_moves_or_is_disabled_covers_nobody_and_is_covered_by_nobody_from_that_moment(
    who: str, leaves: str, cast: Cast
) -> None:
    today, admin = clock.today(), cast.people["admin"]
    for first, away, instead in ((0, cast.owner, cast.colleague), (9, cast.colleague, cast.owner)):
        cover(away=away, covered_by=instead, starts_on=today + first * DAY, ends_on=today + (first + 5) * DAY,
              reason="年休假", by=lead(cast))  # fmt: skip
    other = cover(away=cast.stranger, covered_by=cast.people["m202"], starts_on=today, ends_on=today + DAY,
                  reason="年休假", by=cast.people[Role.PROVINCE_CHIEF])  # fmt: skip
    assert visible_to(cast.colleague).filter(pk=cast.own.pk).exists()
    person = getattr(cast, who)
    if leaves == "moves":
        move_person(person=person, role=Role.ACCOUNT_MANAGER, unit=cast.stranger.unit, by=admin)
    else:
        disable(person=person, by=admin)
    assert not visible_to(cast.colleague).filter(pk=cast.own.pk).exists()
    assert list(Cover.objects.filter(ended_early_on__isnull=True)) == [other]
    told = Entry.objects.filter(act="cover_ended")
    assert (told.count(), {row.person_id for row in told}) == (2, {admin.pk})


def test_of_a_cover_and_a_move_at_once_no_cover_is_left(committed: str) -> None:  # noqa: ARG001
    cast, today = Cast.found(), clock.today()
    begin = lambda: cover(away=cast.owner, covered_by=cast.colleague, starts_on=today, ends_on=today + DAY,  # noqa: E731
                          reason="年休假", by=lead(cast))  # fmt: skip
    move = lambda: move_person(person=cast.colleague, role=Role.ACCOUNT_MANAGER, unit=cast.stranger.unit,  # noqa: E731
                               by=cast.people["admin"])  # fmt: skip
    at_once([begin, move])
    assert not Cover.objects.filter(ended_early_on__isnull=True).exists()
    assert Person.objects.get(pk=cast.colleague.pk).unit == cast.stranger.unit


def test_the_calendars_last_day_and_a_number_without_end_are_answered_in_words(cast: Cast, entered: Enter) -> None:
    client, today = entered("team_lead"), clock.today().isoformat()
    said = {"away": cast.owner.pk, "covered_by": cast.colleague.pk, "starts_on": today, "reason": "休假"}
    assert client.post("/cover", said | {"last_day": "9999-12-31"}).status_code == 302
    assert client.post("/cover", said | {"last_day": today, "away": "0" * 20 + "9" * 5000}).status_code == 422
