"""Does one act of the workbench and kills itself at a named point: ``python -m web.killing POINT ACT KEY``.

A point is ``before`` or ``after`` a function of the product, or ``acknowledged``: done, and nobody told yet.
"""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any

NEVER, LAST = "never", "acknowledged"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lay(point: str) -> None:
    """Let the process die when it comes to the point."""
    when, place = point.split()
    module, name = place.split(":")
    owner: Any = import_module(module)
    *above, last = name.split(".")
    for part in above:
        owner = getattr(owner, part)
    plain = getattr(owner, last)

    def deadly(*args: Any, **values: Any) -> Any:
        if when == "before":
            die()
        answer = plain(*args, **values)
        die()
        return answer

    setattr(owner, last, deadly)


def log(key: str) -> None:
    from keepline_web.work import actions
    from web.cast import Cast

    cast = Cast.found()
    actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=uuid.UUID(key), outcome="reached", note="试")


def decide(number: str) -> None:
    from keepline_web.work import proposals
    from web.cast import Cast

    proposals.decide(by=Cast.found().people["team_lead"], proposal_id=int(number), what="approved", reason="同意安排")


def claim(customer_id: str) -> None:
    from keepline_web.customers import actions
    from keepline_web.customers.models import Account
    from web.cast import Cast

    actions.claim(account=Account.objects.get(pk=int(customer_id)), by=Cast.found().owner)


def bring_in(month: str) -> None:
    from django.conf import settings

    from keepline.front import Month
    from keepline_web.exchange import arriving

    arriving.bring_in(settings.SITE, Month.parse(month))


def work(_: str) -> None:
    from keepline_web.jobs import working

    working.work_once()


def keys(_: str) -> None:
    from django.conf import settings

    from keepline_web import rekeying

    rekeying.settle(settings.SITE.root)
    rekeying.change(settings.SITE)


ACTS: dict[str, Callable[[str], None]] = {one.__name__: one for one in (log, decide, claim, bring_in, work, keys)}


def main(point: str, act: str, key: str) -> None:
    import django

    django.setup()
    if point not in (NEVER, LAST):
        lay(point)
    ACTS[act](key)
    if point == LAST:
        die()
    print("acknowledged", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
