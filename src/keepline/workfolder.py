"""Folders of work that go with whoever made them: a lock that dies with its process tells those it left behind."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HELD = ".held"  # locked as long as somebody works in the folder
_MAKING = ".making-"


@contextmanager
def own_folder(work: Path, prefix: str) -> Iterator[Path]:
    """A folder of this process's own, gone when the work is over. It has its name only once it is locked."""
    work.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=_MAKING, dir=work))
    with (made / HELD).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = made.rename(work / f"{prefix}{made.name.removeprefix(_MAKING)}")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep_left(work: Path) -> None:
    """Let go of the folders whose process was killed; those that are at work keep theirs."""
    for held in work.glob(f"*/{HELD}"):
        if held.parent.name.startswith(_MAKING):
            continue
        with suppress(OSError), held.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(held.parent, ignore_errors=True)
