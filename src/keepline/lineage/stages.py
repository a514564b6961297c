"""What the columns of each table are made of, as the stage that makes them says; a table is asked when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import pyarrow.parquet as pq

from keepline.decisions import origins as decisions
from keepline.features.build import column_origins, label_origins
from keepline.insight import origins as insight
from keepline.measurement import origins as measurement
from keepline.policy.documents import ANY_MONTH, Policy, read_policy
from keepline.policy.published import published_policy
from keepline.publication import Publication, published
from keepline.site import Site
from keepline.tables import FEATURES, PILOTS

Origins = dict[str, set[str]]
COUNTED: Origins = {  # where rows are counted or chosen, and no column is summed
    "features.complaints_12m": {"complaints.complaint_id"},
    "features.referrals_12m": {"referrals.referrer_id"},
    "labels.ported_within": {"departures.kind"},
    "labels.alone_share": {"deliveries.month", "approvals.used_on"},
}


class Stages:
    """The stages of a site: by its latest publication; where there is none, by its policy and all that may be read."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._told: dict[str, Origins] = {}

    def of(self, table: str) -> Origins:
        """By column of the table; a column that is not named is written by keepline itself."""
        if table not in self._told:
            found = MAKERS[table](self) if table in MAKERS else {}
            self._told[table] = {
                name: sources | COUNTED.get(f"{table}.{name}", set()) for name, sources in found.items()
            }
        return self._told[table]

    @cached_property
    def policy(self) -> Policy:
        if self.made is None:
            return read_policy(self.site.policy, ANY_MONTH)
        return published_policy(self.made.folder / "policy", self.made.month)

    @cached_property
    def made(self) -> Publication | None:
        return next(iter(reversed(published(self.site))), None)

    @cached_property
    def seen(self) -> list[str] | None:
        """The inputs that the models of the latest publication took; None where it does not say."""
        card = self.made.manifest.get("model_card") if self.made is not None else None
        return (card or {}).get("inputs")

    @cached_property
    def pilots(self) -> list[dict[str, Any]]:
        """What pilots found by the latest publication; where there is none like ours, all that they may find."""
        parts = self.made.parts("pilots") if self.made is not None else ()
        tables = [pq.read_table(part) for part in parts]
        if not tables or any(set(PILOTS.names) - set(table.column_names) for table in tables):
            return measurement.possible_rows(self.policy)
        return [row for table in tables for row in table.to_pylist()]


def _labels(stages: Stages) -> Origins:
    return label_origins(stages.policy.leaving.left_when)


MAKERS: dict[str, Callable[[Stages], Origins]] = {
    "features": lambda _: {name: column_origins(name) for name in FEATURES.names},
    "labels": _labels,
    "classes": lambda stages: insight.classes(stages.policy),
    "drivers": lambda stages: insight.drivers(stages.policy),
    "scores": lambda stages: insight.scores(stages.policy, stages.seen),
    "win_back": lambda _: insight.departed(),
    "niches": lambda _: insight.found_niches(),
    "circles": lambda _: insight.found_circles(),
    "price_sensitivity": lambda _: insight.price_sensitivity(),
    "pilots": lambda stages: measurement.pilots(stages.policy),
    "learners": lambda stages: measurement.learners(stages.policy),
    "looks": lambda stages: measurement.looked(stages.policy),
    "effects": lambda stages: measurement.effects(stages.policy),
    "candidates": lambda stages: decisions.candidates(stages.policy, stages.pilots),
    "decisions": lambda stages: decisions.decisions(stages.policy),
    "assignments": lambda _: decisions.assignments(),
    "schedule": lambda _: decisions.schedule(),
}
