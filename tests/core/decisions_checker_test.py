"""The checker passes a sound plan and names every rule that a tampered one breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from decisions_cast import GIFT, VISIT, Row, Stage, features_of, high, lake_of, lots, policy_with, stage, write
from decisions_plan_test import checked

from keepline import engine as engines
from keepline.decisions import checker
from keepline.errors import PublicationError
from keepline.holdout import is_held_out
from keepline.lake.store import Lake

LIMITS = {"money_fen": 9_000, "channel_contacts": {"sms": 10}, "held_out_share": 0.3, "held_out_salt": "s"}
MANAGERS = [{"manager_id": "M1", "month": "2026-10", "district": "D1", "visit_minutes": 60, "authority_fen": 90_000}]


@pytest.fixture
def made(tmp_path: Path) -> Stage:
    """Thirty customers; the first three have a manager who has an hour."""
    people = [features_of(i, value_fen=50_000 + 5_000 * i, manager_id="M1" if i < 4 else None) for i in range(1, 31)]
    engine = engines.start("duckdb", spill=tmp_path / "spill")
    ready = stage(engine, tmp_path, people, policy=policy_with(limits=LIMITS), managers=MANAGERS)
    ready.build()
    ready.decide()
    return ready


def change(made: Stage, table: str, alter: Callable[[list[Row]], list[Row]]) -> None:
    part = made.folder(table) / "part-00000.parquet"
    write(part, table, alter(pq.read_table(part).to_pylist()))


def first(state: str, /, **new: object) -> Callable[[list[Row]], list[Row]]:
    """Change the first row of a state."""

    def alter(rows: list[Row]) -> list[Row]:
        row = next(row for row in rows if row["state"] == state)
        return [r | new if r is row else r for r in rows]

    return alter


def every(**new: object) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [row | new for row in rows]


def treat(count: int, **new: object) -> Callable[[list[Row]], list[Row]]:
    """Treat ``count`` more customers who are below the cut."""
    done = {"state": "treated", "arm": "treated", "offer_id": "gift", "channel": "sms", "gain_fen": 1, "cost_fen": 310}

    def alter(rows: list[Row]) -> list[Row]:
        chosen = [row["customer_id"] for row in rows if row["state"] == "below_cut"][:count]
        assert len(chosen) == count
        return [row | done | new if row["customer_id"] in chosen else row for row in rows]

    return alter


def test_a_sound_plan_passes_every_check(made: Stage) -> None:
    found = checked(made)
    assert found["customers"] == 30
    assert all(check["breaches"] == 0 for check in found["checks"])
    assert {"money", "contacts", "hours", "lots"} <= {check["code"] for check in found["checks"]}


SENTENCES = {
    "one_row": "exactly one row",
    "known_state": "closed lists",
    "nothing_to_do": "exactly when nothing is done",
    "consent": "need consent",
    "blacklist": "blacklist",
    "arrears": "arrears are too old",
    "contact_rhythm": "caps and gaps",
    "complaints": "open complaint",
    "pilots": "running pilot",
    "eligible": "meets the offer's conditions",
    "in_catalogue": "of the catalogue",
    "gains": "are the candidates'",
    "assigned": "assignments and decisions agree",
    "has_candidate": "has a candidate that gains",
    "of_the_month": "carries its versions",
    "money": "money is within",
    "contacts": "contacts of each channel",
    "hours": "manager's minutes",
    "lots": "drawn by lot",
    "funnel": "add up to the base",
    "authority": "beyond its manager's authority",
}


@pytest.mark.parametrize(
    ("rule", "table", "alter"),
    [
        ("one_row", "decisions", lambda rows: rows[1:]),
        ("one_row", "decisions", lambda rows: [*rows, rows[0]]),
        ("one_row", "decisions", lambda rows: [*rows[1:], rows[0] | {"customer_id": 999}]),
        ("known_state", "decisions", first("below_cut", state="forgotten")),
        ("funnel", "decisions", first("below_cut", state="forgotten")),
        ("known_state", "decisions", first("held_out", arm=None)),
        ("nothing_to_do", "decisions", first("held_out", offer_id="gift")),
        ("nothing_to_do", "decisions", first("treated", channel=None)),
        ("of_the_month", "decisions", first("below_cut", month="2026-09")),
        ("of_the_month", "decisions", first("below_cut", policy_version="other")),
        ("in_catalogue", "decisions", first("treated", offer_id="unheard-of")),
        ("in_catalogue", "decisions", first("treated", channel="app")),
        ("gains", "decisions", first("treated", gain_fen=10**6)),
        ("gains", "decisions", first("treated", cost_fen=1)),
        ("has_candidate", "candidates", every(gain_fen=-1)),
        ("assigned", "assignments", lambda rows: rows[1:]),
        ("assigned", "assignments", every(offer_id="other")),
        ("assigned", "assignments", every(by_rule=False)),
        ("assigned", "assignments", every(margin_before_fen=1)),
        ("consent", "features", every(consent=None)),
        ("blacklist", "features", every(blacklisted=True)),
        ("arrears", "features", every(arrears_months=2)),
        ("contact_rhythm", "features", every(contacts_out_1m=2)),
        ("contact_rhythm", "features", every(days_since_contact=6)),
        ("contact_rhythm", "features", every(days_since_contact=9, contact_gap_days=10)),
        ("complaints", "features", every(complaints_open=1)),
        ("eligible", "features", every(kind="organisation")),
        ("money", "decisions", first("treated", cost_fen=9_001)),
        ("contacts", "decisions", treat(11)),
        ("hours", "decisions", treat(2, offer_id="visit", channel="visit", manager_id="M1")),
    ],
)
def test_a_tampered_table_is_refused_by_the_rule_it_breaks(
    made: Stage, rule: str, table: str, alter: Callable[[list[Row]], list[Row]]
) -> None:
    change(made, table, alter)
    with pytest.raises(PublicationError, match=SENTENCES[rule]) as refused:
        checked(made)
    assert "不予发布" in refused.value.zh


@pytest.mark.parametrize("at_once", [1, 8])
def test_parts_are_checked_together_however_many_are_looked_at_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Neither part passes the limit of messages by itself; a row in a part of another time is in no part."""
    monkeypatch.setattr(checker, "AT_ONCE", at_once)
    people = [features_of(i if i % 2 else high(i), value_fen=50_000 + 5_000 * i) for i in range(1, 41)]
    engine = engines.start("duckdb", spill=tmp_path / "spill")
    ready = stage(engine, tmp_path, people, policy=policy_with(limits=LIMITS), parts=2)
    ready.build()
    ready.decide()
    first, other = (ready.folder("decisions") / f"part-0000{n}.parquet" for n in (0, 1))
    rows, others = (pq.read_table(part).to_pylist() for part in (first, other))
    sms = [sum(row["channel"] == "sms" for row in part) for part in (rows, others)]
    assert checked(ready)["customers"] == 40
    assert max(sms) < sum(sms) == LIMITS["channel_contacts"]["sms"]  # type: ignore[index]
    write(first, "decisions", treat(1)(rows))
    with pytest.raises(PublicationError, match=SENTENCES["contacts"]):
        checked(ready)
    write(first, "decisions", rows[1:])
    write(other, "decisions", [*others, rows[0]])
    if at_once == 1:
        with pytest.raises(PublicationError, match=SENTENCES["one_row"]):
            checked(ready)
    else:
        assert checked(ready)["customers"] == 40


def test_a_customer_drawn_by_lot_may_not_be_treated(made: Stage) -> None:
    def alter(rows: list[Row]) -> list[Row]:
        drawn = next(r for r in rows if is_held_out(r["customer_id"], salt="s", share=0.3))
        treated = next(r for r in rows if r["state"] == "treated")
        return [treated | {"customer_id": r["customer_id"]} if r is drawn else r for r in rows]

    change(made, "decisions", alter)
    with pytest.raises(PublicationError, match=SENTENCES["lots"]):
        checked(made)


def test_an_offer_beyond_the_managers_authority_is_refused_unless_policy_allows_it(tmp_path: Path) -> None:
    engine = engines.start("duckdb", spill=tmp_path / "spill")
    people = [features_of(1, manager_id="M1")]
    allow = policy_with([VISIT], limits={"held_out_share": 0.0, "exceed_authority": "allow"})
    managers = [MANAGERS[0] | {"authority_fen": 5_999}]
    ready = stage(engine, tmp_path, people, policy=allow, managers=managers)
    ready.build()
    ready.decide()
    assert checked(ready)["checks"]
    ready.policy = policy_with([VISIT], limits={"held_out_share": 0.0})
    with pytest.raises(PublicationError, match=SENTENCES["authority"]):
        checked(ready)
    ready.lake = stage(engine, tmp_path / "bigger", people, managers=[MANAGERS[0] | {"authority_fen": 6_000}]).lake
    checked(ready)


@pytest.fixture
def one(tmp_path: Path) -> Stage:
    """One customer, treated; features and lots say nothing of a pilot."""
    engine = engines.start("duckdb", spill=tmp_path / "spill")
    ready = stage(engine, tmp_path, [features_of(1)], policy=policy_with(limits={"held_out_share": 0.0}))
    ready.build()
    ready.decide()
    return ready


def lots_drawn(ago: int | None, root: Path) -> Lake:
    """A lake that says the customer was drawn so many months ago."""
    return lake_of(root / str(ago), experiments=lots([features_of(1, months_since_lots=ago)]))


@pytest.mark.parametrize("ago", [0, 1])
def test_lots_on_record_refuse_a_plan_for_whoever_a_running_pilot_measures(
    one: Stage, tmp_path: Path, ago: int
) -> None:
    """The checker asks the lots themselves, not the feature that the gate goes by."""
    one.lake = lots_drawn(ago, tmp_path)
    assert one.policy.leaving.horizon_months == 2
    with pytest.raises(PublicationError, match=SENTENCES["pilots"]):
        checked(one)
    one.policy = policy_with(limits={"held_out_share": 0.0}, contact={"running_pilot_stops": False})
    assert checked(one)["customers"] == 1, "policy may say otherwise"


@pytest.mark.parametrize("ago", [2, 12, None])
def test_a_pilot_whose_window_is_over_keeps_nobody_out(one: Stage, tmp_path: Path, ago: int | None) -> None:
    one.lake = lots_drawn(ago, tmp_path)
    assert checked(one)["customers"] == 1


def test_nobody_is_kept_out_for_a_pilot_they_are_not_in(made: Stage) -> None:
    change(made, "decisions", first("below_cut", state="in_pilot"))
    with pytest.raises(PublicationError, match=SENTENCES["pilots"]):
        checked(made)


def test_a_publication_of_nobody_is_sound(tmp_path: Path) -> None:
    engine = engines.start("duckdb", spill=tmp_path / "spill")
    ready = stage(engine, tmp_path, [], policy=policy_with([GIFT]))
    ready.build()
    ready.decide()
    assert checked(ready)["customers"] == 0
