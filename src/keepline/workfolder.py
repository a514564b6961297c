"""Folders of work that go with whoever made them: a lock that dies with its process tells those it left behind."""

from __future__ import annotations

import fcntl
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HELD = ".held"  # locked as long as somebody works in the folder; names the machine, as locks may not reach beyond it
_MAKING = ".making-"


@contextmanager
def own_folder(work: Path, prefix: str) -> Iterator[Path]:
    """A folder of this process's own, gone when the work is over. It has its name only once it is locked."""
    work.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=_MAKING, dir=work))
    folder = work / f"{prefix}{made.name.removeprefix(_MAKING)}"
    try:
        with (made / HELD).open("w", encoding="utf-8") as lock:
            lock.write(platform.node())
            lock.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)
            made.rename(folder)
            try:
                yield folder
            finally:
                _empty(folder)
    finally:
        _let_go(folder)


def sweep_left(work: Path) -> None:
    """Let go of the folders whose process was killed on this machine; those that are at work keep theirs."""
    for held in work.glob(f"*/{HELD}"):
        if held.parent.name.startswith(_MAKING):
            continue
        with suppress(OSError):
            with held.open("r+", encoding="utf-8") as lock:
                if lock.read() != platform.node():
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _empty(held.parent)
            _let_go(held.parent)


def _empty(folder: Path) -> None:
    """The lock's file stays to the last, so that a folder whose deletion is cut short is still known."""
    with suppress(OSError):
        for inside in folder.iterdir():
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside, ignore_errors=True)
            elif inside.name != HELD:
                inside.unlink(missing_ok=True)


def _let_go(folder: Path) -> None:
    with suppress(OSError):
        (folder / HELD).unlink(missing_ok=True)
        folder.rmdir()
