"""A month opened once answers for many customers, to sellers in their words, and is opened again when it changed."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.decisions_cast import MONTH, features_of, policy_with, stage, write
from keepline import engine as engines
from keepline.decisions.explain import OF_SELLERS
from keepline.errors import KeeplineError, PublicationError
from keepline.front import Explaining
from keepline.inquiry import Inquiry, explain_customer
from keepline.lookup import write_lookup
from keepline.newsite import make_site
from keepline.publication import switch
from keepline.site import Site, open_site

MANAGED = tuple(range(50_010, 50_030))
ALONE = 50_040
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


def test_sellers_are_told_by_the_warm_front_what_the_whole_explanation_tells_them(site: Site) -> None:
    explaining, inquiry = Explaining(site, MONTH), Inquiry(site, MONTH)
    for who in MANAGED:
        told, whole = explaining.of(who), inquiry.of(who)
        assert told is not None
        assert whole is not None
        assert told == whole.to_dict("seller")
    shown = Inquiry(site, MONTH, only=OF_SELLERS).of(MANAGED[0])
    assert shown is not None
    assert whole is not None
    for lang in ("zh", "en"):
        assert shown.text(lang, "seller").replace(str(MANAGED[0]), "") == whole.text(lang, "seller").replace(
            str(MANAGED[-1]), ""
        )
    with pytest.raises(ValueError, match="not looked up"):
        shown.to_dict("analyst")


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
