"""This month's customers beside the samples the models learnt from: which inputs have moved, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keepline.engine import Engine
from keepline.insight import drift
from keepline.insight.inputs import Shelf
from keepline.insight.samples import read_some
from keepline.insight.training import Models
from keepline.periods import Month
from keepline.policy.documents import Policy

Row = dict[str, Any]


def watch_inputs(
    engine: Engine,
    lake: Shelf,
    policy: Policy,
    models: Models,
    *,
    snapshot: Month,
    features: Sequence[Path],
    before: Row | None,
) -> Row:
    """The index of every input and what moved, JSON-able; ``before`` is what the publication before said."""
    said = policy.leaving
    if said.learn_from == "this_snapshot":
        return drift.quiet(drift.THE_SAME)
    if said.oversampled:
        return drift.quiet(drift.PICKED)
    if models.inputs is None:
        return drift.quiet(drift.NO_MODEL)
    rows = read_some(
        engine,
        lake,
        snapshot=snapshot,
        features=features,
        attributes=models.inputs.attributes,
        most=min(drift.CUSTOMERS_MAX, said.training_customers_max),
    )
    since = {row["input"]: row["since"] for row in (before or {}).get("moved", [])}
    return drift.moved(models.watched, models.inputs.matrix(rows), month=str(snapshot), before=since)
