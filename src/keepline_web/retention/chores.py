"""What the worker does once a day: remove what is due."""

from __future__ import annotations

import logging

from django.conf import settings

from keepline.front import KeeplineError
from keepline_web.jobs.kinds import chore
from keepline_web.retention.removing import remove_due

log = logging.getLogger("keepline")
DAY_SECONDS = 24 * 3600


def nightly() -> None:
    """A policy that cannot be read removes nothing, and is told in the log."""
    try:
        remove_due(settings.SITE)
    except KeeplineError as error:
        log.error("nothing that is due was removed: %s", error)


chore(nightly, every_seconds=DAY_SECONDS)
