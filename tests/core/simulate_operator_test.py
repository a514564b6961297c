"""How the simulated operator steps from month to month, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.simulated import LAST, Simulated, decide, opened, simulate
from keepline.canonical import file_hash
from keepline.errors import SiteError
from keepline.lake import intake
from keepline.policy.documents import read_policy
from keepline.progress import Silent
from keepline.simulate import operator as operators
from keepline.simulate.opening import scaled
from keepline.simulate.operator import next_month, start_site
from keepline.tables import TABLES

PLANNED = 3  # index of the month whose plan the tests carry out


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Four months of 2,000 customers; the fifth and last is left to the tests."""
    root = tmp_path_factory.mktemp("story") / "site"
    site = opened(root, customers=2_000, months=5)
    for month in site.months[:-1]:
        next_month(root, month, decisions=None, assignments=None, progress=Silent())
    return site


@pytest.fixture
def copy(story: Simulated, tmp_path: Path) -> Simulated:
    shutil.copytree(story.root, tmp_path / "copy")
    return Simulated(tmp_path / "copy", story.months)


def hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): file_hash(p) for p in sorted(folder.rglob("*.parquet"))}


def make(site: Simulated, *, decisions: Path | None = None, assignments: Path | None = None) -> list[Path]:
    """Make the last month, after the plan given."""
    return next_month(
        site.root,
        LAST,
        decisions=[decisions] if decisions else None,
        assignments=[assignments] if assignments else None,
        progress=Silent(),
    )


def chosen(site: Simulated, offer_id: str, *, count: int) -> list[int]:
    """Customers whom the offer would help most."""
    gains = site.truth("gains", site.months[PLANNED])
    return gains[gains["offer_id"] == offer_id].nlargest(count, "gain_fen")["customer_id"].tolist()


def test_the_same_seed_gives_the_same_files_and_another_gives_others(tmp_path: Path) -> None:
    sites = [
        simulate(tmp_path / name, customers=300, months=3, seed=seed) for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    first, again, other = (hashes(site.root / "intake") for site in sites)
    assert first == again
    assert first != other


def test_a_month_interrupted_and_made_again_is_the_same(copy: Simulated) -> None:
    make(copy)
    before = hashes(copy.root / "intake" / "files" / str(LAST))
    (copy.root / "truth" / "state" / f"{LAST}.json").unlink()
    (copy.root / "intake" / "files" / str(LAST) / "bills.parquet").unlink()
    make(copy)
    assert hashes(copy.root / "intake" / "files" / str(LAST)) == before


def test_a_month_made_before_is_returned_as_it_is(copy: Simulated, tmp_path: Path) -> None:
    files = make(copy)
    before = hashes(copy.root / "intake")
    plan = decide(tmp_path / "plan.parquet", [1], month=copy.months[PLANNED], offer_id="data-gift", channel="sms")
    assert make(copy, decisions=plan) == files
    assert hashes(copy.root / "intake") == before


def test_months_are_made_in_order(copy: Simulated) -> None:
    with pytest.raises(SiteError, match="was not made before it"):
        next_month(copy.root, LAST + 2, decisions=None, assignments=None, progress=Silent())


def test_only_treated_customers_respond(story: Simulated, copy: Simulated, tmp_path: Path) -> None:
    treated = chosen(story, "data-gift", count=400)
    other = tmp_path / "untouched"
    shutil.copytree(copy.root, other)
    month = copy.months[PLANNED]
    make(copy, decisions=decide(tmp_path / "p", treated, month=month, offer_id="data-gift", channel="sms"))
    make(Simulated(other, copy.months))
    with_plan, without = copy.left(LAST, LAST), Simulated(other, copy.months).left(LAST, LAST)
    assert with_plan - set(treated) == without - set(treated)
    assert len(with_plan & set(treated)) < len(without & set(treated))


def test_deliveries_prove_the_plan_and_are_marketing_contacts(copy: Simulated, tmp_path: Path) -> None:
    treated = chosen(copy, "data-gift", count=400)
    month = copy.months[PLANNED]
    make(copy, decisions=decide(tmp_path / "p", treated, month=month, offer_id="data-gift", channel="sms"))
    rows = copy.rows("deliveries", LAST)
    assert set(rows["customer_id"]) <= set(treated)
    assert 0.93 < len(rows) / len(treated) < 1
    assert set(rows["plan_month"]) == {str(month)}
    assert set(rows["month"]) == {str(LAST)}
    offer = next(o for o in copy.policy.offers.offer if o.id == "data-gift")
    cost = offer.contact_cost_fen + offer.benefit_cost_fen * (rows["answer"] == "accepted")
    assert (rows["cost_fen"] == cost).all()
    contacts = copy.rows("contacts", LAST).query("purpose == 'marketing' and direction == 'out'")
    assert set(rows["customer_id"]) <= set(contacts["customer_id"])


def test_without_a_plan_nothing_is_delivered(copy: Simulated) -> None:
    make(copy)
    assert len(copy.rows("deliveries", LAST)) == 0


def test_a_bundle_sold_stands_in_the_lines_and_the_bill(copy: Simulated, tmp_path: Path) -> None:
    treated = chosen(copy, "bundle-broadband", count=400)
    month = copy.months[PLANNED]
    make(copy, decisions=decide(tmp_path / "p", treated, month=month, offer_id="bundle-broadband", channel="app"))
    sold = copy.rows("deliveries", LAST).query("answer == 'accepted'")["customer_id"]
    lines = pd.concat([copy.rows("lines", m) for m in (*copy.months, LAST)]).query("product == 'broadband'")
    stayed = set(sold) - copy.left(LAST, LAST)
    assert stayed
    assert stayed <= set(lines["customer_id"])  # a line is delivered anew only when it changes


def test_a_plan_of_another_month_is_refused(copy: Simulated, tmp_path: Path) -> None:
    plan = decide(tmp_path / "p", [1], month=copy.months[0], offer_id="data-gift", channel="sms")
    with pytest.raises(SiteError, match="follows the plan of"):
        make(copy, decisions=plan)


def test_a_plan_that_treats_a_held_out_customer_is_refused(copy: Simulated, tmp_path: Path) -> None:
    plan = decide(tmp_path / "p", [1, 2], month=copy.months[PLANNED], offer_id="data-gift", channel="sms")
    lots = tmp_path / "lots.parquet"
    pq.write_table(pa.table({"customer_id": [1, 2], "arm": ["treated", "held_out"]}), lots)
    with pytest.raises(SiteError, match="treats 1 customers whom the lot held out"):
        make(copy, decisions=plan, assignments=lots)


def test_an_offer_that_policy_does_not_know_is_refused(copy: Simulated, tmp_path: Path) -> None:
    plan = decide(tmp_path / "p", [1], month=copy.months[PLANNED], offer_id="moon-trip", channel="sms")
    with pytest.raises(SiteError, match="moon-trip"):
        make(copy, decisions=plan)


def test_without_its_truth_the_operator_makes_no_further_month(copy: Simulated) -> None:
    before = hashes(copy.root / "intake")
    shutil.rmtree(copy.root / "truth")
    with pytest.raises(SiteError, match="its truth was deleted"):
        make(copy)
    assert hashes(copy.root / "intake") == before


def test_files_bear_our_columns_and_the_operators_own_numbers(story: Simulated) -> None:
    for path in sorted((story.root / "intake" / "files").rglob("*.parquet")):
        schema = pq.read_schema(path)
        assert tuple(schema.names) == TABLES[path.stem].names
        if "customer_id" in schema.names:
            assert pq.read_table(path, columns=["customer_id"])["customer_id"][0].as_py().startswith("N0")


def test_organisations_have_people_who_decide_and_some_belong_together(story: Simulated) -> None:
    first = story.months[0]
    customers = story.rows("customers", first).set_index("customer_id")
    persons, heads = story.rows("contact_persons", first), story.rows("affiliations", first)
    assert set(persons["customer_id"]) == set(customers.index[customers["kind"] == "organisation"])
    assert (persons[persons["person_no"] == "1"]["role"] == "decides").all()
    assert persons["phone"].str.fullmatch("1549[0-9]{7}").all()
    assert len(heads) > 5
    above = {story.site.pseudonym(number) for number in heads["head_id"]}
    assert set(heads["customer_id"]) | above <= set(persons["customer_id"])
    assert not set(heads["customer_id"]) & above


def test_tables_as_of_a_month_deliver_only_what_changed(story: Simulated) -> None:
    first, second = story.months[:2]
    assert len(story.rows("customers", first)) == 2_000
    assert len(story.rows("customers", second)) < 200
    assert len(story.rows("lines", second)) < len(story.rows("lines", first)) / 4
    assert len(story.rows("plans", second)) == 0


def test_lines_add_up_to_the_recurring_charge(story: Simulated) -> None:
    first = story.months[0]
    prices = story.rows("plans", first).set_index("plan_id")["price_fen"]
    lines = story.rows("lines", first)
    charge = lines["plan_id"].map(prices).groupby(lines["customer_id"]).sum()
    billed = story.rows("bills", first).query("component == 'recurring'").set_index("customer_id")["amount_fen"]
    assert (charge[billed.index] == billed).all()


def test_who_left_is_not_heard_of_again(story: Simulated) -> None:
    gone = story.left(story.months[1], story.months[1])
    assert gone
    for table in ("bills", "usage", "payments", "customers", "complaints"):
        assert not gone & set(story.rows(table, story.months[2])["customer_id"])


def test_every_file_is_taken_in_whole(story: Simulated) -> None:
    site = story.site
    for month in story.months[:-1]:
        files = sorted((site.intake / "files" / str(month)).glob("*.parquet"))
        for report in intake.load(site, files):
            assert report.verdict == "accepted", report
            assert report.counts.set_aside == 0, report


def test_work_goes_by_blocks_and_numbers_stay_unique(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "BLOCK_CUSTOMERS", 240)
    site = simulate(tmp_path / "site", customers=600, months=3)
    everyone = pd.concat([site.rows("contact_details", month) for month in site.months])
    assert not everyone["customer_id"].duplicated().any()
    assert len(site.rows("customers", site.months[0])) == 600
    assert len(list((site.root / "truth" / "state" / str(LAST)).glob("part-*.parquet"))) == 3


def test_means_grow_with_the_operator_and_minutes_do_not(tmp_path: Path) -> None:
    start_site(tmp_path / "s", customers=200_000, months=8, last=LAST, seed=1, engine="duckdb")
    limits = read_policy(tmp_path / "s" / "policy", LAST).limits
    start_site(tmp_path / "t", customers=20_000, months=8, last=LAST, seed=1, engine="duckdb")
    usual = read_policy(tmp_path / "t" / "policy", LAST).limits
    assert limits.money_fen == 10 * usual.money_fen
    assert limits.channel_contacts == {name: 10 * n for name, n in usual.channel_contacts.items()}
    assert limits.manager_minutes_each == usual.manager_minutes_each


def test_scaling_touches_numbers_of_means_alone() -> None:
    text = "money_fen = 1000 # x\nheld_out_share = 0.1\n[channel_contacts]\nsms = 7\n"
    assert scaled(text, 0.1) == "money_fen = 100 # x\nheld_out_share = 0.1\n[channel_contacts]\nsms = 1\n"


@pytest.mark.parametrize(("customers", "months"), [(0, 8), (10_000_001, 8), (1000, 1)])
def test_a_size_out_of_bounds_is_refused(tmp_path: Path, customers: int, months: int) -> None:
    with pytest.raises(SiteError, match="simulated operator has"):
        start_site(tmp_path / "s", customers=customers, months=months, last=LAST, seed=1, engine="duckdb")


def test_a_site_is_not_opened_twice(tmp_path: Path) -> None:
    start_site(tmp_path / "s", customers=100, months=2, last=LAST, seed=1, engine="duckdb")
    with pytest.raises(SiteError, match="a site already"):
        start_site(tmp_path / "s", customers=100, months=2, last=LAST, seed=1, engine="duckdb")


def test_a_demo_site_says_that_nothing_is_real(story: Simulated) -> None:
    assert story.site.settings.simulated
    assert "模拟" in story.site.settings.data_note_zh
    assert "simulated" in story.site.settings.data_note_en
