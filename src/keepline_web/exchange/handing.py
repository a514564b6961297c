"""What people did goes out as Parquet, taken in by the operator's own intake; each line once, however late it came.

Every line remembers the handing that took it in. A line of a month that is published already goes as a late
arrival: intake makes a new version of that month, which open months see. A handing that did not end took in nothing,
and what it left in the lake is the same when it comes again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db import connection, transaction

from keepline.front import hand_in
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.exchange.models import Handing, Taken
from keepline_web.exchange.outgoing import LINES, SCHEMAS, Outgoing, outgoing, waiting_lines
from keepline_web.frame import clock
from keepline_web.people.models import Person

FOLDER = "workbench/out"
LOCK = 7_293
BATCH = 2_000


@transaction.atomic
def hand_back(*, by: Person | None, until: dt.date | None = None) -> Handing | None:
    """Write the files of what was not taken in up to a day, and load them; nothing when there is nothing new."""
    _one_at_a_time()
    day = until or clock.today()
    found = outgoing(day)
    if not any(found.lines.values()):
        return None
    handing = Handing.objects.create(at=clock.now(), person_id=by.pk if by else None, until=day, files=[])
    files = [made for table, rows in found.rows.items() if (made := _written(table, rows, handing)) is not None]
    handing.files = _told(files)
    write(Stream.EXCHANGE, act="handed_back", by=by, object=f"handing:{handing.pk}", detail={"files": handing.files})
    aside = {Path(report.path).name: report.counts.set_aside for report in hand_in(settings.SITE, files)}
    handing.files = [said | {"set_aside": aside.get(said["name"], 0)} for said in handing.files]
    handing.accepted = True
    handing.save(update_fields=["files", "accepted"])
    _remember(found, handing)
    return handing


@transaction.atomic
def hand_back_again(*, by: Person) -> Handing | None:
    """Everything from the first day on, for a lake that lost what was taken in; what it still has does not change."""
    _one_at_a_time()
    write(
        Stream.EXCHANGE, act="handed_back_again", by=by, object="handing:all", detail={"lines": Taken.objects.count()}
    )
    Taken.objects.all().delete()
    return hand_back(by=by)


def something_new() -> bool:
    """Whether anything was done that no handing took in."""
    return any(waiting_lines(kind).exists() for kind in LINES)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _remember(found: Outgoing, handing: Handing) -> None:
    taken = [Taken(handing=handing, kind=kind, line=line) for kind, lines in found.lines.items() for line in lines]
    Taken.objects.bulk_create(taken, BATCH)


def _written(table: str, rows: Sequence[dict[str, Any]], handing: Handing) -> Path | None:
    if not rows:
        return None
    path: Path = settings.SITE.root / FOLDER / f"{table}-{handing.until.isoformat()}-{handing.pk:06d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMAS[table]), partial)
    partial.replace(path)
    return path


def _told(files: Sequence[Path]) -> list[dict[str, Any]]:
    return [
        {"name": path.name, "rows": pq.read_metadata(path).num_rows,
         "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in files
    ]  # fmt: skip
