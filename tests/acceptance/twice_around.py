"""Turns the loop twice with people in it, in a process of its own: publish, act in the workbench, publish again.

usage: twice_around.py FOLDER     prints what was done and what the publications say of it, as JSON
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from keepline.front import Month, Site, open_site, published_months
from keepline.lake.intake import load
from keepline.lake.store import open_lake
from keepline.pipeline import run_month
from keepline.progress import Silent
from keepline.simulate.operator import next_month, start_site

FIRST, LAST = Month.parse("2026-03"), Month.parse("2026-10")
PEOPLE = ["customer_id", "contacts_out_1m", "promises_kept_3m", "promises_broken_3m", "granted_3m_fen"]
ANSWERS = ("agreed", "refused", "reached", "not_reached")


def main(root: Path) -> dict[str, Any]:
    start_site(root, customers=1000, months=8, last=LAST, seed=1, engine="duckdb")
    (root / "demo.json").write_text("{}", encoding="ascii")
    site = open_site(root)
    for month in range(LAST - FIRST - 1):
        take(site, FIRST + month)
    open_workbench(site)
    told = []
    for month in (LAST + -2, LAST + -1, LAST):
        if month != LAST + -2:
            take(site, month)
        run_month(site, month)
        told.append({"month": str(month), **said_of(site, month), **act(site, month)})
    return {"turns": told}


def take(site: Site, month: Month) -> None:
    """The operator's own files; nobody but the workbench carries out a plan."""
    for report in load(site, next_month(site.root, month, decisions=None, assignments=None, progress=Silent())):
        report.insist()


def open_workbench(site: Site) -> None:
    """What ``keepline serve`` does before it answers pages."""
    from keepline_web import database

    os.environ["KEEPLINE_SITE"] = str(site.root)
    password = site.root / "secrets" / "database.password"
    server = database.start(site.root / "workbench" / "database", password)
    os.environ["KEEPLINE_DATABASE_URL"] = database.url(server, password)
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepline_web.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def act(site: Site, month: Month) -> dict[str, Any]:
    """Bring the month in, let every account manager work through their rows of the plan, and hand back."""
    from keepline_web.customers.models import Account, PlanRow
    from keepline_web.customers.queries import owner_of
    from keepline_web.exchange.arriving import bring_in, bring_in_all
    from keepline_web.exchange.demo import settle
    from keepline_web.exchange.handing import hand_back
    from keepline_web.work.actions import log_contact

    set_day(site.root, (month + 1).first_day + dt.timedelta(days=4))
    settle(site)
    bring_in_all(site)
    again = bring_in(site, month)
    rows = list(PlanRow.objects.filter(month=str(month)).order_by("pk"))
    for place, row in enumerate(rows):
        owner = owner_of(Account.objects.get(pk=row.account_id))
        log_contact(by=owner, customer_id=row.account_id, key=uuid.uuid4(), outcome=ANSWERS[place % 4],
                    channel="visit", plan_row=row.pk)  # fmt: skip
    done = by_hand(rows)
    handed = [hand_back(by=None) for _ in range(2)]  # the second changes nothing
    return {
        "publications": len(published_months(site)), "arrived_twice": again is not None,
        "plan_rows": len(rows), "treated_managed": treated_managed(site, month),
        "handed": [made.files for made in handed if made], "lake": in_lake(site, month + 1), "by_hand": done,
    }  # fmt: skip


def by_hand(rows: list[Any]) -> dict[str, Any]:
    """Outside the plan: a promise kept, one broken, and an offer granted and taken up, each for its own customer."""
    from keepline_web.customers.models import Account, Standing
    from keepline_web.customers.queries import latest_month, owner_of
    from keepline_web.frame import clock
    from keepline_web.work import actions, proposals
    from keepline_web.work.holding import take_up
    from keepline_web.work.queries import catalogue_of

    planned = {row.account_id for row in rows}
    free = Standing.objects.filter(month=latest_month(), account__blacklisted=False).exclude(arrears_fen__gt=0)
    accounts = [one for one in Account.objects.filter(standings__in=free).order_by("pk")
                if one.pk not in planned and owner_of(one) is not None]  # fmt: skip
    kept, broken, granted = accounts[:3]
    for account, outcome in ((kept, True), (broken, False)):
        owner = owner_of(account)
        assert owner is not None
        made = actions.promise(by=owner, customer_id=account.pk, key=uuid.uuid4(), what="回电", due_on=clock.today())
        actions.end_promise(by=owner, promise_id=made.pk, kept=outcome)
    owner = owner_of(granted)
    assert owner is not None
    owner.authority_fen = 10**6
    offer = min(catalogue_of(granted)[0], key=lambda one: (one["unit_cost_fen"], one["offer_id"]))
    asked = proposals.propose(by=owner, customer_id=granted.pk, key=uuid.uuid4(), offer_id=offer["offer_id"],
                              price_fen=offer["price_fen"], reason="客户另有需要")  # fmt: skip
    take_up(by=owner, proposal_id=asked.pk)
    return {"kept": kept.pk, "broken": broken.pk, "granted": granted.pk, "cost_fen": asked.cost_fen}


def set_day(root: Path, day: dt.date) -> None:
    from keepline_web.frame import clock

    path = root / clock.CALENDAR
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"real": clock.real_day().isoformat(), "shown": day.isoformat()}
    path.write_text(json.dumps(said), encoding="ascii")
    clock._shift.cache_clear()


def treated_managed(site: Site, month: Month) -> int:
    rows = pq.read_table(site.root / "published" / str(month) / "decisions").to_pylist()
    features = pq.read_table(site.root / "published" / str(month) / "features", columns=["customer_id", "manager_id"])
    managed = {row["customer_id"] for row in features.to_pylist() if row["manager_id"]}
    return sum(row["state"] == "treated" and row["customer_id"] in managed for row in rows)


def in_lake(site: Site, month: Month) -> dict[str, int]:
    """Rows of the workbench in the lake, by table."""
    found = {}
    for table in ("contacts", "deliveries"):
        rows = [row for path in (site.lake / table).rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
        mine = (row for row in rows if row["month"] == str(month))
        found[table] = sum(table == "deliveries" or row["contact_id"].startswith("W-") for row in mine)
    return found


def said_of(site: Site, month: Month) -> dict[str, Any]:
    """What the publication says of the plan before it."""
    folder = site.root / "published" / str(month)
    effects = pq.read_table(folder / "effects").to_pylist() if (folder / "effects").exists() else []
    before = [row for row in effects if row["plan_month"] == str(month + -1) and row["offer_id"] == "*"]
    features = pq.read_table(folder / "features", columns=["contacts_out_1m"])["contacts_out_1m"].to_pylist()
    return {
        "delivered": before[0]["delivered"] if before else None,
        "contacted": sum(1 for count in features if count),
        "people": people_of(folder),
        "in_lake": {table: open_lake(site.lake).rows(table) for table in ("promises", "approvals")},
    }


def people_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The features of those whom somebody promised or granted something."""
    rows = pq.read_table(folder / "features", columns=PEOPLE).to_pylist()
    return {str(row["customer_id"]): row for row in rows if any(row[name] for name in PEOPLE[2:])}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).resolve())))
