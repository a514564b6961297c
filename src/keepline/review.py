"""Whether a site's policy is clear, and what in it will not do what its author may expect: ``policy check``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from keepline.lake.store import Lake, open_lake
from keepline.periods import Month
from keepline.policy.document import Text
from keepline.policy.documents import ANY_MONTH, KINDS, Policy, read_policy
from keepline.policy.retention import read_retention
from keepline.policy.service import read_service
from keepline.site import Site


@dataclass(frozen=True)
class Review:
    """A policy that reads well, with notes on lines that may surprise."""

    policy: Policy
    notes: tuple[Text, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "version": self.policy.version,
            "offers": [offer.id for offer in self.policy.offers.offer],
            "notes": [{"zh": note.zh, "en": note.en} for note in self.notes],
        }

    def text(self, lang: str) -> str:
        head = f"政策有效：{self.policy.version}" if lang == "zh" else f"The policy is clear: {self.policy.version}"
        return "\n".join([head, *(f"  · {note.zh if lang == 'zh' else note.en}" for note in self.notes)])


def review_policy(site: Site, month: Month | None) -> Review:
    """Read every policy file; raise PolicyError where one is unclear, or does not bind yet in ``month``."""
    policy, lake = read_policy(site.policy, month or ANY_MONTH), open_lake(site.lake)
    read_retention(site.policy)
    read_service(site.policy)  # binds no publication, but a mistake in it would stop the workbench
    months = lake.months("bills")
    latest = month or (months[-1] if months else None)
    return Review(policy, (*_not_yet(policy, latest), *_nobody_left_alone(policy), *_pilots(policy, lake)))


def _not_yet(policy: Policy, month: Month | None) -> list[Text]:
    """Files that do not bind yet in the latest month there is."""
    if month is None:
        return []
    return [
        Text(
            zh=f"{name}.toml 自 {document.valid_from} 起生效；{month} 用它无法运行",
            en=f"{name}.toml binds from {document.valid_from}: {month} cannot be run with it",
        )
        for name in KINDS
        if (document := getattr(policy, name)).valid_from > month.last_day
    ]


def _nobody_left_alone(policy: Policy) -> list[Text]:
    """Without customers left alone no plan can be measured."""
    if policy.limits.held_out_share > 0:
        return []
    return [
        Text(
            zh="held_out_share 为 0：没有对照客户，方案的成效将无法衡量；执行方案之后，离网概率准不准也无从评判",
            en="held_out_share is 0: nobody is left alone, so no plan can ever be measured, nor any forecast "
            "judged once a plan is carried out",
        )
    ]


def _pilots(policy: Policy, lake: Lake) -> tuple[Text, ...]:
    return (*_pilots_not_kept_apart(policy), *_pilots_unknown(policy, lake))


def _pilots_not_kept_apart(policy: Policy) -> list[Text]:
    """Running pilots whose customers the plan may treat too."""
    if policy.contact.running_pilot_stops or all(offer.effect.source == "assumed" for offer in policy.offers.offer):
        return []
    return [
        Text(
            zh="running_pilot_stops 为 false：试点期间其客户也会得到方案中的优惠，试点测出的只是此外多出的效果",
            en="running_pilot_stops is false: the plan also treats whom a running pilot measures, so the pilot finds "
            "only what its offer adds to that",
        )
    ]


def _pilots_unknown(policy: Policy, lake: Lake) -> list[Text]:
    """Offers whose effect comes from an experiment that no record speaks of."""
    known = _experiments(lake)
    return [
        Text(
            zh=f"优惠 {offer.id}：没有试点 {offer.effect.experiment_id} 的记录，载入之前不会有人得到它",
            en=f"offer {offer.id}: no record of experiment {offer.effect.experiment_id}; nobody gets it until then",
        )
        for offer in policy.offers.offer
        if offer.effect.source == "experiment" and (offer.id, offer.effect.experiment_id) not in known
    ]


def _experiments(lake: Lake) -> set[tuple[str, str]]:
    """Offer and experiment of every lot on record."""
    found: set[tuple[str, str]] = set()
    for file in lake.files:
        if file.table == "experiments":
            pairs = pq.read_table(lake.root / file.path, columns=["offer_id", "experiment_id"])
            rows = pairs.group_by(["offer_id", "experiment_id"]).aggregate([]).to_pylist()
            found |= {(row["offer_id"], row["experiment_id"]) for row in rows}
    return found
