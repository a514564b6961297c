"""Exports asked for, made and read by the tests, as a person and a worker would."""

from __future__ import annotations

import csv
import io
import uuid

from django.http import QueryDict

from keepline_web.customers.listing import Listing
from keepline_web.exports import actions, queries
from keepline_web.exports.cells import BOM
from keepline_web.exports.models import Export
from keepline_web.jobs import claiming, working
from keepline_web.jobs.models import Task
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person

REASON = "本周拜访安排"


def asked_by(person: Person, filters: str = "", reason: str = REASON) -> Export:
    return actions.ask(by=person, asked=Listing.of(QueryDict(filters)), reason=reason, key=uuid.uuid4())


def made(export: Export) -> Task:
    """Let a worker make it, here and now."""
    task = claiming.claim()
    assert task is not None
    assert task.asked == {"export": export.pk}
    working.carry_out(task, Progress(task))
    task.refresh_from_db()
    return task


def lines(export: Export) -> list[list[str]]:
    _, path = actions.fetch(by=export.person, export_id=export.pk)
    return list(csv.reader(io.StringIO(path.read_bytes().removeprefix(BOM).decode("utf-8"))))


def body(export: Export) -> list[list[str]]:
    """Without watermark, heading and trailer."""
    return lines(export)[2:-1]


def state(export: Export) -> str:
    return queries.state_of(queries.with_state(Export.objects.filter(pk=export.pk)).get())
