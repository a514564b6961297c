"""What the web server is told beside its command line: to end when who started it is gone, and free the port."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "KEEPLINE_PARENT"  # the number of the process that started it, which may be gone before it could look
LOOK_SECONDS = 0.5


def on_starting(server: object) -> None:  # noqa: ARG001
    """In its first process, before it has others; those end by themselves when it is gone."""
    parent = int(os.environ.get(PARENT, os.getppid()))  # whoever starts it otherwise
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
