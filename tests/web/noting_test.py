"""What was refused is in the audit, what is done too often is refused, and the audit is sent where logs are kept."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from keepline.front import SiteError
from keepline_web.audit.actions import write
from keepline_web.audit.forwarding import forward, line
from keepline_web.audit.limits import at_most, counted
from keepline_web.audit.models import Entry, Stream
from keepline_web.audit.queries import broken
from keepline_web.audit.sealing import FIELDS, seal_of
from keepline_web.frame.refusals import Refused
from keepline_web.work import actions
from web.cast import PHONE, Cast
from web.visiting import browser


def noted() -> list[tuple[str, str, int]]:
    rows = Entry.objects.filter(stream=Stream.REFUSALS).order_by("number")
    return [(row.act, row.object, row.detail["count"]) for row in rows]


def test_a_page_that_is_not_ones_own_is_written_down_once_and_then_by_tens(cast: Cast) -> None:
    client = browser(cast.owner)
    for _ in range(12):
        assert client.get(f"/accounts/{cast.other.pk}").status_code == 404
        assert client.get("/people").status_code == 404
    assert noted() == [
        ("not_there", "page:account", 1), ("not_there", "page:people", 1),
        ("not_there", "page:account", 10), ("not_there", "page:people", 10),
    ]  # fmt: skip
    entry = Entry.objects.filter(stream=Stream.REFUSALS).first()
    assert entry is not None
    assert (entry.person_id, entry.person_name) == (cast.owner.pk, cast.owner.name)
    assert str(cast.other.pk) not in str(entry.detail) + entry.object
    assert broken() == []


def test_a_forged_request_and_refused_input_are_written_down_without_what_was_typed(cast: Cast) -> None:
    browser(cast.owner, csrf=True).post("/preferences", {"language": "en"})
    client = browser(cast.owner)
    client.post(f"/accounts/{cast.own.pk}/unmask", {"reason": PHONE[:3]})
    client.get("/accounts", {"q": "\0" + PHONE})
    client.put("/today")
    Client(enforce_csrf_checks=True).post("/sign-in", {"username": PHONE, "password": PHONE})
    assert [row[:2] for row in noted()] == [
        ("forged", "page:preferences"), ("not_right", "page:unmask"), ("unreadable", "page:accounts"),
        ("wrong_method", "page:today"), ("forged", "page:sign_in"),
    ]  # fmt: skip
    text = str(list(Entry.objects.filter(stream=Stream.REFUSALS).values()))
    assert PHONE[:6] not in text


def test_a_stranger_fills_no_chain(cast: Cast) -> None:  # noqa: ARG001
    for path in ("/today", "/nowhere", "/accounts/1"):
        Client().get(path)
        Client().post(path)
    assert noted() == []


def test_what_was_refused_stays_written_when_the_request_is_taken_back(cast: Cast) -> None:
    sent = {"key": str(uuid.uuid4()), "outcome": "no such", "channel": "visit"}
    assert browser(cast.owner).post(f"/accounts/{cast.own.pk}/log", sent).status_code == 422
    assert noted() == [("not_right", "page:log_contact", 1)]


# limits


def test_beyond_the_limit_nothing_is_done_and_the_next_window_begins_anew(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1_000_000_000.0]
    monkeypatch.setattr("keepline_web.audit.limits.time.time", lambda: moment[0])
    for _ in range(3):
        at_most(3, by=cast.owner, what="x", seconds=60)
    with pytest.raises(Refused) as refused:
        at_most(3, by=cast.owner, what="x", seconds=60)
    assert refused.value.status == 429
    at_most(3, by=cast.colleague, what="x", seconds=60)
    moment[0] += 60
    at_most(3, by=cast.owner, what="x", seconds=60)
    assert counted(who="y", what="x", seconds=60) == 1


def test_who_searches_without_end_is_stopped_and_others_are_not(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepline_web.customers.queries.SEARCHES_A_MINUTE", 3)
    monkeypatch.setattr("keepline_web.audit.limits.time.time", lambda: 1_000_000_000.0)
    client = browser(cast.owner)
    path = reverse("accounts")
    assert [client.get(path, {"q": f"欧阳{n}"}).status_code for n in range(5)] == [200, 200, 200, 429, 429]
    assert client.get(path).status_code == 200
    assert browser(cast.colleague).get(path, {"q": "欧阳"}).status_code == 200


@pytest.mark.parametrize(("page", "sent"), [
    ("head", {"head": "15499990000", "reason": "试试看"}),
    ("export", {"reason": "本周上门拜访", "filters": "q=15499990000"}),
])  # fmt: skip
def test_who_tries_numbers_where_each_is_refused_is_stopped_as_in_the_list(
    page: str, sent: dict[str, str], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline_web.customers.queries.SEARCHES_A_MINUTE", 3)
    monkeypatch.setattr("keepline_web.audit.limits.time.time", lambda: 1_000_000_000.0)
    client = browser(cast.owner)
    path = f"/accounts/{cast.own.pk}/head" if page == "head" else "/exports"
    codes = [client.post(path, sent | {"key": str(uuid.uuid4())}).status_code for _ in range(5)]
    assert codes == [422, 422, 422, 429, 429]


def test_who_logs_without_end_is_stopped_and_a_line_sent_again_does_not_count(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "LINES_AN_HOUR", 2)
    keys = [uuid.uuid4() for _ in range(3)]
    for key in (keys[0], keys[1], keys[0], keys[1]):
        actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=key, outcome="reached")
    with pytest.raises(Refused, match="Too often"):
        actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=keys[2], outcome="reached")


# sent on


def some_entries(cast: Cast) -> list[Entry]:
    for n in range(3):
        write(Stream.PEOPLE, act="person_moved", by=cast.owner, object="person:1", detail={"n": n, "name": "欧阳"})
    write(Stream.WORK, act="contact_logged", by=cast.owner)
    return list(Entry.objects.order_by("stream", "number"))


def test_every_entry_is_sent_once_as_a_line_that_its_seal_still_fits(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_SINK = f"file:{tmp_path}/audit.jsonl"
    entries = some_entries(cast)
    assert forward() == len(entries)
    assert forward() == 0
    write(Stream.WORK, act="contact_logged", by=cast.owner)
    assert forward() == 1
    said = [json.loads(text) for text in (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(one["stream"], one["number"]) for one in said} == set(Entry.objects.values_list("stream", "number"))
    assert len(said) == len(entries) + 1
    assert all(one["seal"] == seal_of({name: one[name] for name in FIELDS}) for one in said)
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o077 == 0


def test_what_could_not_be_sent_is_sent_when_the_way_is_open_again(cast: Cast, settings: Any, tmp_path: Path) -> None:
    entries = some_entries(cast)
    settings.AUDIT_SINK = f"file:{tmp_path}/not-there/audit.jsonl"
    with pytest.raises(OSError, match="not-there"):
        forward()
    settings.AUDIT_SINK = "syslog://127.0.0.1:1"
    with pytest.raises(OSError):  # noqa: PT011
        forward()
    settings.AUDIT_SINK = f"file:{tmp_path}/audit.jsonl"
    assert forward() == len(entries)


def test_a_log_server_takes_the_lines(cast: Cast, settings: Any) -> None:
    entries, took = some_entries(cast), []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            connection, _ = server.accept()
            with connection:
                while part := connection.recv(65536):
                    took.append(part)

        listener = threading.Thread(target=listen)
        listener.start()
        settings.AUDIT_SINK = f"syslog://127.0.0.1:{server.getsockname()[1]}"
        sent = forward_one(Stream.PEOPLE)
        listener.join(10)
    lines = b"".join(took).decode().splitlines()
    assert len(lines) == sent
    wanted = [line(entry) for entry in entries if entry.stream == Stream.PEOPLE]
    assert [text.split("keepline-audit: ", 1)[1] for text in lines] == wanted


def forward_one(stream: Stream) -> int:
    from django.conf import settings

    from keepline_web.audit.forwarding import _stream, sink

    return _stream(stream, sink(settings.AUDIT_SINK))


def test_a_place_that_is_none_is_refused_in_words(db: None, settings: Any) -> None:  # noqa: ARG001
    settings.AUDIT_SINK = "kafka://x"
    with pytest.raises(SiteError, match="KEEPLINE_AUDIT_SINK"):
        forward()
    settings.AUDIT_SINK = ""
    assert forward() == 0
