"""Features and labels of past months, of the customers somebody learns from and of no others.

::

    publication of that month,   ─┬─▶ sampled ─▶ labels     a share of the customers: what models learn from
    else the lake as it knew it   └─▶ drawn                 those of the month's pilots: what pilots are measured by

Either source gives the same rows, and what was made is kept for the runs that need it next.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from keepline.canonical import text_hash
from keepline.engine import Range, Scan, cut
from keepline.features.build import Base, base_of, outcomes_of, take_features
from keepline.features.sampling import sampled
from keepline.kept import same_file
from keepline.periods import Month
from keepline.placed import NOTHING, Placed, placed
from keepline.publication import find
from keepline.run import Run
from keepline.sampled import Sampled

SAMPLED, DRAWN, LABELS = "sampled", "drawn", "labels"
MADE_FROM = "features_made_from"  # of a publication's manifest


def published_features(run: Run, base: Base) -> Path | None:
    """The features of the base's month as they were published, if they would come out the same today."""
    made = find(run.site, base.snapshot)
    if made is None or made.manifest.get(MADE_FROM) != run.named(base.made_from()):
        return None
    return made.folder / "features"


def share_of(run: Run, month: Month, *, snapshots: int) -> Sampled:
    """Whom to make of one of so many past months that models learn from."""
    most = run.policy.leaving.training_customers_max
    return sampled(run.engine, run.lake, month, most=most, snapshots=snapshots)


def sampled_features(run: Run, month: Month, some: Sampled) -> None:
    """The features of a share of a past month's base; a range that is in it whole is the published part."""
    base = base_of(run.lake, run.policy, month)
    whole = published_features(run, base)

    def make(only: Range, to: Path) -> None:
        if whole is None:
            base.anew(run.engine, only=only, to=to)
        elif only in run.ranges:
            same_file(whole / only.part, to)
        else:
            take_features(run.engine, [whole / only.part], only=only, to=to)

    named = text_hash([base.made_from(), some.width])
    run.each_range(SAMPLED, month, make, made_from=named, ranges=some.within(run.ranges))


def sampled_labels(run: Run, month: Month, some: Sampled) -> None:
    """What became of the same share of a past month's base, or of the month that is closed itself."""
    outcomes = outcomes_of(run.lake, run.policy, month, known=run.month)
    base = run.folder("features") if month == run.month else run.folder(SAMPLED, month)
    named = text_hash([outcomes.made_from(base_of(run.lake, run.policy, month).made_from()), some.width])

    def make(only: Range, to: Path) -> None:
        outcomes.build(run.engine, base=base / only.part, only=only, to=to)

    run.each_range(LABELS, month, make, made_from=named, ranges=some.within(run.ranges))


def drawn_features(run: Run, month: Month, lots: Scan) -> None:
    """The features of those of a past month's base whom a pilot drew."""
    base, of = base_of(run.lake, run.policy, month), tuple(path for files in lots.files for path in files.paths)
    whole = published_features(run, base)

    def make(only: Range, to: Path) -> None:
        if whole is None:
            base.anew(run.engine, only=only, to=to, among=of)
        else:
            take_features(run.engine, sorted(whole.glob("part-*.parquet")), only=only, to=to, among=of)

    content = run.lake.content("experiments", month, months=1, known=run.month)
    named = text_hash([base.made_from(), content])
    run.each_range(DRAWN, month, make, made_from=named, ranges=drawn_ranges(run, lots))


def risk_then(run: Run, month: Month) -> Placed:
    """The scores of a past month as they were published, where they told how likely each customer was to leave.

    A model learnt since then may have seen what became of those whom a pilot drew, as it is of the arm left alone.
    """
    made = next((p for p in run.past if p.month == month), None)
    if made is None or not _told_risk(made.manifest.get("model_card") or {}):
        return NOTHING
    return placed(made.parts("scores"))


def _told_risk(card: dict[str, Any]) -> bool:
    return bool(card.get("targets", {}).get("leave", {}).get("fitted"))


def drawn_ranges(run: Run, lots: Scan) -> list[Range]:
    """Ranges of so many of those drawn as a range else has of everybody."""
    drawn = sum(pq.read_metadata(path).num_rows for files in lots.files for path in files.paths)
    return cut(max(1, drawn), run.site.settings.range_customers)
