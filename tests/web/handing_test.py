"""What people did is handed back once each: however late a line comes, whatever is published or taken back between."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import transaction

from core.small_lake import lake_of
from keepline.front import Month, Site, open_site
from keepline.lake.store import open_lake
from keepline.newsite import make_site
from keepline.site import write_key
from keepline_web.customers.models import Account, PlanRow
from keepline_web.exchange.handing import hand_back, hand_back_again, something_new
from keepline_web.exchange.models import Handing, Taken
from keepline_web.exchange.outgoing import ANSWERS
from keepline_web.frame import clock
from keepline_web.work import actions
from keepline_web.work.models import Contact, Promise
from web.cast import Cast

YEAR = clock.real_day().year + 1  # after the day the cast was given its accounts
FIRST = dt.date(YEAR, 10, 25)
OCTOBER = Month.of(FIRST)
Row = dict[str, Any]


class KilledError(Exception):
    """Stands for a process that ends after the lake was switched and before the database was."""


@pytest.fixture
def site(cast: Cast, tmp_path: Path, settings: Any) -> Iterator[Site]:  # noqa: ARG001
    """A site of this test's own, whose lake knows the cast's customers; its calendar begins late in a month."""
    make_site(tmp_path / "site", name="清河通信")
    (tmp_path / "site" / "demo.json").write_text("{}", encoding="ascii")
    made = open_site(tmp_path / "site")
    write_key(made.root, b"k" * 32)  # what a lake's customers were told by
    people = [{"customer_id": pk, "customer_no": f"N{pk}"} for pk in Account.objects.values_list("pk", flat=True)]
    lake_of(made.lake, customers=[{"customer_id": row["customer_id"], "month": f"{YEAR}-01"} for row in people])
    _details(made, people)
    settings.SITE = made
    set_day(made, FIRST)
    yield made
    clock._shift.cache_clear()


def _details(site: Site, people: list[Row]) -> None:
    from keepline.canonical import file_hash
    from keepline.lake import store
    from keepline.tables import TABLES

    table = TABLES["contact_details"]
    path = site.lake / "contact_details" / "always" / "a.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(sorted(people, key=lambda r: r["customer_id"]), schema=table.arrow), path)
    lake = open_lake(site.lake)
    said = store.LakeFile("contact_details", "always", "contact_details/always/a.parquet", len(people), file_hash(path))
    store.switch(lake, [*lake.files, said], lake.sources)


def set_day(site: Site, day: dt.date) -> None:
    path = site.root / clock.CALENDAR
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"real": clock.real_day().isoformat(), "shown": day.isoformat()}), encoding="ascii")
    clock._shift.cache_clear()


def publish(site: Site, month: Month) -> None:
    """What intake asks of a publication is that it is there."""
    (site.root / "published" / str(month)).mkdir(parents=True)


def seen(site: Site, table: str, snapshot: Month | None = None) -> list[Row]:
    """The rows of a table as a run of the snapshot, or of the newest month, sees them."""
    lake = open_lake(site.lake)
    paths = [lake.root / f.path for f in lake.versions(snapshot) if f.table == table]
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    return [row for row in rows if snapshot is None or Month.parse(row["month"]) <= snapshot]


def log(cast: Cast, **values: Any) -> Contact:
    said: Row = {"by": cast.owner, "customer_id": cast.own.pk, "key": uuid.uuid4(), "outcome": "reached"} | values
    return actions.log_contact(**said)


def test_a_line_of_the_last_hour_before_publishing_is_handed_back_after_it_and_changes_nothing_published(
    cast: Cast, site: Site
) -> None:
    set_day(site, dt.date(YEAR, 10, 31))
    early = log(cast)
    hand_back(by=None)
    late = log(cast, outcome="refused", purpose="marketing")
    publish(site, OCTOBER)
    assert something_new()
    hand_back(by=None)
    assert {row["contact_id"] for row in seen(site, "contacts")} == {f"W-{early.key}", f"W-{late.key}"}
    assert {row["month"] for row in seen(site, "contacts")} == {str(OCTOBER)}
    assert {row["contact_id"] for row in seen(site, "contacts", OCTOBER)} == {f"W-{early.key}"}
    assert not something_new()
    assert hand_back(by=None) is None


def test_a_line_that_waited_for_the_network_since_before_the_last_handing_goes_out(cast: Cast, site: Site) -> None:
    log(cast)
    hand_back(by=None)
    waited = log(cast, happened_at=clock.now() - dt.timedelta(days=2))
    assert something_new()
    hand_back(by=None)
    row = next(r for r in seen(site, "contacts") if r["contact_id"] == f"W-{waited.key}")
    assert row["contacted_on"] == FIRST - dt.timedelta(days=2)


def test_a_line_taken_back_after_it_was_handed_back_is_told_as_taken_back(cast: Cast, site: Site) -> None:
    row = PlanRow.objects.filter(account__assignments__isnull=False).order_by("pk")[0]
    first = log(cast, customer_id=row.account_id, by=_owner(row.account), outcome="agreed", plan_row=row.pk)
    hand_back(by=None)
    assert [d["withdrawn"] for d in seen(site, "deliveries")] == [False]
    actions.withdraw_contact(by=first.person, contact_id=first.pk)
    hand_back(by=None)
    assert [c["withdrawn"] for c in seen(site, "contacts")] == [True]
    assert [d["withdrawn"] for d in seen(site, "deliveries")] == [True]
    again = log(cast, customer_id=row.account_id, by=first.person, outcome="agreed", plan_row=row.pk)
    hand_back(by=None)  # the very bytes of the first handing's deliveries: they count again
    assert [(d["withdrawn"], d["answer"]) for d in seen(site, "deliveries")] == [(False, "accepted")]
    assert sorted((c["contact_id"] == f"W-{again.key}", c["withdrawn"]) for c in seen(site, "contacts")) == [
        (False, True), (True, False),
    ]  # fmt: skip


def test_a_handing_killed_after_the_lake_was_switched_is_made_good_by_the_next(cast: Cast, site: Site) -> None:
    log(cast)
    killed(cast)
    assert (len(seen(site, "contacts")), Handing.objects.filter(accepted=True).count()) == (1, 0)
    assert something_new()
    hand_back(by=None)
    assert len(seen(site, "contacts")) == 1
    assert not something_new()


def killed(cast: Cast) -> None:  # noqa: ARG001
    try:
        with transaction.atomic():
            hand_back(by=None)
            raise KilledError
    except KilledError:
        pass


def test_a_lake_that_lost_everything_is_given_everything_again(cast: Cast, site: Site) -> None:
    made = log(cast)
    hand_back(by=None)
    lake = open_lake(site.lake)
    from keepline.lake import store

    store.switch(lake, [f for f in lake.files if f.table != "contacts"], lake.sources)
    assert hand_back(by=None) is None
    assert hand_back_again(by=cast.people["importer"]) is not None
    assert [row["contact_id"] for row in seen(site, "contacts")] == [f"W-{made.key}"]


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_of_logging_handing_publishing_and_taking_back_nothing_is_lost_and_nothing_doubled(
    seed: int, cast: Cast, site: Site
) -> None:
    dice, day, closed = random.Random(seed), FIRST, {}
    for _ in range(60):
        act = dice.choices(
            ("log", "back", "hand", "kill", "publish", "day", "promise", "end"), (9, 4, 3, 1, 1, 2, 2, 2)
        )
        match act[0]:
            case "log":
                _log_any(dice)
            case "back":
                _take_back_any(dice)
            case "hand":
                hand_back(by=None, until=dice.choice((None, clock.today() - dt.timedelta(days=1))))
            case "kill":
                killed(cast)
            case "publish" if (month := Month.of(day) + -1) not in closed:
                publish(site, month)
                closed[month] = {table: _sorted(seen(site, table, month)) for table in ("contacts", "deliveries")}
            case "day":
                day += dt.timedelta(days=dice.choice((1, 3, 9)))
                set_day(site, day)
            case "promise":
                actions.promise(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), what="回电",
                                due_on=clock.today())  # fmt: skip
            case "end":
                _end_any(dice)
    hand_back(by=None)
    assert not something_new()
    _all_there(site)
    for month, tables in closed.items():
        assert {table: _sorted(seen(site, table, month)) for table in tables} == tables
    assert Counter(Taken.objects.values_list("kind", "line")).most_common(1)[0][1] == 1


def _log_any(dice: random.Random) -> None:
    row = dice.choice(list(PlanRow.objects.filter(account__assignments__isnull=False).order_by("pk")[:6]))
    outcome = dice.choice(("reached", "agreed", "refused", "not_reached"))
    ago = dt.timedelta(hours=dice.choice((0, 0, 0, 5, 40, 150)))
    with_row = outcome == "agreed" or dice.random() < 0.7
    actions.log_contact(by=_owner(row.account), customer_id=row.account_id, key=uuid.uuid4(), outcome=outcome,
                        plan_row=row.pk if with_row else None, happened_at=clock.now() - ago)  # fmt: skip


def _owner(account: Account) -> Any:
    from keepline_web.customers.queries import owner_of

    owner = owner_of(account)
    assert owner is not None
    return owner


def _take_back_any(dice: random.Random) -> None:
    soon = clock.now() - dt.timedelta(minutes=actions.WITHDRAW_MINUTES - 5)
    rows = list(Contact.objects.filter(withdrawn=False, corrected_by__isnull=True, at__gte=soon).order_by("pk"))
    if rows:
        one = dice.choice(rows)
        actions.withdraw_contact(by=one.person, contact_id=one.pk)


def _end_any(dice: random.Random) -> None:
    rows = list(Promise.objects.filter(end__isnull=True).order_by("pk"))
    if rows:
        one = dice.choice(rows)
        actions.end_promise(by=one.person, promise_id=one.pk, kept=dice.random() < 0.5)


def _all_there(site: Site) -> None:
    """The lake tells what the workbench tells: each line once, what was taken back as such."""
    said = seen(site, "contacts")
    assert len(said) == len({row["contact_id"] for row in said})
    stands = Contact.objects.filter(withdrawn=False, corrected_by__isnull=True)
    talked = stands.exclude(outcome="not_reached")
    assert {r["contact_id"] for r in said if not r["withdrawn"]} == {f"W-{c.key}" for c in talked}
    assert all(row["month"] == str(Month.of(row["contacted_on"])) for row in said)
    expected = {}
    for c in talked.filter(plan_row__isnull=False).order_by("on_day", "pk"):
        key = (c.account_id, c.plan_row.month, c.plan_row.offer_id)
        if c.outcome != "reached" or expected.get(key, "none") == "none":
            expected[key] = ANSWERS[c.outcome]
    stood = [row for row in seen(site, "deliveries") if not row["withdrawn"]]
    assert {(r["customer_id"], r["plan_month"], r["offer_id"]): r["answer"] for r in stood} == expected
    promised = {f"W-{p.key}": p.end.kept if hasattr(p, "end") else None for p in Promise.objects.select_related("end")}
    assert {r["promise_id"]: r["kept"] for r in seen(site, "promises")} == promised
    assert len(seen(site, "promises")) == len(promised)


def _sorted(rows: list[Row]) -> list[str]:
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
