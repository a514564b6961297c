"""Changing the keys: all reads as before, under the new key; what the old one let in is out; it may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, models, transaction

from keepline.front import KeeplineError, open_site
from keepline_web import keys, rekeying
from keepline_web.audit.actions import write
from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.audit.queries import CHANGED, HEAD, broken
from keepline_web.audit.sealing import ENDS, FIELDS, head_seal_of, seal_of
from keepline_web.customers import sealed
from keepline_web.customers.models import Account
from keepline_web.customers.queries import search, visible_to
from keepline_web.exports.models import Export
from keepline_web.holding import alone
from keepline_web.keeping import back_up
from keepline_web.people.models import SecondFactor, Session, Token
from web.audit_test import behind_our_back
from web.cast import PHONE, Cast
from web.exported import asked_by
from web.signing import code_of, sign_in, with_password
from web.visiting import browser


@pytest.fixture(autouse=True)
def own_keys() -> Iterator[Path]:
    """The session's site has its keys back after each test."""
    folder: Path = settings.SITE.root / "secrets"
    keys.current(settings.SITE.root)
    kept = (folder / keys.FILE).read_bytes()
    yield folder
    (folder / keys.FILE).write_bytes(kept)
    (folder / keys.COMING).unlink(missing_ok=True)
    keys.forget()


def change() -> int:
    return rekeying.change(open_site(settings.SITE.root))


def name_of(account: Account) -> str | None:
    account.refresh_from_db()
    return sealed.unseal(account.name_sealed, customer_id=account.pk)


def test_names_and_numbers_read_as_before_under_the_new_key_alone(cast: Cast) -> None:
    export, before = asked_by(cast.people["team_lead"], "q=清河第"), name_of(cast.own)
    assert change() == 2
    assert name_of(cast.own) == before
    for row in Account.objects.all():
        assert {bytes(data)[0] for data in (row.name_sealed, row.number_sealed, row.phone_sealed) if data} == {2}
    export = Export.objects.get(pk=export.pk)
    assert bytes(export.text_sealed)[0] == 2
    assert sealed.unseal(export.text_sealed, customer_id=export.key.int) == "清河第"
    assert rekeying.left(settings.SITE.root) == 0
    first = Account.objects.order_by("pk").first()
    assert first is not None
    assert first.phone_index == sealed.index(PHONE)
    assert change() == 3
    assert name_of(cast.own) == before


def test_seeds_of_second_factors_are_sealed_anew_and_prove_before_and_after(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {device.pk: device.bin_key for device in SecondFactor.objects.all()}
    monkeypatch.setattr(rekeying, "reseal", lambda *_: 0)
    change()
    assert {device.pk: device.bin_key for device in SecondFactor.objects.all()} == before
    monkeypatch.undo()
    rekeying.reseal(settings.SITE.root)
    assert {device.pk: device.bin_key for device in SecondFactor.objects.all()} == before
    assert not SecondFactor.objects.exclude(key__startswith="2:").exists()
    assert sign_in(with_password(cast.owner)).post("/second-factor", {"code": code_of(cast.owner)}).status_code == 302


def test_a_number_is_found_before_its_row_is_sealed_anew_and_after(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = sealed.unseal(cast.own.phone_sealed, customer_id=cast.own.pk)
    assert phone
    monkeypatch.setattr(rekeying, "reseal", lambda *_: 0)
    change()
    assert rekeying.left(settings.SITE.root) > 0
    assert list(search(visible_to(cast.owner), phone, cast.owner)) == [cast.own]
    monkeypatch.undo()
    rekeying.reseal(settings.SITE.root)
    assert list(search(visible_to(cast.owner), phone, cast.owner)) == [cast.own]


def test_sealing_anew_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekeying, "BATCH", 7)
    monkeypatch.setattr(rekeying, "reseal", lambda *_: 0)
    change()
    monkeypatch.undo()
    whole = rekeying.left(settings.SITE.root)
    monkeypatch.setattr(rekeying, "BATCH", 7)

    def stop(count: int) -> None:
        if count >= 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rekeying.reseal(settings.SITE.root, stop)
    assert rekeying.left(settings.SITE.root) == whole - 21
    assert rekeying.reseal(settings.SITE.root) == whole - 21
    assert name_of(cast.own)


def test_every_sealed_column_there_is_is_sealed_anew() -> None:
    there = {(model, field.name) for model in apps.get_models() for field in model._meta.concrete_fields
             if isinstance(field, models.BinaryField)}  # fmt: skip
    assert there == {(kind.model, name) for kind in rekeying.EVERY for name in kind.names}


def test_sessions_and_tokens_of_the_old_key_are_out(cast: Cast) -> None:
    client = browser(cast.owner)
    assert client.get("/today").status_code == 200
    change()
    assert client.get("/today").status_code == 302
    assert not Session.objects.exists()
    assert not Token.objects.filter(ended_at__isnull=True).exists()


def test_the_audit_holds_through_a_change_and_each_entry_names_its_key(cast: Cast) -> None:
    old = write(Stream.WORK, act="tried", by=cast.owner)
    change()
    new = write(Stream.WORK, act="tried", by=cast.owner)
    assert (old.key_version, new.key_version) == (1, 2)
    assert broken() == []
    assert set(Entry.objects.filter(act="keys_changed").values_list("stream", flat=True)) == set(Stream.values)


def test_whoever_has_the_old_key_forges_nothing_after_a_change(cast: Cast) -> None:
    old = write(Stream.WORK, act="tried", by=cast.owner)
    change()
    last = Entry.objects.get(stream="work", act="keys_changed")
    said = {name: getattr(old, name) for name in FIELDS} | {"act": "nothing"}
    with behind_our_back() as act:
        act("UPDATE audit_entry SET act = 'nothing', seal = %s WHERE id = %s", [seal_of(said, version=1), old.pk])
    assert ("work", last.number) in [(one.stream, one.number) for one in broken()]


def test_a_tail_written_with_the_old_key_is_found(cast: Cast) -> None:
    write(Stream.WORK, act="tried", by=cast.owner)
    change()
    last, head = Entry.objects.get(stream="work", act="keys_changed"), Head.objects.get(stream="work")
    said = {name: getattr(last, name) for name in FIELDS} | {"act": "forged"}
    seal = seal_of(said, version=1)
    with behind_our_back() as act:
        act("UPDATE audit_entry SET act = 'forged', seal = %s, key_version = 1 WHERE id = %s", [seal, last.pk])
        ends = {name: getattr(head, name) for name in ENDS} | {"seal": seal}
        act(
            "UPDATE audit_head SET seal = %s, head_seal = %s WHERE stream = 'work'",
            [seal, head_seal_of(ends, version=1)],
        )
    assert [(one.stream, one.why) for one in broken()] == [("work", HEAD)]


def test_keys_of_a_broken_chain_are_not_changed(cast: Cast) -> None:
    entry = write(Stream.WORK, act="tried", by=cast.owner)
    with behind_our_back() as act:
        act("UPDATE audit_entry SET act = 'x' WHERE id = %s", [entry.pk])
    assert CHANGED in [one.why for one in broken()]
    with pytest.raises(KeeplineError, match="does not hold"):
        change()
    assert keys.coming(settings.SITE.root) is None
    assert keys.current(settings.SITE.root) == 1


@pytest.mark.parametrize("point", ["begun", "bound"])
def test_a_change_that_was_killed_is_finished_or_never_was(point: str, cast: Cast) -> None:
    root, before = settings.SITE.root, name_of(cast.own)
    version = keys.begin(root)
    if point == "bound":
        rekeying.audit.bind(version)
    rekeying.settle(root)
    assert keys.coming(root) is None
    assert keys.current(root) == (2 if point == "bound" else 1)
    assert broken() == []
    assert name_of(cast.own) == before
    rekeying.reseal(root)
    assert (name_of(cast.own), rekeying.left(root)) == (before, 0)


def test_no_backup_begins_while_keys_change_and_the_new_one_is_not_lost(own_keys: Path, tmp_path: Path) -> None:
    site = open_site(settings.SITE.root)
    with alone(site):
        keys.begin(site.root)
        with pytest.raises(KeeplineError, match="being changed") as refused:
            back_up(site, tmp_path / "backup.tar.gz")
    assert refused.value.code == "running"
    assert (own_keys / keys.COMING).exists()
    assert not (tmp_path / "backup.tar.gz").exists()


@pytest.mark.parametrize(("on", "words"), [
    ("on", "reason = 'x'"), ("on", "rows = rows + 1"), ("on", "text_sealed = NULL, rows = rows + 1"),
    ("", "text_sealed = NULL"),
])  # fmt: skip
def test_only_what_is_sealed_may_be_changed_and_only_while_sealing_anew(on: str, words: str, cast: Cast) -> None:
    export = asked_by(cast.people["team_lead"], "q=清河第")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('keepline.resealing', %s, true)", [on])
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(f"UPDATE exports_export SET {words} WHERE id = %s", [export.pk])


def test_the_file_of_secrets_stays_the_owner_s_alone(cast: Cast, own_keys: Path) -> None:  # noqa: ARG001
    first = (own_keys / keys.FILE).read_text(encoding="ascii")
    change()
    both = (own_keys / keys.FILE).read_text(encoding="ascii")
    assert both.startswith(first)
    assert len(both.split()) == 2
    assert (own_keys / keys.FILE).stat().st_mode & 0o077 == 0
