"""What time it is: UTC for what happened, the day in Shanghai for the business; a demo keeps a calendar of its own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

CALENDAR = "workbench/calendar.json"
_HELD: ContextVar[dt.date | None] = ContextVar("held", default=None)
FIRST_DAY = 3  # of the month after the last published one


def now() -> dt.datetime:
    """This moment, in UTC."""
    return timezone.now()


def today() -> dt.date:
    """The business day."""
    return _HELD.get() or day_of(now())


@contextmanager
def one_day() -> Iterator[dt.date]:
    """What is checked and done within belongs to one day, also when midnight passes meanwhile.

    To be entered behind the locks: who waited for another decides on the day that came.
    """
    mark = _HELD.set(today())
    try:
        yield today()
    finally:
        _HELD.reset(mark)


def day_of(moment: dt.datetime) -> dt.date:
    """The business day a moment falls on."""
    return _local(moment) + _shift(settings.SITE.root)


def real_day() -> dt.date:
    """The day in the business zone, whatever calendar a demo keeps."""
    return _local(now())


def _local(moment: dt.datetime) -> dt.date:
    return moment.astimezone(ZoneInfo(settings.BUSINESS_ZONE)).date()


@cache
def _shift(root: Path) -> dt.timedelta:
    path = root / CALENDAR
    if not path.exists():
        return dt.timedelta(0)
    said = json.loads(path.read_text(encoding="ascii"))
    return dt.date.fromisoformat(said["shown"]) - dt.date.fromisoformat(said["real"])


def begin_calendar(root: Path, *, first: dt.date, real: dt.date) -> None:
    """Let a demo's first day be ``first``, once and for all."""
    path = root / CALENDAR
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"real": real.isoformat(), "shown": first.isoformat()}), encoding="ascii")
        _shift.cache_clear()
