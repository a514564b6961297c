"""The ground under every stage: months, sites, pseudonyms, policy files, conditions, hashes."""

from __future__ import annotations

import datetime as dt
import pickle
import stat
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from keepline.canonical import table_hash, text_hash
from keepline.decisions import words
from keepline.engine import ID_SPACE
from keepline.errors import KeeplineError, PolicyError, SiteError, TooFewError
from keepline.holdout import held_out, is_held_out, threshold
from keepline.periods import Month, months_between
from keepline.policy.conditions import Condition, all_hold
from keepline.policy.documents import KINDS, Limits, read_policy
from keepline.policy.published import published_policy
from keepline.site import KEY_FILE, open_site, pseudonym, write_key
from keepline.tables import CHANNELS, LAKE, PUBLISHED, STAGES, TABLES, Personal, Type

MONTHS = st.integers(min_value=1900 * 12, max_value=2999 * 12 + 11).map(Month)
STARTER = Path(__file__).parents[2] / "src" / "keepline" / "policy" / "starter"
OCTOBER = Month.parse("2026-10")


# months


@given(MONTHS)
def test_a_month_is_read_as_it_is_written(month: Month) -> None:
    assert Month.parse(str(month)) == month


@given(MONTHS, st.integers(min_value=-600, max_value=600))
def test_differences_are_months(month: Month, months: int) -> None:
    assert (month + months) - month == months
    assert (month + months > month) == (months > 0)


@given(st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2999, 12, 31)))
def test_a_day_lies_within_its_month_alone(day: dt.date) -> None:
    month = Month.of(day)
    assert month.first_day <= day <= month.last_day
    assert (month + -1).last_day < month.first_day
    assert (month + 1).first_day > month.last_day


def test_a_year_ends_and_begins_where_it_should() -> None:
    december = Month.parse("2026-12")
    assert str(december + 1) == "2027-01"
    assert str(Month.parse("2027-01") + -1) == "2026-12"
    assert Month.parse("2028-02").last_day == dt.date(2028, 2, 29)
    assert Month.parse("2027-02").last_day == dt.date(2027, 2, 28)


def test_months_between_holds_both_ends_and_nothing_when_reversed() -> None:
    first, last = Month.parse("2026-11"), Month.parse("2027-01")
    assert [str(month) for month in months_between(first, last)] == ["2026-11", "2026-12", "2027-01"]
    assert months_between(first, first) == [first]
    assert months_between(last, first) == []


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "202610", "2026-10-01", " 2026-10", "", "二〇二六", "0000-01", "9999-12"]
)
def test_what_is_not_a_billing_month_is_refused_in_both_languages(text: str) -> None:
    with pytest.raises(KeeplineError, match="YYYY-MM") as refusal:
        Month.parse(text)
    assert "账期" in refusal.value.zh
    assert refusal.value.code == "bad_month"


# sites


def site_with(root: Path, settings: str) -> Path:
    (root / "keepline.toml").write_text(settings, encoding="utf-8")
    return root


def test_a_site_opens_with_stated_defaults(tmp_path: Path) -> None:
    site = open_site(site_with(tmp_path, 'name = "示例"\n'))
    assert (site.settings.engine, site.settings.currency, site.settings.simulated) == ("duckdb", "CNY", False)
    assert site.published(OCTOBER) == tmp_path / "published" / "2026-10"


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ('name = "x"\nengin = "duckdb"', "engin"),
        ('name = "x"\nengine = "postgres"', "engine"),
        ('name = "x"\nseed = -1', "seed"),
        ('name = "x"\nseed = "1"', "seed"),
        ('name = "x"\nmemory = "lots"', "memory"),
        ('name = "x"\nrange_customers = 0', "range_customers"),
        ('currency = "CNY"', "name"),
        ("name = ", "TOML"),
    ],
)
def test_a_setting_that_is_not_understood_is_refused_with_its_place(tmp_path: Path, settings: str, place: str) -> None:
    with pytest.raises(SiteError, match=place) as refusal:
        open_site(site_with(tmp_path, settings))
    assert "keepline.toml" in refusal.value.en
    assert "keepline.toml" in refusal.value.zh
    assert any("\u4e00" <= letter <= "\u9fff" for letter in refusal.value.zh)


def test_a_folder_without_settings_is_told_how_to_become_a_site(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="keepline init") as refusal:
        open_site(tmp_path)
    assert "keepline init" in refusal.value.zh


# pseudonyms


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=30))
def test_a_pseudonym_is_62_bits_never_zero_and_stable(key: bytes, number: str) -> None:
    one = pseudonym(key, number)
    assert 0 < one < 1 << 62
    assert one == pseudonym(key, number)


def test_a_pseudonym_is_the_same_for_ever() -> None:
    """Found with openssl; a change here would cut every customer off from their past."""
    assert pseudonym(bytes(32), "13800000000") == 2325710698005673573
    assert pseudonym(bytes(32), "13800000001") != pseudonym(bytes(32), "13800000000")
    assert pseudonym(b"\1" * 32, "13800000000") != pseudonym(bytes(32), "13800000000")


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    site = open_site(site_with(tmp_path, 'name = "x"\n'))
    key = site.key()
    path = tmp_path / "secrets" / KEY_FILE
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert open_site(tmp_path).key() == key
    assert [file.name for file in path.parent.iterdir()] == [KEY_FILE]


def test_a_key_that_is_given_is_kept(tmp_path: Path) -> None:
    write_key(tmp_path, b"k" * 32)
    assert open_site(site_with(tmp_path, 'name = "x"\n')).key() == b"k" * 32


# lots


def test_a_share_of_lots_is_held_out_and_none_or_half_where_asked() -> None:
    lots = [is_held_out(customer, salt="s", share=0.1) for customer in range(1, 20_001)]
    assert 0.09 < sum(lots) / len(lots) < 0.11
    assert not any(is_held_out(customer, salt="s", share=0.0) for customer in range(1, 1001))
    assert threshold(0.5) == "80000000"


@pytest.mark.parametrize("salt", ["autumn-3", "盐" * 30, "x" * 36, "x" * 37, "x" * 56])
def test_the_lots_of_many_are_the_lots_of_each(salt: str) -> None:
    """Salts that leave the text just within and just beyond a block of MD5."""
    many = np.concatenate([np.arange(300), ID_SPACE - 1 - np.arange(300), np.geomspace(1, 2**61, 300).astype(np.int64)])
    for share in (0.0, 0.1, 0.5):
        each = [is_held_out(who, salt=salt, share=share) for who in many.tolist()]
        assert held_out(many, salt=salt, share=share).tolist() == each


def test_a_larger_share_holds_out_the_same_and_more() -> None:
    few = {c for c in range(1, 5001) if is_held_out(c, salt="s", share=0.1)}
    more = {c for c in range(1, 5001) if is_held_out(c, salt="s", share=0.2)}
    other = {c for c in range(1, 5001) if is_held_out(c, salt="t", share=0.1)}
    assert few < more
    assert few != other


# policy files


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    for path in STARTER.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def put_first(folder: Path, name: str, line: str) -> None:
    path = folder / f"{name}.toml"
    path.write_text(f"{line}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def test_the_starter_asks_no_consent_where_the_customer_comes_to_us_and_says_so_beside_it() -> None:
    contact = read_policy(STARTER, OCTOBER).contact
    assert set(CHANNELS) - set(contact.consent_needed_channels) == {"hotline", "shop", "visit"}
    lines = (STARTER / "contact.toml").read_text(encoding="utf-8").splitlines()
    above = "\n".join(lines[: next(i for i, line in enumerate(lines) if line.startswith("consent_needed"))])
    assert 'call out? Then add "hotline"' in above
    assert '对外呼出，请加上 "hotline"' in above
    assert words.CHANNELS["hotline"].zh == "热线（来电时）"


def test_the_starter_policy_is_clear_and_stamped(policy: Path) -> None:
    read = read_policy(policy, OCTOBER)
    assert set(read.hashes) == set(KINDS)
    assert all(f"{name}:{getattr(read, name).version}" in read.version for name in KINDS)


@pytest.mark.parametrize("name", list(KINDS))
def test_an_unknown_key_is_refused_with_its_file_and_place(policy: Path, name: str) -> None:
    put_first(policy, name, "colour_of_the_bike_shed = 1")
    with pytest.raises(PolicyError, match=rf"(?s){name}\.toml.*colour_of_the_bike_shed") as refusal:
        read_policy(policy, OCTOBER)
    assert refusal.value.code == "policy_unclear"
    assert "有误" in refusal.value.zh


def test_a_change_of_one_byte_changes_the_stamp(policy: Path) -> None:
    before = read_policy(policy, OCTOBER).version
    put_first(policy, "limits", "# agreed on Monday")
    assert read_policy(policy, OCTOBER).version != before


def test_a_policy_binds_from_its_day_on_and_not_before(policy: Path) -> None:
    path = policy / "limits.toml"
    said = read_policy(policy, OCTOBER).limits.valid_from.isoformat()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"valid_from = {said}", "valid_from = 2026-10-31"), encoding="utf-8")
    assert read_policy(policy, OCTOBER).limits.valid_from == dt.date(2026, 10, 31)
    path.write_text(text.replace(f"valid_from = {said}", "valid_from = 2026-11-01"), encoding="utf-8")
    with pytest.raises(PolicyError, match="limits") as refusal:
        read_policy(policy, OCTOBER)
    assert refusal.value.code == "policy_not_yet"


def test_an_absent_file_is_told_how_to_come_by(policy: Path) -> None:
    (policy / "offers.toml").unlink()
    with pytest.raises(PolicyError, match="keepline init") as refusal:
        read_policy(policy, OCTOBER)
    assert refusal.value.code == "policy_absent"


def limits(**changes: Any) -> Limits:
    said: dict[str, Any] = {"version": "1", "valid_from": "2026-01-01", "money_fen": 0}
    return Limits.model_validate(said | {"held_out_share": 0.1, "held_out_salt": "a"} | changes)


@pytest.mark.parametrize(
    ("key", "last_right", "first_wrong"),
    [("held_out_share", 0.5, 0.51), ("held_out_share", 0.0, -0.01), ("money_fen", 0, -1), ("money_fen", 1, 1.5)],
)
def test_a_limit_is_held_at_its_border(key: str, last_right: float, first_wrong: float) -> None:
    assert getattr(limits(**{key: last_right}), key) == last_right
    with pytest.raises(ValueError, match=key):
        limits(**{key: first_wrong})


def test_money_in_policy_is_whole_fen() -> None:
    for kind in KINDS.values():
        money = {name: field for name, field in kind.model_fields.items() if name.endswith("_fen")}
        assert all("float" not in str(field.annotation) for field in money.values())


# conditions


ROWS: list[dict[str, Any]] = [
    {"revenue_fen": 29, "industry": "gov", "consent": True},
    {"revenue_fen": 30, "industry": "bank", "consent": False},
    {"revenue_fen": 31, "industry": "", "consent": None},
    {"revenue_fen": None, "industry": None, "consent": None},
]


def holds(*conditions: dict[str, Any]) -> list[bool]:
    """Whether the conditions together hold for each of the rows, asked of the engine."""
    tree = all_hold([Condition.model_validate(said) for said in conditions], "r")
    schema = pa.schema([("revenue_fen", pa.int64()), ("industry", pa.string()), ("consent", pa.bool_())])
    with duckdb.connect() as database:
        database.register("r", pa.Table.from_pylist(ROWS, schema=schema))
        return [row[0] for row in database.execute(exp.select(tree).from_("r").sql("duckdb")).fetchall()]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"feature": "revenue_fen", "at_least": 30}, [False, True, True, False]),
        ({"feature": "revenue_fen", "above": 30}, [False, False, True, False]),
        ({"feature": "revenue_fen", "at_most": 30}, [True, True, False, False]),
        ({"feature": "revenue_fen", "below": 30}, [True, False, False, False]),
        ({"feature": "revenue_fen", "at_least": 29.5, "below": 31}, [False, True, False, False]),
        ({"feature": "revenue_fen", "missing": True}, [False, False, False, True]),
        ({"feature": "revenue_fen", "missing": False}, [True, True, True, False]),
        ({"feature": "industry", "one_of": ["gov", "bank"]}, [True, True, False, False]),
        ({"feature": "industry", "none_of": ["gov"]}, [False, True, True, True]),
        ({"feature": "consent", "true": True}, [True, False, False, False]),
        ({"feature": "consent", "true": False}, [False, True, False, False]),
    ],
)
def test_a_condition_holds_where_it_should_and_never_is_null(condition: dict[str, Any], wanted: list[bool]) -> None:
    assert holds(condition) == wanted


def test_conditions_hold_together_and_none_holds_always() -> None:
    both = ({"feature": "revenue_fen", "at_least": 29}, {"feature": "consent", "true": True})
    assert holds(*both) == [True, False, False, False]
    assert holds() == [True] * 4


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"feature": "revenue", "at_least": 1}, "not known"),
        ({"feature": "revenue_fen"}, "asks nothing"),
        ({"feature": "industry", "at_least": 1}, "not a number"),
        ({"feature": "revenue_fen", "one_of": ["1"]}, "not a code"),
        ({"feature": "industry", "true": True}, "not a yes/no"),
        ({"feature": "revenue_fen", "at_leest": 1}, "at_leest"),
        ({"feature": "kind", "none_of": ["organization"]}, "never 'organization'; write organisation; its codes are"),
        ({"feature": "risk_band", "one_of": ["high", "High"]}, "never 'High'; write high; its codes are high, medium"),
        ({"feature": "listed_class", "one_of": ["vip"]}, "never 'vip'; its codes are important, key, potential"),
        ({"feature": "revenue_fen", "at_least": float("nan")}, "finite"),
    ],
)
def test_a_condition_that_does_not_fit_its_feature_is_refused(condition: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Condition.model_validate(condition)


def test_a_code_that_no_customer_can_have_is_refused_of_a_site_and_let_be_in_what_is_published(policy: Path) -> None:
    path = policy / "offers.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('one_of = ["person"]', 'one_of = ["Person"]', 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"offers\.toml is not clear") as refused:
        read_policy(policy, OCTOBER)
    assert "kind is never 'Person'; write person" in refused.value.en
    assert "kind 没有代码 Person；请写 person；可用：person、organisation" in refused.value.zh
    assert published_policy(policy, OCTOBER).offers.offer


# hashes


def test_a_hash_of_a_value_does_not_know_the_order_of_keys() -> None:
    assert text_hash({"a": 1, "b": "甲"}) == text_hash({"b": "甲", "a": 1})
    assert text_hash({"a": 1}) != text_hash({"a": "1"})


def bills(path: Path, amounts: list[int | None]) -> Path:
    count = len(amounts)
    rows = {"customer_id": list(range(count)), "month": ["2026-10"] * count, "component": ["recurring"] * count}
    pq.write_table(pa.table(rows | {"amount_fen": amounts}, schema=TABLES["bills"].arrow), path)
    return path


def test_a_hash_tells_nothing_from_zero(tmp_path: Path) -> None:
    zero, nothing = bills(tmp_path / "a", [0]), bills(tmp_path / "b", [None])
    assert table_hash([zero], TABLES["bills"]) != table_hash([nothing], TABLES["bills"])


@given(cut=st.integers(min_value=0, max_value=6))
def test_a_hash_does_not_know_where_parts_were_cut(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("cut")
    whole = pq.read_table(bills(folder / "whole", [5, None, 0, -7, 1 << 52, 3]))
    for name, part in (("a", whole.slice(0, cut)), ("b", whole.slice(cut))):
        pq.write_table(part, folder / name)
    table = TABLES["bills"]
    assert table_hash([folder / "a", folder / "b"], table) == table_hash([folder / "whole"], table)


# errors and declarations


def test_a_refusal_keeps_both_languages_between_processes() -> None:
    refusal = pickle.loads(pickle.dumps(TooFewError("99 customers, needs 100", "99 个客户，需要 100", code="few")))
    assert (refusal.en, refusal.zh, refusal.code) == ("99 customers, needs 100", "99 个客户，需要 100", "few")
    assert isinstance(refusal, TooFewError)


@pytest.mark.parametrize("table", [*LAKE, *STAGES, *PUBLISHED], ids=lambda table: table.name)
def test_a_table_is_declared_whole(table: Any) -> None:
    assert len(set(table.names)) == len(table.names)
    assert {*table.key, *table.required} <= set(table.names)
    assert all(column.en and column.zh for column in table.columns)
    for column in table.columns:
        if column.name.endswith("_fen") and not column.name.endswith("_slope_fen"):
            assert (column.type, column.unit) == (Type.BIGINT, "fen"), column.name


def test_what_reaches_a_person_lies_in_two_tables_alone() -> None:
    tables = {name for name, table in TABLES.items() if any(c.personal is Personal.RESTRICTED for c in table.columns)}
    assert tables == {"contact_details", "contact_persons"}
