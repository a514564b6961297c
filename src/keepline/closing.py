"""Features of the month that is closed, made from what is carried to it from the month before and on to the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from keepline.engine import Engine, Range
from keepline.features.build import base_of
from keepline.kept import Content, same_file
from keepline.past import published_features
from keepline.periods import Month
from keepline.run import Run
from keepline.tables import Table


class Carried(Protocol):
    """What is carried to a month, whatever it is, not yet computed."""

    @property
    def table(self) -> Table: ...

    @property
    def snapshot(self) -> Month: ...

    @property
    def content(self) -> Content:
        """Month and hash of every file that it is made from, by table."""

    @property
    def made_by(self) -> str:
        """Hash of how it is made from them."""

    @property
    def made_from(self) -> str:
        """Hash of both."""

    def gather(self, engine: Engine, *, only: Range, to: Path) -> int: ...

    def way(self, was: Content) -> Callable[..., int] | None:
        """How it comes from what a month ago was made from ``was``: called as ``gather``, with that part as ``was``."""


def closing_features(run: Run) -> str:
    """The features of the month that is closed; what they were made from, so that they can be told from others."""
    with run.step("features", "整理客户特征", "features", total=len(run.ranges)):
        base = base_of(run.lake, run.policy, run.month)
        was, latest = published_features(run, base), base.latest

        def make(only: Range, to: Path) -> None:
            if was is None:
                told = {each.of: carried_part(run, each, only) for each in latest}
                base.build(run.engine, carried=carried_part(run, base.carrying, only), latest=told, only=only, to=to)
            else:
                same_file(was / only.part, to)

        run.each_range("features", None, make, made_from=base.made_from())
        return run.named(base.made_from())


def carried_part(run: Run, carrying: Carried, only: Range) -> Path:
    """One range of what is carried up to the month that is closed: rolled from that of the month before where it was
    kept and fits, with what is corrected since; the next will be rolled from it."""
    month, name = carrying.snapshot, carrying.table.name
    folder = run.kept_folder(name, month, carrying.made_from)
    made_by = run.named(carrying.made_by)
    run.kept.tell(folder, made_by, carrying.content)

    def make(only: Range, to: Path) -> int:
        was = run.folder(f"{name}_before", month) / only.part
        for former in run.kept.told(name, month + -1, made_by):
            way = carrying.way(former.content)
            if way is not None and run.kept.find(former.folder / only.part, was):
                customers = way(run.engine, was=was, only=only, to=to)
                was.unlink()
                return customers
        return carrying.gather(run.engine, only=only, to=to)

    return run.part(name, month, only, make, kept=folder)
