"""How often somebody may do one thing: counted in the database, so that every process and machine counts alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection

from keepline_web.audit.actions import Actor
from keepline_web.frame.refusals import Refused

COUNT = """INSERT INTO audit_doing (who, what, began, count) VALUES (%s, %s, %s, 1)
ON CONFLICT (who, what) DO UPDATE SET began = EXCLUDED.began,
    count = CASE WHEN audit_doing.began = EXCLUDED.began THEN audit_doing.count + 1 ELSE 1 END
RETURNING count"""
TRIES: ContextVar[list[tuple[str, str, int]] | None] = ContextVar("tries", default=None)


@contextmanager
def noting_tries() -> Iterator[list[tuple[str, str, int]]]:
    """What is tried within, for whoever has to count it again when the transaction is taken back."""
    tries: list[tuple[str, str, int]] = []
    token = TRIES.set(tries)
    try:
        yield tries
    finally:
        TRIES.reset(token)


def counted(*, who: str, what: str, seconds: int) -> int:
    """How often in the window that runs, this time included; windows follow one another by the clock."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [who[:60], what[:60], int(time.time() // seconds)])
        return int(cursor.fetchone()[0])


def at_most(most: int, *, by: Actor, what: str, seconds: int, tried: bool = False) -> None:
    """Refuse what goes beyond; a refusal takes its own count back, so the next window begins at nought for everyone.

    ``tried``: it counts although the request is refused later for another reason, for that reason tells something.
    """
    who, tries = f"person:{by.pk}", TRIES.get()
    if counted(who=who, what=what, seconds=seconds) > most:
        span_zh, span_en = (
            ("一分钟", "a minute") if seconds == 60 else (f"{seconds // 60} 分钟", f"{seconds // 60} minutes")
        )
        raise Refused(
            f"操作过于频繁：{span_zh}内最多 {most:,} 次，这一次没有执行；请稍候再试。",
            f"Too often: at most {most:,} times in {span_en}. This one was not done; wait a little and try again.",
            code="too_often",
            status=429,
        )
    if tried and tries is not None:
        tries.append((who, what, seconds))
