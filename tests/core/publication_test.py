"""A publication has one identity, one place, and is switched whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from keepline.assembly import demand_same_policy
from keepline.errors import PublicationError, SiteError
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.policy.documents import read_policy
from keepline.publication import alone, demand, find, identity, published, sweep_work, switch
from keepline.site import Settings, Site, open_site

MONTH = Month.parse("2026-10")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    make_site(tmp_path / "site", name="测试电信")
    return open_site(tmp_path / "site")


def test_work_of_a_published_month_is_let_go_of_whichever_engine_or_version_it_is(site: Site) -> None:
    folder = prepared(site, "a" * 64)
    switch(site, MONTH, folder)
    gone = [f"{MONTH}-{'a' * 16}-256", *(f"{MONTH}-{'a' * 16}-256-{name}" for name in ("duckdb", "spark"))]
    stays = [f"{MONTH + 1}-{'a' * 16}-256-duckdb", "spill-x"]
    for name in (*gone, *stays):
        (site.work / name).mkdir(parents=True)
    sweep_work(site)
    assert sorted(path.name for path in site.work.iterdir()) == sorted(stays)


def prepared(site: Site, publication_id: str) -> Path:
    folder = site.work / "publication"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"publication_id": publication_id}))
    return folder


def identity_of(**changes: object) -> str:
    settings = Settings.model_validate({"name": "x"} | changes)
    return identity(settings, month=MONTH, lake="lake", policies={"limits": "a"}, past=[])


def test_a_new_site_opens_and_its_policy_is_clear(site: Site) -> None:
    assert site.settings.name == "测试电信"
    assert read_policy(site.policy, MONTH).offers.offer


def test_a_site_is_never_written_over(site: Site) -> None:
    with pytest.raises(SiteError, match="nothing was changed"):
        make_site(site.root, name="other")


@pytest.mark.parametrize(
    "machine",
    [{"engine": "spark"}, {"threads": 9}, {"memory": "8GB"}, {"range_customers": 7}, {"spark": {"spark.cores.max": 4}}],
)
def test_the_machine_does_not_count_in_the_identity(machine: dict[str, object]) -> None:
    assert identity_of(**machine) == identity_of()


@pytest.mark.parametrize("meaning", [{"seed": 2}, {"simulated": True}, {"currency": "USD"}])
def test_what_decides_the_result_counts_in_the_identity(meaning: dict[str, object]) -> None:
    assert identity_of(**meaning) != identity_of()


def test_a_former_publication_is_kept_apart(site: Site) -> None:
    switch(site, MONTH, prepared(site, "a" * 64))
    switch(site, MONTH, prepared(site, "b" * 64))
    assert demand(site, MONTH).id == "b" * 64
    assert [path.name for path in (site.root / "superseded").iterdir()] == [f"2026-10-{'a' * 12}"]
    assert [found.month for found in published(site)] == [MONTH]


def test_a_kill_in_the_switch_loses_neither_publication(site: Site) -> None:
    switch(site, MONTH, prepared(site, "a" * 64))
    kept = site.root / "superseded" / f"2026-10-{'a' * 12}"
    kept.parent.mkdir()
    prepared(site, "b" * 64).replace(kept)  # as a kill before the exchange leaves it
    assert demand(site, MONTH).id == "a" * 64
    switch(site, MONTH, prepared(site, "b" * 64))
    assert demand(site, MONTH).id == "b" * 64
    assert json.loads((kept / "manifest.json").read_text())["publication_id"] == "a" * 64


def test_where_folders_cannot_change_places_in_one_step_the_former_is_kept_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.publication.EXCHANGE", 1 << 30)  # a flag no system knows
    for letter in "ab":
        switch(site, MONTH, prepared(site, letter * 64))
    assert demand(site, MONTH).id == "b" * 64
    assert [path.name for path in (site.root / "superseded").iterdir()] == [f"2026-10-{'a' * 12}"]
    assert list(site.work.iterdir()) == []


def test_an_unpublished_month_is_refused_with_those_there_are(site: Site) -> None:
    switch(site, MONTH, prepared(site, "a" * 64))
    assert find(site, MONTH + 1) is None
    with pytest.raises(PublicationError, match="published are: 2026-10"):
        demand(site, MONTH + 1)


def test_two_runs_at_once_are_refused(site: Site) -> None:
    with alone(site), pytest.raises(PublicationError, match="another run"), alone(site):
        pass


def test_a_policy_edited_while_a_month_is_made_publishes_nothing(site: Site, tmp_path: Path) -> None:
    policy, copy = read_policy(site.policy, MONTH), tmp_path / "copy"
    shutil.copytree(site.policy, copy)
    demand_same_policy(policy, copy, month=MONTH)
    path = copy / "limits.toml"
    path.write_text(path.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    with pytest.raises(PublicationError, match=r"2026-10 was made \(limits\)"):
        demand_same_policy(policy, copy, month=MONTH)
