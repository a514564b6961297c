"""What people did goes out: contacts and answers to the plan as Parquet, taken in by the operator's own intake.

Everything up to a day is written each time, so that a handing that was lost is made good by the next;
intake knows which rows it has.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db import transaction

from keepline.front import Month, hand_in, published_months
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.exchange.models import Handing
from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.work.models import Contact

CONTACTS = pa.schema([
    ("contact_id", pa.string()), ("customer_id", pa.int64()), ("contacted_on", pa.date32()), ("channel", pa.string()),
    ("direction", pa.string()), ("purpose", pa.string()), ("manager_id", pa.string()),
])  # fmt: skip
DELIVERIES = pa.schema([
    ("customer_id", pa.int64()), ("plan_month", pa.string()), ("offer_id", pa.string()), ("channel", pa.string()),
    ("delivered_on", pa.date32()), ("answer", pa.string()), ("cost_fen", pa.int64()),
])  # fmt: skip
ANSWERS = {"agreed": "accepted", "refused": "refused", "reached": "none"}
FOLDER = "workbench/out"


def hand_back(*, by: Person | None, until: dt.date | None = None) -> Handing | None:
    """Write the files of everything up to a day, and load them; nothing when there is nothing yet."""
    day = until or clock.today()
    first = _first_open_day()
    contacts = list(_contacts(first, day))
    files = [made for made in (_contact_file(contacts, day), _delivery_file(contacts, day)) if made is not None]
    if not files:
        return None
    with transaction.atomic():
        said = [{"name": path.name, "rows": pq.read_metadata(path).num_rows, "sha256": _sha256(path)} for path in files]
        handing = Handing.objects.create(at=clock.now(), person_id=by.pk if by else None, until=day, files=said)
        write(Stream.EXCHANGE, act="handed_back", by=by, object=f"handing:{handing.pk}", detail={"files": said})
        hand_in(settings.SITE, files)
        handing.accepted = True
        handing.save(update_fields=["accepted"])
    return handing


def something_new() -> bool:
    """Whether anything was logged since the last handing that was taken in."""
    last = Handing.objects.filter(accepted=True).order_by("-at").first()
    rows = Contact.objects.filter(on_day__gte=_first_open_day())
    return rows.filter(at__gt=last.at).exists() if last else rows.exists()


def _first_open_day() -> dt.date:
    """Months that are published are closed: what happened in them was handed back before."""
    months = published_months(settings.SITE)
    return (months[-1][0] + 1).first_day if months else Month.of(dt.date(1990, 1, 1)).first_day


def _contacts(first: dt.date, day: dt.date) -> Any:
    held = Contact.objects.filter(on_day__gte=first, on_day__lte=day, withdrawn=False, corrected_by__isnull=True)
    return held.select_related("person", "plan_row").order_by("account_id", "on_day", "pk").iterator(5000)


def _contact_file(contacts: list[Contact], day: dt.date) -> Path | None:
    rows = [
        {
            "contact_id": f"W-{c.key}", "customer_id": c.account_id, "contacted_on": c.on_day, "channel": c.channel,
            "direction": "out", "purpose": c.purpose, "manager_id": c.person.manager_id,
        }
        for c in contacts if c.outcome != "not_reached"
    ]  # fmt: skip
    return _written(rows, CONTACTS, f"contacts-{day.isoformat()}.parquet")


def _delivery_file(contacts: list[Contact], day: dt.date) -> Path | None:
    """The last answer to each plan row; a clear one is not undone by a later talk."""
    last: dict[int, Contact] = {}
    for contact in contacts:
        if contact.plan_row_id and contact.outcome in ANSWERS:
            clear = last.get(contact.plan_row_id)
            if clear is None or contact.outcome != "reached" or clear.outcome == "reached":
                last[contact.plan_row_id] = contact
    rows = [_delivery(c) for c in last.values()]
    return _written(sorted(rows, key=lambda r: (r["customer_id"], r["plan_month"])), DELIVERIES,
                    f"deliveries-{day.isoformat()}.parquet")  # fmt: skip


def _delivery(contact: Contact) -> dict[str, Any]:
    row = contact.plan_row
    assert row is not None
    cost = row.unit_cost_fen if contact.outcome == "agreed" else None
    return {
        "customer_id": contact.account_id, "plan_month": row.month, "offer_id": row.offer_id,
        "channel": contact.channel,
        "delivered_on": contact.on_day, "answer": ANSWERS[contact.outcome], "cost_fen": cost,
    }  # fmt: skip


def _written(rows: list[dict[str, Any]], schema: pa.Schema, name: str) -> Path | None:
    if not rows:
        return None
    path = settings.SITE.root / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{name}")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), partial)
    partial.replace(path)
    return path


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
