"""An account manager who logs line after line and says each acknowledged: ``python -m acceptance.writing``."""

from __future__ import annotations

import sys
import time
import uuid

PAUSE_SECONDS = 0.05


def main(count: int) -> None:
    """A line that had no answer is sent again under its own key, as the browser does."""
    import django

    django.setup()
    from django.db import InterfaceError, OperationalError, connection

    from keepline_web.work import actions
    from web.cast import Cast

    cast = Cast.found()
    for _ in range(count):
        key = uuid.uuid4()
        while True:
            try:
                actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=key, outcome="reached", note="试")
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(PAUSE_SECONDS)
            else:
                break
        print(key, flush=True)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]))
