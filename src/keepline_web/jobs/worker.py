"""The process that does long work: ``python -m keepline_web.jobs.worker``, as many of them as one likes."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType


def main() -> None:
    """Work until SIGTERM or SIGINT; a task at hand ends at its next step and goes back into the queue."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepline_web.settings")
    import django

    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    django.setup()
    from keepline_web.jobs.working import work

    work(stopping)


if __name__ == "__main__":
    main()
