"""Lists taken out: what one sees, as one sees it, for a reason, and where it is much with a second person's consent."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import Client
from django.utils import timezone

from keepline_web.audit.models import Entry, Stream
from keepline_web.audit.queries import broken
from keepline_web.customers import sealed
from keepline_web.customers.models import Account, Standing
from keepline_web.customers.queries import latest_month, shown, visible_to
from keepline_web.exports import actions, making, queries
from keepline_web.exports.cells import BOM, cell
from keepline_web.exports.models import Export, Made, Step
from keepline_web.frame.refusals import Refused
from keepline_web.jobs import claiming, working
from keepline_web.jobs.models import State, Task
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person
from keepline_web.people.roles import RIGHTS, Act, Role
from web.cast import Cast, enter
from web.exported import REASON, asked_by, body, lines, made, state

EXPORTERS = [role for role, rights in RIGHTS.items() if Act.EXPORT in rights.acts]


@pytest.fixture(autouse=True)
def _clean_folder() -> Iterator[None]:
    yield
    for path in queries.folder().iterdir():
        path.unlink()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit below what the cast's people see."""
    for room in (actions, queries):
        monkeypatch.setattr(room, "SECOND_ABOVE", 2)


@pytest.mark.parametrize("role", EXPORTERS)
def test_an_export_holds_the_rows_of_the_page_and_no_other(role: str, cast: Cast) -> None:
    person = cast.of_role(role)
    seen = list(visible_to(person))
    if not seen:
        with pytest.raises(Refused, match="empty"):
            asked_by(person)
        return
    export = asked_by(person, "sort=revenue")
    assert made(export).state == State.DONE
    rows = body(export)
    assert [row[0] for row in rows] == [cell(shown(a, person).name) for a in queries.rows_of(export)]
    assert sorted(row[0] for row in rows) == sorted(cell(shown(a, person).name) for a in seen)
    assert {a.pk for a in queries.rows_of(export)} == {a.pk for a in seen}


def test_names_and_numbers_are_masked_and_no_telephone_is_in_it(cast: Cast) -> None:
    export = asked_by(cast.owner)
    made(export)
    _, path = actions.fetch(by=cast.owner, export_id=export.pk)
    text = path.read_text(encoding="utf-8-sig")
    for account in visible_to(cast.owner):
        name = sealed.unseal(account.name_sealed, customer_id=account.pk) or ""
        phone = sealed.unseal(account.phone_sealed, customer_id=account.pk) or ""
        assert account.kind == "organisation" or name not in text
        assert phone not in text
        assert str(account.pk) not in text


def test_an_analyst_s_export_names_nobody(cast: Cast) -> None:
    analyst = cast.of_role("analyst")
    export = asked_by(analyst)
    made(export)
    assert all(row[0].startswith("客户 …") and row[1] == "" for row in body(export))


def test_held_out_customers_look_like_those_below_the_cut(cast: Cast) -> None:
    """Whoever is in no plan row is told one of the sellers' states, and nothing tells an arm."""
    chief = cast.of_role("province_chief")
    export = asked_by(chief)
    made(export)
    month = latest_month()
    states = {s.account_id: s for s in Standing.objects.filter(month=month)}
    for account, row in zip(queries.rows_of(export), body(export), strict=True):
        if not account.plan_rows.filter(month=month).exists():
            assert row[9] == states[account.pk].state_words["zh"]
    text = " ".join(" ".join(row) for row in lines(export))
    assert not [word for word in ("对照", "抽签", "held", "arm", "treated") if word in text]
    assert "held_out" not in set(Standing.objects.values_list("state", flat=True))


def test_filters_of_the_page_are_filters_of_the_export(cast: Cast) -> None:
    page = enter(Client(), cast.owner).get("/accounts?risk=high").content.decode()
    export = asked_by(cast.owner, "risk=high")
    made(export)
    assert all(row[4] == "高风险" for row in body(export))
    assert f"导出 {len(body(export))} 户" in page
    assert export.rows == len(body(export))


def test_a_text_searched_for_is_stored_nowhere_in_clear(cast: Cast) -> None:
    phone = sealed.unseal(cast.own.phone_sealed, customer_id=cast.own.pk) or ""
    export = asked_by(cast.owner, urlencode({"q": phone}))
    made(export)
    assert len(body(export)) == export.rows == 1
    assert phone not in str(Export.objects.filter(pk=export.pk).values())
    assert phone not in str(list(Entry.objects.filter(stream=Stream.EXPORTS).values("detail")))
    assert phone not in enter(Client(), cast.owner).get(f"/exports/{export.pk}").content.decode()


def test_the_file_says_who_when_how_many_and_its_checksum(cast: Cast) -> None:
    export = asked_by(cast.owner)
    made(export)
    one = Made.objects.get(export=export)
    _, path = actions.fetch(by=cast.owner, export_id=export.pk)
    data = path.read_bytes()
    assert data.startswith(BOM)
    assert (len(data), hashlib.sha256(data).hexdigest()) == (one.size, one.sha256)
    above, last = data[: data.rindex("共 ".encode())], data[data.rindex("共 ".encode()) :].decode()
    assert f"共 {one.rows} 行" in last
    assert hashlib.sha256(above).hexdigest() in last
    first = lines(export)[0][0]
    for word in (settings.SITE.settings.name, cast.owner.name, cast.owner.username, f"导出申请 {export.pk}"):
        assert word in first
    assert path.stat().st_mode & 0o077 == 0
    text = enter(Client(), cast.owner).get(f"/exports/{export.pk}").content.decode()
    assert one.sha256 in text


def test_a_name_that_is_a_formula_comes_out_inert(cast: Cast) -> None:
    account = visible_to(cast.owner).filter(kind="organisation").first() or cast.own
    account.kind = "organisation"
    account.name_sealed = sealed.seal('=HYPERLINK("http://x")', customer_id=account.pk)
    account.save()
    export = asked_by(cast.owner)
    made(export)
    assert '\'=HYPERLINK("http://x")' in [row[0] for row in body(export)]


@pytest.mark.parametrize("reason", ["", "   ", "看看", "\x00\x00\x00\x00"])
def test_without_a_reason_of_four_signs_nothing_is_asked(reason: str, cast: Cast) -> None:
    with pytest.raises(Refused, match="Say why"):
        asked_by(cast.owner, reason=reason)
    assert not Export.objects.exists()


def test_the_same_key_again_is_the_same_export(cast: Cast) -> None:
    client, key = enter(Client(), cast.owner), str(uuid.uuid4())
    said = {"key": key, "reason": REASON, "filters": "risk=high"}
    places = {client.post("/exports", said)["Location"] for _ in range(3)}
    assert len(places) == Export.objects.count() == Task.objects.count() == 1
    other = enter(Client(), cast.colleague).post("/exports", said)
    assert other.status_code == 409


def test_an_empty_list_and_odd_filters_are_refused(cast: Cast) -> None:
    client = enter(Client(), cast.owner)
    for filters in ("class=nothing", "owner=99999999", urlencode({"district": "a\x00b"}), "risk=%27;DROP"):
        answer = client.post("/exports", {"key": str(uuid.uuid4()), "reason": REASON, "filters": filters})
        assert answer.status_code == 422, filters
    assert not Export.objects.exists()


def test_more_than_twenty_a_day_are_refused(cast: Cast) -> None:
    for _ in range(actions.A_DAY):
        asked_by(cast.owner)
    with pytest.raises(Refused, match="20 exports today"):
        asked_by(cast.owner)


def test_below_the_limit_it_is_made_at_once_and_above_it_waits(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = visible_to(cast.owner).count()
    for limit, expected in ((rows, "making"), (rows - 1, "waiting")):
        monkeypatch.setattr(actions, "SECOND_ABOVE", limit)
        assert state(asked_by(cast.owner)) == expected


@pytest.mark.usefixtures("small")
def test_a_second_person_consents_and_the_file_is_made(cast: Cast, entered: Callable[[str], Client]) -> None:
    export = asked_by(cast.owner)
    assert claiming.claim() is None
    lead = entered("team_lead")
    assert f"/exports/{export.pk}" in lead.get("/exports").content.decode()
    assert lead.post(f"/exports/{export.pk}/decide", {"what": "approved"}).status_code == 302
    assert made(export).state == State.DONE
    assert state(export) == "ready"
    assert len(body(export)) == export.rows
    assert [step.what for step in export.steps.all()] == ["asked", "approved", "made", "downloaded"]


@pytest.mark.usefixtures("small")
def test_nobody_consents_to_their_own_and_that_they_tried_is_kept(cast: Cast, entered: Callable[[str], Client]) -> None:
    lead = cast.of_role("team_lead")
    export = asked_by(lead)
    assert queries.waiting_for(lead) == []
    answer = entered("team_lead").post(f"/exports/{export.pk}/decide", {"what": "approved"})
    assert (answer.status_code, answer["X-Refused"]) == (403, "own_export")
    assert state(export) == "waiting"
    entry = Entry.objects.filter(stream=Stream.EXPORTS).order_by("-number").first()
    assert entry is not None
    assert (entry.act, entry.person_id) == ("export_decision_refused", lead.pk)


@pytest.mark.usefixtures("small")
def test_who_may_not_see_every_customer_in_it_cannot_consent(cast: Cast) -> None:
    export = asked_by(cast.stranger)  # of another district
    for role in ("team_lead", "district_chief", "city_chief"):
        with pytest.raises(Http404):
            actions.decide(by=cast.of_role(role), export_id=export.pk, what="approved", reason="")
        assert export.pk not in [one.pk for one in queries.waiting_for(cast.of_role(role))]
    wide = asked_by(cast.of_role("analyst"))
    with pytest.raises(Http404):
        actions.decide(by=cast.of_role("team_lead"), export_id=wide.pk, what="approved", reason="")
    actions.decide(by=cast.of_role("province_chief"), export_id=export.pk, what="approved", reason="")
    assert state(export) == "making"


@pytest.mark.usefixtures("small")
def test_refused_withdrawn_and_lapsed_are_ends(cast: Cast) -> None:
    lead = cast.of_role("team_lead")
    refused, withdrawn, lapsed = (asked_by(cast.owner) for _ in range(3))
    with pytest.raises(Refused, match="Say why"):
        actions.decide(by=lead, export_id=refused.pk, what="refused", reason="")
    actions.decide(by=lead, export_id=refused.pk, what="refused", reason="没有必要")
    actions.withdraw(by=cast.owner, export_id=withdrawn.pk)
    with Untriggered():
        Export.objects.filter(pk=lapsed.pk).update(asked_on=lapsed.asked_on - dt.timedelta(days=8))
    assert [state(one) for one in (refused, withdrawn, lapsed)] == ["refused", "withdrawn", "lapsed"]
    for one in (refused, withdrawn, lapsed):
        with pytest.raises(Refused, match="not waiting"):
            actions.decide(by=lead, export_id=one.pk, what="approved", reason="")
    assert claiming.claim() is None


class Untriggered:
    """Rows that are only added, changed by a test that lets time pass."""

    def __enter__(self) -> None:
        self._set("DISABLE")

    def __exit__(self, *_: object) -> None:
        self._set("ENABLE")

    def _set(self, verb: str) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            for table in ("exports_export", "exports_made"):
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(f"ALTER TABLE {table} {verb} TRIGGER {table}_only_added")


@pytest.mark.usefixtures("small")
def test_more_rows_than_were_consented_to_never_leave(cast: Cast) -> None:
    lead = cast.of_role("team_lead")
    before, after = asked_by(cast.owner), asked_by(cast.owner)
    actions.decide(by=lead, export_id=after.pk, what="approved", reason="")
    give = Account.objects.exclude(pk__in=visible_to(cast.owner).values("pk")).filter(
        assignments__person=cast.colleague
    )
    from keepline_web.customers.actions import assign

    assign(account=give[0], to=cast.owner, reason="调整", by=None)
    with pytest.raises(Refused, match="more than was asked for"):
        actions.decide(by=lead, export_id=before.pk, what="approved", reason="")
    task = made(after)
    assert task.state == State.FAILED
    assert "超出申请的数量" in task.refused["zh"]
    assert state(after) == "failed"
    assert not list(queries.folder().iterdir())


def test_a_customer_lost_before_the_file_is_made_is_not_in_it(cast: Cast) -> None:
    from keepline_web.customers.actions import assign

    export = asked_by(cast.owner)
    assign(account=cast.own, to=cast.colleague, reason="调整", by=None)
    made(export)
    assert len(body(export)) == export.rows - 1


@pytest.mark.usefixtures("small")
def test_a_right_lost_before_the_file_is_made_makes_none(cast: Cast) -> None:
    lead = cast.of_role("team_lead")
    for changed, role in ((lead, Role.AGENT), (cast.owner, Role.AGENT)):
        before = changed.role
        export = asked_by(cast.owner)
        actions.decide(by=Person.objects.get(pk=lead.pk), export_id=export.pk, what="approved", reason="")
        Person.objects.filter(pk=changed.pk).update(role=role)
        assert made(export).state == State.FAILED
        Person.objects.filter(pk=changed.pk).update(role=before)
    assert not Made.objects.exists()


def test_only_the_asker_downloads_and_each_download_is_kept(cast: Cast, entered: Callable[[str], Client]) -> None:
    export = asked_by(cast.owner)
    assert enter(Client(), cast.owner).post(f"/exports/{export.pk}/file").status_code == 404  # not made yet
    made(export)
    for _ in range(2):
        answer = enter(Client(), cast.owner).post(f"/exports/{export.pk}/file")
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == f'attachment; filename="keepline-{export.pk}.csv"'
        assert b"".join(answer.streaming_content).startswith(BOM)
    for role in ("team_lead", "province_chief", "analyst"):
        assert entered(role).post(f"/exports/{export.pk}/file").status_code == 404
    acts = list(Entry.objects.filter(stream=Stream.EXPORTS).order_by("number").values_list("act", "person_id"))
    assert acts == [(f"export_{what}", cast.owner.pk) for what in ("asked", "made", "downloaded", "downloaded")]
    assert broken() == []


def test_after_a_day_the_file_is_not_there_and_is_swept(cast: Cast) -> None:
    export = asked_by(cast.owner)
    made(export)
    _, path = actions.fetch(by=cast.owner, export_id=export.pk)
    with Untriggered():
        Made.objects.filter(export=export).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    client = enter(Client(), cast.owner)
    assert client.post(f"/exports/{export.pk}/file").status_code == 404
    assert "已过期" in client.get(f"/exports/{export.pk}").content.decode()
    assert making.sweep() == 0
    old = time.time() - 24 * 3600 - 5
    os.utime(path, (old, old))
    assert making.sweep() == 1
    assert not path.exists()


def test_made_again_after_a_kill_there_is_one_file_and_one_step(cast: Cast) -> None:
    export = asked_by(cast.owner)
    first = claiming.claim()
    assert first is not None
    making.make(first.asked, Progress(first))  # and killed before it could say so
    Task.objects.filter(pk=first.pk).update(heartbeat=timezone.now() - dt.timedelta(minutes=5))
    claiming.recover()
    assert made(export).state == State.DONE
    assert len(list(queries.folder().iterdir())) == Made.objects.count() == 1
    assert Step.objects.filter(export=export, what="made").count() == 1


def test_a_cancelled_export_leaves_no_file(cast: Cast) -> None:
    export = asked_by(cast.owner)
    task = claiming.claim()
    assert task is not None
    Task.objects.filter(pk=task.pk).update(cancel_asked=True)  # after its last step
    working.carry_out(task, Progress(task))
    assert (state(export), list(queries.folder().iterdir())) == ("cancelled", [])


def test_what_was_asked_done_and_made_is_only_added(cast: Cast) -> None:
    export = asked_by(cast.owner)
    made(export)
    for rows in (Export.objects.all(), Step.objects.all(), Made.objects.all()):
        with pytest.raises(IntegrityError, match="only added"), transaction.atomic():
            rows.delete() if rows.model is not Export else rows.update(reason="别的理由")


def test_files_lie_outside_what_the_web_server_serves(cast: Cast) -> None:
    made(asked_by(cast.owner))
    path = next(queries.folder().iterdir())
    assert path.is_relative_to(Path(settings.SITE.root) / "workbench" / "exports")
    assert len(path.stem) >= 32
    assert enter(Client(), cast.owner).get(f"/static/{path.name}").status_code == 404


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_who_may_not_export_sees_no_button(role: str, entered: Callable[[str], Client]) -> None:
    assert 'action="/exports"' not in entered(role).get("/accounts").content.decode()


@pytest.mark.parametrize("owner", ["²", "9" * 19, "x"])
def test_an_owner_that_is_no_number_narrows_nothing_and_breaks_no_list_of_exports(owner: str, cast: Cast) -> None:
    client = enter(Client(), cast.owner)
    said = {"reason": REASON, "key": str(uuid.uuid4()), "filters": urlencode({"owner": owner})}
    assert client.post("/exports", said).status_code == 302
    assert Export.objects.get(person=cast.owner).rows == visible_to(cast.owner).count()
    assert client.get("/exports").status_code == 200
