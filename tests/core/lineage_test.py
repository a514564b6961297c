"""From which of the operator's columns a number comes: nothing published is without an origin, and none is made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from core.decisions_cast import GIFT, policy_with
from core.small_policy import small_policy
from keepline.decisions import change
from keepline.decisions import origins as decisions
from keepline.errors import KeeplineError
from keepline.insight import loyalty, reasons, value
from keepline.insight import origins as insight
from keepline.insight.cohorts import Cohort
from keepline.insight.inputs import NEVER
from keepline.lineage.stages import MAKERS, Stages
from keepline.lineage.walking import LAKE_NAMES, Lineage, trace
from keepline.measurement.origins import possible_rows
from keepline.newsite import make_site
from keepline.policy.documents import KINDS
from keepline.site import Site, open_site
from keepline.tables import TABLES

STAMPS = {"month", "plan_month", "policy_version"}  # written by the run itself
RATE = np.full(40, 0.05)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("lineage") / "site"
    make_site(root, name="test")
    return open_site(root)


@pytest.fixture(scope="module")
def stages(site: Site) -> Stages:
    return Stages(site)


def features(found: Lineage) -> set[str]:
    return {name.split(".")[1] for name in found.steps if name.startswith("features.")}


@pytest.mark.parametrize("table", MAKERS)
def test_every_published_column_ends_in_the_lake_or_in_policy(site: Site, stages: Stages, table: str) -> None:
    names = [name for name in TABLES[table].names if name not in STAMPS]
    found = {name: trace(site, f"{table}.{name}", stages=stages) for name in names}
    assert [name for name, one in found.items() if not one.lake and not one.policy] == []
    assert {end.split(".")[0] for one in found.values() for end in one.lake} <= LAKE_NAMES


def test_every_step_names_columns_that_are_declared(stages: Stages) -> None:
    named = {source for table in MAKERS for sources in stages.of(table).values() for source in sources}
    named |= {f"{table}.{name}" for table in MAKERS for name in stages.of(table)}
    pairs = [column.split(".") for column in sorted(named)]
    assert [(t, n) for t, n in pairs if t != "policy" and n not in TABLES[t].names] == []
    assert {n for t, n in pairs if t == "policy"} <= set(KINDS)


def test_a_column_nobody_declared_is_refused(site: Site) -> None:
    with pytest.raises(KeeplineError) as refusal:
        trace(site, "decisions.colour")
    assert refusal.value.code == "no_column"


def test_what_the_models_never_see_is_no_origin_of_what_they_say(site: Site) -> None:
    told = trace(site, "scores.leave_probability").steps["scores.leave_probability"]
    assert {f"features.{name}" for name in NEVER}.isdisjoint(told)
    assert "features.voice_change" in told


def test_after_a_publication_only_the_inputs_its_models_took_are_named() -> None:
    made = insight.scores(small_policy(), ["voice_change", "complaints_12m"])["leave_probability"]
    assert made == {
        "features.voice_change", "features.complaints_12m", "labels.left_within", "labels.alone_share",
    }  # fmt: skip
    assert "attributes.number" in insight.scores(small_policy(), ["voice_change", "热线评分"])["leave_probability"]


def test_niches_and_drivers_name_what_they_are_made_of(site: Site) -> None:
    read = features(trace(site, "niches.times"))
    assert {"data_3m_kb", "age_years", "plan_price_fen"} <= read
    assert {*NEVER, "margin_fen", "satisfaction", "revenue_fen"}.isdisjoint(read)
    said = next(driver for driver in Stages(site).policy.loyalty.driver if driver.name == "quality")
    evidence = {name for one in said.evidence for name in (one.feature, one.over) if name}
    told = trace(site, "drivers.quality").steps["drivers.quality"]
    assert set(told) == {f"features.{name}" for name in evidence}


def test_an_assumed_cost_comes_from_policy_and_a_measured_one_from_who_takes_the_offer(site: Site) -> None:
    assumed = decisions.candidates(policy_with([GIFT]), [])
    assert assumed["cost_fen"] == {"policy.offers"}
    assert {"scores.leave_probability", "scores.value_fen", "scores.expected_months"} <= assumed["gain_fen"]
    policy = policy_with([GIFT | {"effect": {"source": "experiment", "experiment_id": "trial"}}])
    measured = decisions.candidates(policy, possible_rows(policy))
    assert {"pilots.coefficient", "features.tenure_months", "scores.leave_probability"} < measured["cost_fen"]
    assert {"scores.value_fen", "pilots.mean_effect", "features.consent"}.isdisjoint(measured["cost_fen"])
    assert "pilots.mean_effect" in measured["gain_low_fen"] - measured["gain_fen"]
    found = trace(site, "candidates.channel")
    assert (found.lake, found.policy) == ([], ["offers.toml"])
    assert "offers.toml" in found.text("zh")
    assert "policy files" in found.text("en")


class Noted(Mapping[str, Any]):
    """Values by name, and which of them were asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values_, self.asked = values, set[str]()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def noted(names: tuple[str, ...]) -> Any:
    return Noted({name: np.ones(3) for name in names})


def test_what_loyalty_and_reasons_declare_is_what_they_read() -> None:
    policy = small_policy().loyalty
    column = noted(loyalty.CLASS_READS)
    loyalty.loyalty_class(column, np.ones(3), policy)
    assert column.asked == set(loyalty.CLASS_READS)
    column = noted(loyalty.KIND_READS)
    loyalty.loyalty_kind(column, policy)
    assert column.asked == set(loyalty.KIND_READS)
    column = noted(reasons.FACTS)
    for family in reasons.FAMILIES:
        if family.holds is not reasons._never:
            family.holds(column)
    assert column.asked == set(reasons.FACTS)


@pytest.mark.parametrize("name", value.MADE_OF)
def test_each_part_of_value_moves_with_the_columns_it_declares_and_with_no_other(name: str) -> None:
    chance = np.random.default_rng(5)
    ranges = {"margin_3m_fen": (9e3, 4e4), "months_billed": (6, 13), "tenure_months": (1, 60), "referrals_12m": (0, 4)}
    column = {read: chance.uniform(*ranges.get(read, (3e3, 1e5)), 40).round() for read in value.READS}
    model = value.ValueModel(
        3, 0.03, growth=(0.4, 0.3), noise_bands=(0.01, 0.2), error=(0.01, 0.05, 0.3), mean_margin_fen=9000.0,
        referral=(0.5, 40.0), cohort=Cohort((1.2, 9.0, 0.8), 3, 100, 20),
    )  # fmt: skip
    part = {"value_fen": "value", "value_low_fen": "low", "value_high_fen": "high"}.get(name, name.removesuffix("_fen"))

    def made(changed: dict[str, Any]) -> Any:
        return getattr(value.worth(model, small_policy().value, column=column | changed, monthly=RATE), part)

    moves = {read for read in value.READS if not np.array_equal(made({read: column[read][::-1]}), made({}))}
    assert moves == set(value.MADE_OF[name])


def test_what_candidates_declare_of_pilots_is_what_they_read() -> None:
    policy = policy_with([GIFT | {"effect": {"source": "experiment", "experiment_id": "trial"}}])
    rows = [Noted(row) for row in possible_rows(policy)]
    change.change_of(policy.offers.offer[0], rows)
    names = {"offer_id", "experiment_id", "outcome", "times", "term", "verdict"}
    assert set().union(*(row.asked for row in rows)) - names == {*change.LINE, *change.MEAN}
