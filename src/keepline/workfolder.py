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
    folder = work / f"{prefix}{made.name.removeprefix(_MAKING)}"
    try:
        with (made / HELD).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made.rename(folder)
            try:
                yield folder
            finally:
                _empty(folder)
    finally:
        _let_go(folder)


def sweep_left(work: Path) -> None:
    """Let go of the folders whose process was killed; those that are at work keep theirs."""
    for held in work.glob(f"*/{HELD}"):
        if held.parent.name.startswith(_MAKING):
            continue
        with suppress(OSError):
            with held.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _empty(held.parent)
            _let_go(held.parent)


def _empty(folder: Path) -> None:
    """All but the lock's file, which stays to the last, so that a folder whose deletion is cut short is still known."""
    for inside in list(folder.glob("*")):
        if inside.is_dir() and not inside.is_symlink():
            shutil.rmtree(inside, ignore_errors=True)
        elif inside.name != HELD:
            with suppress(OSError):
                inside.unlink()


def _let_go(folder: Path) -> None:
    """What could not be deleted waits for the next sweep."""
    with suppress(OSError):
        if [inside.name for inside in folder.iterdir()] == [HELD]:
            (folder / HELD).unlink()
            folder.rmdir()
