"""A month opened once answers for many customers, to sellers in their words, and is opened again when it changed."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.decisions_cast import MONTH, features_of, policy_with, stage, write
from core.small_publication import publish
from keepline import engine as engines
from keepline.decisions.explain import OF_SELLERS
from keepline.errors import KeeplineError, PublicationError, SiteError
from keepline.front import Explaining
from keepline.inquiry import Inquiry, explain_customer
from keepline.lookup import write_lookup
from keepline.newsite import make_site
from keepline.policy.documents import read_policy
from keepline.publication import parts_of, switch
from keepline.site import KEY_FILE, Site, open_site, write_key

MANAGED = tuple(range(50_010, 50_030))
ALONE = 50_040
PRICES = {"unit": 1000, "money": 1400, "contacts": {"sms": 3_000}, "minutes": {}}
TABLES = ("features", "scores", "classes", "candidates", "decisions", "assignments")


def prepared(site: Site, publication_id: str, **facts: object) -> Path:
    """A publication of a few customers, ready to be switched to."""
    folder = site.work / "publication"
    people = [features_of(who, manager_id="M1", **facts) for who in MANAGED] + [features_of(ALONE, **facts)]
    engine = engines.start("duckdb")
    made = stage(engine, folder, people, policy=policy_with())
    made.build()
    plan = made.decide()
    engine.close()
    named = {"class": "key", "reason_zh": "月租高", "reason_en": "high fee", "month": str(MONTH)}
    rows = [named | {"customer_id": row["customer_id"]} for row in people]
    write(folder / "classes" / "part-00000.parquet", "classes", rows)
    shutil.copytree(site.policy, folder / "policy")
    said = {"publication_id": publication_id * 64, "plan": plan, "lookup": write_lookup(folder, TABLES)}
    (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Site:
    make_site(tmp_path / "site", name="x")
    write_key(tmp_path / "site", b"k" * 32)
    made = open_site(tmp_path / "site")
    switch(made, MONTH, prepared(made, "a"))
    return made


def test_sellers_are_told_of_managed_customers_alone_and_of_no_arm(site: Site) -> None:
    explaining = Explaining(site, MONTH)
    told = explaining.of(MANAGED[0]) or {}
    assert told["class"] == "key"
    assert told["profile"]["manager_id"] == "M1"
    assert not {"arm", "chosen_by_prices", "gain_fen"} & set(told)
    assert explaining.of(ALONE) is None
    assert explaining.of(1) is None
    assert Inquiry(site, MONTH).of(ALONE) is not None


@pytest.fixture
def rich(tmp_path: Path) -> Site:
    """Every state, drivers, answers to price, circles, and an offer or two for each."""
    make_site(tmp_path / "rich", name="x")
    site = open_site(tmp_path / "rich")
    folder = publish(site.published(MONTH), customers=200)
    for part in parts_of(folder / "features"):
        rows = [
            {"customer_id": who, "offer_id": offer, "channel": "sms", "gain_fen": who % 9_000, "gain_low_fen": 5,
             "gain_high_fen": 9_999, "cost_fen": 70, "minutes": 0, "assumed": False}
            for who in pq.read_table(part)["customer_id"].to_pylist() for offer in ("data-gift", "renew-contract")
        ]  # fmt: skip
        write(folder / "candidates" / part.name, "candidates", rows)
    for part in parts_of(folder / "decisions"):  # whose reasons are made up
        told = [row | {"reason": "outbid"} for row in pq.read_table(part).to_pylist()]
        write(part, "decisions", told)
    shutil.copytree(site.policy, folder / "policy")
    price = {"by_lot": 9, "aimed": 8, "left_out": 7}
    said = {"publication_id": "c" * 64, "price": price, "plan": {"prices": PRICES, "by_manager": []}}
    (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    return site


def test_sellers_are_told_by_the_warm_front_what_the_whole_explanation_tells_them(rich: Site) -> None:
    """Though it looks up only what they read: a column more that they are told of has to stand in ``OF_SELLERS``."""
    explaining, whole, short = Explaining(rich, MONTH), Inquiry(rich, MONTH), Inquiry(rich, MONTH, only=OF_SELLERS)
    folder, managed = rich.published(MONTH), 0
    for who in pq.read_table(folder / "features")["customer_id"].to_pylist():
        known, shown = whole.of(who), short.of(who)
        assert known is not None
        assert shown is not None
        assert shown.to_dict("seller") == known.to_dict("seller")
        assert [shown.text(lang, "seller") for lang in ("zh", "en")] == [
            known.text(lang, "seller") for lang in ("zh", "en")
        ]
        if known.features["manager_id"] is not None:
            assert explaining.of(who) == known.to_dict("seller")
            managed += 1
    assert managed > 40


def test_a_month_of_an_older_version_answers_too(rich: Site) -> None:
    """Without a lookup, and with pilots told in fewer words than today."""
    path = rich.published(MONTH) / "manifest.json"
    who = pq.read_table(path.parent / "features")["customer_id"][0].as_py()
    now = Inquiry(rich, MONTH).of(who)
    experiment = rich.published(MONTH) / "policy" / "offers.toml"
    assert 'source = "experiment"' in experiment.read_text(encoding="utf-8")
    told = {"term": "intercept", "coefficient": 0.1, "verdict": "measured"}
    offers = [offer.id for offer in read_policy(rich.policy, MONTH).offers.offer]
    pilots = [told | {"offer_id": of, "outcome": what} for of in offers for what in ("leave", "margin", "taken")]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pilots": pilots}), encoding="utf-8")
    assert Inquiry(rich, MONTH).of(who) == now


def test_what_analysts_read_is_not_told_where_it_was_not_looked_up(site: Site) -> None:
    shown = Inquiry(site, MONTH, only=OF_SELLERS).of(MANAGED[0])
    assert shown is not None
    for tell in (shown.to_dict, shown.text):
        with pytest.raises(ValueError, match="not looked up"):
            tell(face="analyst")


def test_several_threads_are_answered_alike(site: Site) -> None:
    explaining = Explaining(site, MONTH)
    one_by_one = [explaining.of(who) for who in MANAGED]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(explaining.of, MANAGED * 5)) == one_by_one * 5


def test_a_month_published_anew_is_opened_again(site: Site) -> None:
    inquiry = Inquiry(site, MONTH)
    was = inquiry.of(MANAGED[0])
    switch(site, MONTH, prepared(site, "b", tenure_months=99))
    now = inquiry.of(MANAGED[0])
    assert was is not None
    assert now is not None
    assert (was.features["tenure_months"], now.features["tenure_months"]) == (30, 99)


def test_a_damaged_part_is_refused_and_not_taken_for_nobody(site: Site) -> None:
    inquiry = Inquiry(site, MONTH)
    part = site.published(MONTH) / "scores" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(PublicationError, match=r"scores/part-00000\.parquet") as refused:
        inquiry.of(MANAGED[0])
    assert refused.value.code == "damaged_file"


def test_a_customer_is_asked_for_by_pseudonym_or_refused_by_name(site: Site) -> None:
    assert explain_customer(site, str(MANAGED[3]), MONTH).customer_id == MANAGED[3]
    for unknown in ("nobody", "9" * 19, "0"):
        with pytest.raises(KeeplineError, match=f"customer {unknown} is not in the base"):
            explain_customer(site, unknown, MONTH)


def test_without_its_key_a_month_answers_by_pseudonym_and_no_key_is_made_for_a_number(site: Site) -> None:
    (site.root / "secrets" / KEY_FILE).unlink()
    assert explain_customer(site, str(MANAGED[3]), MONTH).customer_id == MANAGED[3]
    with pytest.raises(SiteError, match="is absent, and what this site holds"):
        explain_customer(site, "13800138000", MONTH)
    assert not (site.root / "secrets" / KEY_FILE).exists()
