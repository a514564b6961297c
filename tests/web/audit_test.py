"""The audit: only added to, never forked, and whatever is done to it behind our back is found with the row's number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from keepline_web.audit.actions import write
from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.audit.queries import CHANGED, CUT, GAP, HEAD, broken
from keepline_web.audit.words import CODES, details_said
from keepline_web.customers.actions import claim
from keepline_web.customers.models import Account, Assignment
from keepline_web.frame.refusals import Refused
from keepline_web.work.words import CHANNELS, OUTCOMES
from web.cast import Cast
from web.races import at_once
from web.visiting import browser

LENGTH = 6
WRITERS = 64
APPEND_ONLY = ("audit_entry", "work_contact", "work_step", "work_stepend", "work_promise", "work_promiseend",
               "work_proposal", "work_ruling")  # fmt: skip


@pytest.fixture
def chain(cast: Cast) -> list[Entry]:
    """Six entries of one stream."""
    return [write(Stream.EXPORTS, act="exported", by=cast.owner, object=f"account:{n}", detail={"rows": n, "why": "试"})
            for n in range(1, LENGTH + 1)]  # fmt: skip


@contextmanager
def behind_our_back() -> Iterator[Callable[[str, list[object]], None]]:
    """What somebody who rules the database can do: switch the trigger off and write."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        yield lambda act, values: cursor.execute(act, values)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def found() -> list[tuple[str, int, object]]:
    return [(one.stream, one.number, one.why) for one in broken()]


# the trigger


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_happened_lies_in_tables_that_are_only_added_to(table: str, cast: Cast) -> None:  # noqa: ARG001
    guards = "SELECT tgtype FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'O' AND tgname LIKE %s"
    with connection.cursor() as cursor:
        cursor.execute(guards, [table, f"{table}_%"])
        kinds = sorted(kind for (kind,) in cursor.fetchall())
    assert kinds == [27, 34]  # before each row changed or removed; before the whole is emptied


@pytest.mark.parametrize("act", ["DELETE FROM audit_entry", "UPDATE audit_entry SET act = 'x'", "TRUNCATE audit_entry"])
def test_an_entry_is_neither_changed_nor_removed_nor_emptied_out(act: str, chain: list[Entry]) -> None:
    with pytest.raises(IntegrityError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(act)
    assert Entry.objects.filter(stream="exports").count() == len(chain)


def test_the_application_itself_cannot_change_an_entry_either(chain: list[Entry]) -> None:
    chain[2].act = "nothing"
    for act in (chain[2].save, chain[2].delete, Entry.objects.all().delete):
        with pytest.raises(IntegrityError, match="only added"), transaction.atomic():
            act()
    assert not found()


def test_an_entry_with_a_number_that_is_there_already_is_refused(chain: list[Entry]) -> None:
    chain[2].pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        chain[2].save(force_insert=True)


# tampering


def test_an_untouched_chain_holds(chain: list[Entry]) -> None:
    assert [entry.number for entry in chain] == list(range(1, LENGTH + 1))
    assert chain[0].seal_before == ""
    assert [entry.seal_before for entry in chain[1:]] == [entry.seal for entry in chain[:-1]]
    assert not found()


@pytest.mark.parametrize(("column", "value"), [
    ("act", "looked"), ("person_id", 999), ("person_name", "别人"), ("object", "account:9"), ("detail", '{"rows": 1}'),
    ("at", "2026-01-01T00:00:00Z"), ("seal", "0" * 64),
])  # fmt: skip
def test_a_changed_entry_is_found(column: str, value: object, chain: list[Entry]) -> None:
    with behind_our_back() as act:
        act(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", [value, chain[3].pk])
    assert found() == [("exports", 4, CHANGED)]


def test_an_entry_moved_to_another_stream_is_found(chain: list[Entry]) -> None:
    with behind_our_back() as act:
        act("UPDATE audit_entry SET stream = 'work' WHERE id = %s", [chain[3].pk])
    assert ("exports", 5, GAP) in found()


def test_two_entries_exchanged_are_found(chain: list[Entry]) -> None:
    with behind_our_back() as act:
        act("UPDATE audit_entry SET number = 99 WHERE id = %s", [chain[2].pk])
        act("UPDATE audit_entry SET number = 3 WHERE id = %s", [chain[3].pk])
        act("UPDATE audit_entry SET number = 4 WHERE id = %s", [chain[2].pk])
    assert found() == [("exports", 3, GAP)]


def test_an_entry_taken_out_of_the_middle_is_found(chain: list[Entry]) -> None:
    with behind_our_back() as act:
        act("DELETE FROM audit_entry WHERE id = %s", [chain[2].pk])
    assert found() == [("exports", 4, GAP)]


def test_an_entry_taken_out_and_the_rest_numbered_anew_is_found(chain: list[Entry]) -> None:
    with behind_our_back() as act:
        act("DELETE FROM audit_entry WHERE id = %s", [chain[2].pk])
        for entry in chain[3:]:
            act("UPDATE audit_entry SET number = number - 1 WHERE id = %s", [entry.pk])
    assert found() == [("exports", 3, GAP)]


def test_an_entry_put_in_is_found(chain: list[Entry]) -> None:
    last = chain[-1]
    with connection.cursor() as cursor:  # adding is what the trigger lets through; the seal is what cannot be made
        cursor.execute(
            "INSERT INTO audit_entry (stream, number, at, person_name, act, object, detail, seal_before, seal) "
            "VALUES ('exports', %s, now(), '', 'exported', '', '{}', %s, %s)",
            [last.number + 1, last.seal, "f" * 64],
        )
    assert found() == [("exports", LENGTH + 1, CHANGED)]


@pytest.mark.parametrize("kept", [LENGTH - 1, 1, 0])
def test_a_tail_cut_off_is_found(kept: int, chain: list[Entry]) -> None:
    assert len(chain) > kept
    with behind_our_back() as act:
        act("DELETE FROM audit_entry WHERE stream = 'exports' AND number > %s", [kept])
    assert found() == [("exports", kept, CUT)]


def test_a_tail_cut_off_with_its_end_moved_back_is_found(chain: list[Entry]) -> None:
    with behind_our_back() as act:
        act("DELETE FROM audit_entry WHERE stream = 'exports' AND number > 4", [])
        act("UPDATE audit_head SET number = 4, seal = %s WHERE stream = 'exports'", [chain[3].seal])
    assert found() == [("exports", 4, HEAD)]


def test_an_end_taken_away_is_found(chain: list[Entry]) -> None:
    Head.objects.filter(stream="exports").delete()
    assert found() == [("exports", len(chain), HEAD)]


def test_the_auditor_sees_where_the_chain_broke(chain: list[Entry], cast: Cast) -> None:
    client = browser(cast.people["auditor"])
    assert "所有链条完整" in client.get("/audit?verify=1").content.decode()
    with behind_our_back() as act:
        act("UPDATE audit_entry SET act = 'x' WHERE id = %s", [chain[3].pk])
    assert "exports 第 4 行" in client.get("/audit?verify=1").content.decode()


def test_whoever_holds_the_database_without_the_key_cannot_seal_anew(chain: list[Entry], settings: object) -> None:
    from keepline_web.audit import sealing
    from keepline_web.keys import key

    said = {name: getattr(chain[0], name) for name in sealing.FIELDS}
    assert sealing.seal_of(said) == chain[0].seal
    assert len(bytes.fromhex(chain[0].seal)) == 32
    assert key(settings.SITE.root, "audit") not in (key(settings.SITE.root, "django"), key(settings.SITE.root, "field"))


def test_an_act_that_is_taken_back_leaves_no_entry(cast: Cast) -> None:
    def tries() -> None:
        with transaction.atomic():
            write(Stream.WORK, act="tried", by=cast.owner)
            claim(account=cast.other, by=cast.owner)

    before = Entry.objects.count()
    with pytest.raises(Refused):
        tries()
    assert Entry.objects.count() == before
    assert not found()


def test_texts_that_look_like_lines_of_a_log_stay_in_their_field(cast: Cast) -> None:
    text = "x\n2026-01-01 00:00:00 ERROR forged\r\n\u2028| exports | 1"
    entry = write(Stream.EXPORTS, act="exported", by=cast.owner, detail={"reason": text})
    assert Entry.objects.get(pk=entry.pk).detail == {"reason": text}
    assert not found()


def test_the_audit_says_ways_and_outcomes_in_the_words_of_the_log() -> None:
    words = {f"channel:{code}": said for code, said in CHANNELS.items()}
    words |= {f"outcome:{code}": said for code, said in OUTCOMES.items()}
    assert {name: CODES.get(name) for name in words} == words
    assert details_said({"channel": "visit", "contact": 7})[0][1] == CHANNELS["visit"]


# at once


def test_sixty_four_who_write_at_once_make_one_chain(committed: str) -> None:  # noqa: ARG001
    person = Cast.found().owner
    written = at_once([lambda n=n: write(Stream.WORK, act="tried", by=person, detail={"n": n}).number
                       for n in range(WRITERS)])  # fmt: skip
    assert sorted(written) == list(range(min(written), min(written) + WRITERS))
    rows = list(Entry.objects.filter(stream="work").order_by("number"))
    assert [row.seal_before for row in rows[1:]] == [row.seal for row in rows[:-1]]
    assert sorted(row.detail["n"] for row in rows[-WRITERS:]) == list(range(WRITERS))
    assert not found()


def test_of_four_who_claim_one_account_at_once_one_owns_it_and_the_others_are_told(committed: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    Assignment.objects.filter(account=cast.own).delete()
    account = Account.objects.get(pk=cast.own.pk)
    people = [cast.people[name] for name in ("m101", "m102", "m103", "agent")]
    said = at_once([lambda p=person: claim(account=account, by=p) for person in people])
    refused = [one for one in said if isinstance(one, Refused)]
    owners = [one.person_id for one in said if isinstance(one, Assignment)]
    assert [one.code for one in refused] == ["owned_already"] * 3
    assert owners == list(Assignment.objects.filter(account=account).values_list("person_id", flat=True))
    assert Entry.objects.filter(act="claimed", object=f"account:{account.pk}").count() == 1
