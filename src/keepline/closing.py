"""Features of the month that is closed, made from what is carried to it from the month before and on to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from keepline.engine import Engine, Range
from keepline.features.build import base_of
from keepline.kept import same_file
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
    def made_from(self) -> str:
        """Hash of all that it hangs on."""

    @property
    def former(self) -> str:
        """The hash that what was carried a month ago must have for this to be rolled from it."""

    def gather(self, engine: Engine, *, only: Range, to: Path) -> int: ...

    def roll(self, engine: Engine, *, was: Path, only: Range, to: Path) -> int: ...


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
    kept and fits; the next will be rolled from it."""
    month, name = carrying.snapshot, carrying.table.name
    former = run.kept_folder(name, month + -1, carrying.former)

    def make(only: Range, to: Path) -> int:
        was = run.folder(f"{name}_before", month) / only.part
        if not run.kept.find(former / only.part, was):
            return carrying.gather(run.engine, only=only, to=to)
        customers = carrying.roll(run.engine, was=was, only=only, to=to)
        was.unlink()
        return customers

    return run.part(name, month, only, make, kept=run.kept_folder(name, month, carrying.made_from))
