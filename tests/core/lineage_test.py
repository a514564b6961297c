"""From which of the operator's columns a number comes: nothing published is without an origin."""

from __future__ import annotations

import pytest

from keepline.errors import KeeplineError
from keepline.lineage import LAKE_NAMES, STEPS, trace
from keepline.newsite import make_site
from keepline.site import Site, open_site
from keepline.tables import (
    ASSIGNMENTS,
    CANDIDATES,
    CLASSES,
    DECISIONS,
    EFFECTS,
    FEATURES,
    PILOTS,
    SCORES,
    TABLES,
    Table,
)

PUBLISHED = (FEATURES, CLASSES, SCORES, PILOTS, CANDIDATES, DECISIONS, ASSIGNMENTS, EFFECTS)
STAMPS = {"month", "policy_version"}  # written by the run itself


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("lineage") / "site"
    make_site(root, name="test")
    return open_site(root)


@pytest.mark.parametrize("table", PUBLISHED, ids=lambda table: table.name)
def test_every_published_column_ends_in_columns_of_the_lake(site: Site, table: Table) -> None:
    names = [name for name in table.names if name not in STAMPS]
    ends = {name: trace(site, f"{table.name}.{name}").lake for name in names}
    assert [n for n, lake in ends.items() if not lake or any(c.split(".")[0] not in LAKE_NAMES for c in lake)] == []


def test_every_step_names_columns_that_are_declared() -> None:
    named = {*STEPS, *(source for sources in STEPS.values() for source in sources)}
    pairs = [column.split(".") for column in sorted(named)]
    assert [(t, n) for t, n in pairs if n != "*" and n not in TABLES[t].names] == []


def test_a_column_nobody_declared_is_refused(site: Site) -> None:
    with pytest.raises(KeeplineError) as refusal:
        trace(site, "decisions.colour")
    assert refusal.value.code == "no_column"
