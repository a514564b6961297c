"""A worker with one more kind of work, slow enough to be killed in the middle."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the process sets Django up before it may load anything of it
    from keepline_web.jobs.progress import Progress

KIND = "slow"


def slow(asked: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Take ``steps`` short steps; ends with how many it took, and in which process."""
    for done in range(asked["steps"]):
        progress.step(done, asked["steps"], zh="慢慢来", en="slowly")
        time.sleep(asked.get("seconds", 0.05))
    return {"steps": asked["steps"], "process": os.getpid()}


def main() -> None:
    import django

    django.setup()
    from keepline_web.jobs.kinds import register
    from keepline_web.jobs.worker import main as work

    register(KIND, "慢活", "slow work", run=slow)
    work()


if __name__ == "__main__":
    main()
