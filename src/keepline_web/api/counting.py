"""How often a token comes within a minute: counted in the database, because several processes answer."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from keepline_web.api.models import Visits
from keepline_web.frame import clock
from keepline_web.jobs.kinds import chore

A_MINUTE = 300  # requests of one token
MINUTE, HOUR = 60, 3600
KEPT = dt.timedelta(hours=2)
UPSERT = """
INSERT INTO api_visits (subject, since, number) VALUES (%s, %s, 1)
ON CONFLICT (subject, since) DO UPDATE SET number = api_visits.number + 1 RETURNING number
"""


def count(subject: str, seconds: int) -> int:
    """Count one more visit in the stretch of ``seconds`` that runs now; returns which one it is."""
    moment = int(clock.now().timestamp())
    since = dt.datetime.fromtimestamp(moment - moment % seconds, dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [subject[:60], since])
        return int(cursor.fetchone()[0])


def wait_seconds() -> int:
    """Until the next minute begins."""
    return MINUTE - int(clock.now().timestamp()) % MINUTE


def told_at(number: int) -> bool:
    """Whether the so-manieth of a kind is told: the 1st, 10th, 100th and so on, so that nobody floods the audit."""
    return str(number).rstrip("0") == "1"


def sweep() -> int:
    """Forget counts that are over."""
    return Visits.objects.filter(since__lt=clock.now() - KEPT).delete()[0]


chore(sweep, every_seconds=600)
