"""One piece of work of several: when it breaks, that is told, and the next one is done all the same."""

from __future__ import annotations

import logging
import secrets
from types import TracebackType

from django.db import InterfaceError, OperationalError

from keepline.front import KeeplineError
from keepline_web.frame.refusals import Refused
from keepline_web.frame.words import Text
from keepline_web.jobs.words import BROKEN

log = logging.getLogger("keepline")
AWAY = (OperationalError, InterfaceError)


class Guarded:
    """Around a piece of work; ``why`` says what broke it. Only a database that is away and a signal go further up."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.why: Text | None = None

    def __enter__(self) -> Guarded:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception) or isinstance(error, AWAY):
            return False
        self.why = words_of(error, self.what)
        if isinstance(error, (Refused, KeeplineError)):
            log.error("%s was not done: %s", self.what, error)
        return True


def words_of(error: Exception, what: str) -> Text:
    """What is said of a failure: a refusal's own words, else a number under which the log tells more."""
    if isinstance(error, Refused):
        return error.words
    if isinstance(error, KeeplineError):
        return Text(error.zh, error.en)
    reference = secrets.token_hex(4)
    log.error("reference %s: %s broke", reference, what, exc_info=error)
    return BROKEN.with_values(n=reference)
