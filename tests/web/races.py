"""Several people at the same moment, each with a connection of their own that really commits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def at_once(acts: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """What each act gave or raised; all begin together."""
    gate = threading.Barrier(len(acts))

    def one(act: Callable[[], Result]) -> Result:
        try:
            gate.wait(timeout=60)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        waiting = [pool.submit(one, act) for act in acts]
    return [done.exception() or done.result() for done in waiting]  # type: ignore[misc]
