"""Features of the month that is closed, made from what is carried to it from the month before and on to the next."""

from __future__ import annotations

from pathlib import Path

from keepline.engine import Range
from keepline.features.build import base_of
from keepline.features.carrying import Carrying
from keepline.kept import same_file
from keepline.past import published_features
from keepline.run import Run
from keepline.tables import CARRIED


def closing_features(run: Run) -> str:
    """The features of the month that is closed; what they were made from, so that they can be told from others."""
    with run.step("features", "整理客户特征", "features", total=len(run.ranges)):
        base = base_of(run.lake, run.policy, run.month)
        was = published_features(run, base)

        def make(only: Range, to: Path) -> None:
            if was is None:
                base.build(run.engine, carried=carried_part(run, base.carrying, only), only=only, to=to)
            else:
                same_file(was / only.part, to)

        run.each_range("features", None, make, made_from=base.made_from())
        return run.named(base.made_from())


def carried_part(run: Run, carrying: Carrying, only: Range) -> Path:
    """One range of what is carried up to the month that is closed: rolled from that of the month before where it was
    kept and fits; the next will be rolled from it."""
    month = carrying.snapshot
    former = run.kept_folder(CARRIED.name, month + -1, carrying.former)

    def make(only: Range, to: Path) -> int:
        was = run.folder(f"{CARRIED.name}_before", month) / only.part
        if not run.kept.find(former / only.part, was):
            return carrying.gather(run.engine, only=only, to=to)
        customers = carrying.roll(run.engine, was=was, only=only, to=to)
        was.unlink()
        return customers

    return run.part(CARRIED.name, month, only, make, kept=run.kept_folder(CARRIED.name, month, carrying.made_from))
