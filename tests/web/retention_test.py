"""What is due goes and nothing else; what the law asks for cannot go; chains hold after their beginning was cut."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction

from keepline.front import KeeplineError, open_site, read_retention
from keepline.newsite import make_site
from keepline_web.audit.actions import write
from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.audit.queries import GAP, HEAD, broken
from keepline_web.customers.models import ContactPerson, Unmasking
from keepline_web.exchange import uploads
from keepline_web.exchange.models import Upload
from keepline_web.exports.models import Export
from keepline_web.frame import clock
from keepline_web.frame.append_only import KEPT_DAYS_LEAST, REMOVED, remove_due_rows
from keepline_web.jobs.models import State, Task
from keepline_web.people.models import Session
from keepline_web.retention import removing
from keepline_web.retention.removing import count_due, remove_due
from keepline_web.work.models import Contact, Promise, PromiseEnd, Proposal, Ruling, Step, StepEnd, Target
from web.audit_test import behind_our_back
from web.cast import Cast

NOW = dt.datetime.now(dt.UTC)
OLD, YOUNG = NOW - dt.timedelta(days=37 * 31), NOW - dt.timedelta(days=35 * 31)
Back = Callable[[dt.datetime], Any]


@pytest.fixture
def back(monkeypatch: pytest.MonkeyPatch) -> Back:
    """The clock of the machine, at another day."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


def contact(cast: Cast, at: dt.datetime, **values: Any) -> Contact:
    return Contact.objects.create(account=cast.own, person=cast.owner, at=at, on_day=at.date(), channel="visit",
                                  outcome="reached", purpose="care", **values)  # fmt: skip


def site() -> Any:
    return open_site(settings.SITE.root)


def due() -> dict[str, int]:
    return {one.name: one.rows for one in count_due(site()) if one.rows}


def test_on_a_fresh_workbench_nothing_is_due(cast: Cast) -> None:  # noqa: ARG001
    assert due() == {}
    before = Entry.objects.count()
    assert remove_due(site()) == {}
    assert Entry.objects.count() == before


def test_lines_older_than_their_term_go_and_younger_ones_stay(cast: Cast) -> None:
    old, young = contact(cast, OLD), contact(cast, YOUNG)
    corrected = contact(cast, OLD)
    correction = contact(cast, YOUNG, corrects=corrected, withdrawn=True)
    assert due() == {"contacts": 1}
    assert remove_due(site()) == {"contacts": 1}
    assert set(Contact.objects.values_list("pk", flat=True)) == {young.pk, corrected.pk, correction.pk}
    assert not Contact.objects.filter(pk=old.pk).exists()
    told = Entry.objects.get(act=REMOVED)
    assert told.detail == {"rows": {"work_contact": 1}, "before": told.detail["before"], "policy": "2025-1"}
    assert broken() == []
    assert remove_due(site()) == {}


def test_what_is_still_open_stays_however_old_and_what_ended_goes_whole(cast: Cast) -> None:
    same = {"account": cast.own, "person": cast.owner}
    promised, ended, young = (Promise.objects.create(**same, what="回复", due_on=OLD.date(), made_at=OLD,
                                                     made_on=OLD.date()) for _ in range(3))  # fmt: skip
    for one, at in ((ended, OLD), (young, YOUNG)):
        PromiseEnd.objects.create(promise=one, person=cast.owner, kept=True, on_day=at.date(), at=at)
    line = contact(cast, OLD)
    waits = Step.objects.create(**same, due_on=OLD.date(), channel="visit", made_at=OLD, after=line)
    done = Step.objects.create(**same, due_on=OLD.date(), channel="visit", made_at=OLD)
    StepEnd.objects.create(step=done, person=cast.owner, at=OLD)
    assert due() == {"promises": 1, "steps": 1}
    assert remove_due(site()) == {"promises": 1, "steps": 1}
    assert set(Promise.objects.values_list("pk", flat=True)) == {promised.pk, young.pk}
    assert set(Step.objects.values_list("pk", flat=True)) == {waits.pk}
    assert Contact.objects.filter(pk=line.pk).exists()  # the step that waits came of it


def test_a_proposal_goes_with_its_rulings_when_the_last_one_is_old(cast: Cast) -> None:
    made = [Proposal.objects.create(account=cast.own, month="2022-01", offer_id="x", name={}, price_fen=0,
                                    list_price_fen=0, floor_price_fen=0, cost_fen=0, reason="x", policy_version="1",
                                    made_by=cast.owner, made_at=OLD, made_on=OLD.date()) for _ in range(2)]  # fmt: skip
    for one, last in zip(made, (OLD, YOUNG), strict=True):
        for number, at in ((1, OLD), (2, last)):
            Ruling.objects.create(proposal=one, number=number, what="asked", person=cast.owner, at=at, on_day=at.date())
    assert remove_due(site()) == {"proposals": 1}
    assert list(Proposal.objects.values_list("pk", flat=True)) == [made[1].pk]
    assert Ruling.objects.count() == 2


def test_a_target_stays_while_its_month_is_looked_at(cast: Cast) -> None:
    same = {"measure": "contacts", "person": cast.owner, "amount": 3, "set_by": cast.owner, "set_at": OLD}
    kept = Target.objects.create(month=f"{NOW:%Y-%m}", **same)
    Target.objects.create(month="2020-01", **same)
    assert remove_due(site()) == {"targets": 1}
    assert list(Target.objects.values_list("pk", flat=True)) == [kept.pk]


def test_a_contact_person_who_ended_goes_with_the_whole_chain_and_one_who_holds_never_does(cast: Cast) -> None:
    def chain(*steps: tuple[dt.datetime, bool]) -> list[ContactPerson]:
        rows: list[ContactPerson] = []
        for at, ended in steps:
            before = rows[-1] if rows else None
            rows.append(ContactPerson.objects.create(account=cast.own, replaces=before, ended=ended, made_by=cast.owner,
                                                     at=at, on_day=at.date()))  # fmt: skip
        return rows

    gone = chain((OLD, False), (OLD, False), (OLD, True))
    holds = chain((OLD, False), (OLD, False))
    lately = chain((OLD, False), (YOUNG, True))
    looked_at = chain((OLD, False), (OLD, False), (OLD, True))
    Unmasking.objects.create(account=cast.own, contact_person=looked_at[0], person=cast.owner, reason="核对电话",
                             at=YOUNG, on_day=YOUNG.date())  # fmt: skip
    assert due() == {"contact_persons": 1}
    assert remove_due(site()) == {"contact_persons": 1}
    left = {row.pk for row in (*holds, *lately, *looked_at)}
    assert set(ContactPerson.objects.filter(account=cast.own).values_list("pk", flat=True)) == left
    assert Entry.objects.get(act=REMOVED).detail["rows"] == {"customers_contactperson": len(gone)}


def test_tasks_and_sessions_go_but_not_a_task_that_something_names(cast: Cast) -> None:
    ended = {"person": cast.owner, "state": State.DONE, "asked_at": OLD, "ended_at": OLD, "kind": "export"}
    Task.objects.create(**ended)
    named = Task.objects.create(**ended)
    waits = Task.objects.create(person=cast.owner, asked_at=OLD, kind="export")
    export = Export.objects.create(person=cast.owner, reason="x", filters={}, rows=1, needs_second=False,
                                   asked_at=YOUNG, asked_on=YOUNG.date())  # fmt: skip
    export.steps.create(number=1, what="asked", person=cast.owner, task=named, at=YOUNG)
    Session.objects.create(session_key="a", expire_date=OLD, begun_at=OLD, person=cast.owner)
    Session.objects.create(session_key="b", expire_date=NOW, begun_at=OLD, person=cast.owner)
    assert remove_due(site()) == {"tasks": 1, "sessions": 1}
    assert set(Task.objects.values_list("pk", flat=True)) == {named.pk, waits.pk}
    assert list(Session.objects.values_list("session_key", flat=True)) == ["b"]


def test_a_dropped_file_goes_before_the_word_that_it_was_there(cast: Cast, back: Back) -> None:
    back(NOW - dt.timedelta(days=91))
    one = uploads.receive(by=cast.people["importer"], file=SimpleUploadedFile("名单.csv", b"a,b\n1,2\n"))
    back(NOW)
    assert uploads.path_of(one).exists()
    assert remove_due(site())["files"] == 1
    assert not uploads.path_of(one).parent.exists()
    assert Upload.objects.filter(pk=one.pk).exists()
    assert remove_due(site()) == {}


# the audit


def aged(cast: Cast, back: Back, moments: list[dt.datetime]) -> None:
    for moment in moments:
        back(moment)
        write(Stream.EXPORTS, act="tried", by=cast.owner)
    back(NOW)


def test_a_chain_whose_beginning_was_removed_still_holds_and_goes_on(cast: Cast, back: Back) -> None:
    aged(cast, back, [OLD, OLD, OLD, YOUNG, YOUNG])
    assert due() == {"audit": 3}
    assert remove_due(site()) == {"audit": 3}
    assert [row.number for row in Entry.objects.filter(stream="exports").order_by("number")] == [4, 5]
    assert broken() == []
    write(Stream.EXPORTS, act="tried", by=cast.owner)
    assert broken() == []
    assert remove_due(site()) == {}


def test_a_chain_that_is_all_due_begins_again_after_its_last_number(cast: Cast, back: Back) -> None:
    aged(cast, back, [OLD, OLD])
    remove_due(site())
    assert not Entry.objects.filter(stream="exports").exists()
    assert broken() == []
    assert write(Stream.EXPORTS, act="tried", by=cast.owner).number == 3
    assert broken() == []


def test_more_taken_from_the_beginning_than_was_told_is_found(cast: Cast, back: Back) -> None:
    aged(cast, back, [OLD, OLD, YOUNG, YOUNG])
    remove_due(site())
    with behind_our_back() as act:
        act("DELETE FROM audit_entry WHERE stream = 'exports' AND number = 3", [])
    assert [(one.number, one.why) for one in broken()] == [(4, GAP)]
    third = Head.objects.get(stream="exports")
    Head.objects.filter(pk=third.pk).update(cut_number=3, cut_seal=Entry.objects.get(stream="exports").seal_before)
    assert [one.why for one in broken()] == [HEAD]


def test_a_removal_that_stops_half_way_goes_on(cast: Cast, back: Back, monkeypatch: pytest.MonkeyPatch) -> None:
    aged(cast, back, [OLD] * 7)
    monkeypatch.setattr(removing, "BATCH", 3)
    assert removing._links("exports", NOW - dt.timedelta(days=1), read_retention(settings.SITE.policy)) == 3
    assert broken() == []
    assert remove_due(site()) == {"audit": 4}
    assert broken() == []


# what nobody can do


def entry_of(rows: dict[str, int]) -> int:
    return write(Stream.EXCHANGE, act=REMOVED, by=None, detail={"rows": rows}).pk


def test_no_row_younger_than_the_law_s_least_is_removed_whatever_is_said(cast: Cast) -> None:
    border = NOW - dt.timedelta(days=KEPT_DAYS_LEAST)
    old, young = contact(cast, border - dt.timedelta(hours=1)), contact(cast, border + dt.timedelta(hours=1))
    for one, gone in ((young, False), (old, True)):
        entry = entry_of({"work_contact": 1})
        if gone:
            assert remove_due_rows("work_contact", [one.pk], entry) == 1
        else:
            with pytest.raises(IntegrityError, match="only added"), transaction.atomic():
                remove_due_rows("work_contact", [one.pk], entry)
        assert Contact.objects.filter(pk=one.pk).exists() is not gone


@pytest.mark.parametrize("rows", [{}, {"work_contact": 1}, {"work_step": 2}])
def test_nothing_is_removed_that_the_audit_does_not_tell_of(rows: dict[str, int], cast: Cast) -> None:
    old = [contact(cast, OLD).pk for _ in range(2)]
    entry = entry_of(rows)
    with pytest.raises(IntegrityError, match="does not tell"), transaction.atomic():
        remove_due_rows("work_contact", old, entry)


def test_the_function_touches_no_other_table_and_leaves_the_door_shut(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="no table whose rows"), transaction.atomic():
        remove_due_rows("people_person", [cast.owner.pk], entry_of({"people_person": 1}))
    old = contact(cast, OLD)
    remove_due(site())
    again = contact(cast, OLD, key=uuid.uuid4())
    assert again.pk != old.pk
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM work_contact WHERE id = %s", [again.pk])


# the policy


def test_a_policy_whose_day_has_not_come_removes_nothing(cast: Cast, tmp_path: Path) -> None:
    contact(cast, OLD)
    make_site(tmp_path / "site", name="x")
    other = open_site(tmp_path / "site")
    tomorrow = (NOW + dt.timedelta(days=9)).date()
    (other.policy / "retention.toml").write_text(f'version = "x"\nvalid_from = {tomorrow}\n', encoding="utf-8")
    assert count_due(other) == []
    assert remove_due(other) == {}
    assert remove_due(site()) == {"contacts": 1}


@pytest.mark.parametrize("words", ["audit_months = 5", "work_months = 0", "works_months = 36", 'tasks_days = "90"'])
def test_a_term_shorter_than_the_law_s_or_a_word_not_known_is_refused(words: str, tmp_path: Path) -> None:
    (tmp_path / "retention.toml").write_text(f'version = "x"\nvalid_from = 2025-01-01\n{words}\n', encoding="utf-8")
    with pytest.raises(KeeplineError, match="is not clear"):
        read_retention(tmp_path)
