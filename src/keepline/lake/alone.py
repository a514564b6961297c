"""One writer of the lake at a time, and what a killed one left behind put in order before the next begins."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from keepline.lake.refusals import refusal
from keepline.lake.setaside import LOADED
from keepline.lake.shelf import OWNER_ONLY
from keepline.lake.store import open_lake, sweep, switch
from keepline.site import Site
from keepline.workfolder import sweep_left

LOADING = "intake-load-"


@contextmanager
def alone(site: Site) -> Iterator[None]:
    """One load or undo at a time; the lock ends with the process, however it ends."""
    site.work.mkdir(parents=True, exist_ok=True)
    with (site.work / "intake.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refusal("busy", file=str(site.root)) from error
        _clear_up(site)
        yield


def settle(site: Site) -> None:
    """Do the renames that belong to the last switch; one that is done already is passed over.

    They are noted in the manifest, so that whoever comes after a kill completes them before anything else.
    """
    lake = open_lake(site.lake)
    if not lake.moves:
        return
    for was, to in lake.moves:
        target = site.intake / to
        target.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)
        if (site.intake / was).exists():
            (site.intake / was).replace(target)
    switch(lake, lake.files, lake.sources, moves=())


def _clear_up(site: Site) -> None:
    """What a killed load left behind: renames not done, files no manifest names, folders of work half done."""
    settle(site)
    lake = open_lake(site.lake)
    sweep(lake)
    sweep_left(site.work)
    for half in site.work.glob(f"{LOADING}*"):
        shutil.rmtree(half, ignore_errors=True)  # nobody loads but us; a run may be sweeping it as well
    kept = {trace.took for trace in lake.traces if trace.took and not trace.past}
    for taken in (site.intake / LOADED).glob("*"):
        if taken.with_suffix(".csv").name not in kept:
            taken.unlink()
