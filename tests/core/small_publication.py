"""A small publication folder for the report's tests: seeded tables in two parts, with every state, and its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.engine import ID_SPACE, ranges
from keepline.policy.drivers import DRIVERS
from keepline.tables import STATES, TABLES

MONTH, BEFORE = "2026-10", "2026-09"
OFFERS = {
    "renew-contract": ("hotline", 0),
    "data-gift": ("sms", 0),
    "bundle-broadband": ("app", 0),
    "care-call": ("manager_call", 15),
    "manager-visit": ("visit", 90),
}
REASON_WORDS = {
    "falling_use": {"zh": "用量较前两月下降", "en": "use has fallen against the two months before"},
    "contract_ends": {"zh": "合约已到期或三个月内到期", "en": "the contract has ended or ends within three months"},
    "complaints": {"zh": "近一年有投诉", "en": "complained within the last twelve months"},
    "arrears": {"zh": "有欠费或近半年曾欠费", "en": "owes money or did within six months"},
    "short_tenure": {"zh": "入网不满两年", "en": "has been with us for less than two years"},
}
REASONS = tuple(REASON_WORDS)
Columns = dict[str, list[Any]]


def publish(root: Path, *, customers: int = 600, seed: int = 5) -> Path:
    """Write all folders of a publication of ``customers`` customers and return its root."""
    dice = np.random.default_rng(seed)
    ids = sorted({int(i) for i in dice.integers(1, ID_SPACE, customers)})
    features = feature_rows(dice, ids)
    scores = score_rows(dice, ids, features)
    decisions = decision_rows(dice, ids, features)
    tables = {
        "features": features,
        "classes": class_rows(dice, ids, features),
        "scores": scores,
        "drivers": driver_rows(np.random.default_rng(seed + 1), ids),
        "price_sensitivity": price_rows(np.random.default_rng(seed + 2), ids),
        "circles": circle_rows(np.random.default_rng(seed + 3), ids),
        "decisions": decisions,
        "assignments": assignment_rows(ids, features, decisions),
    }
    for name, rows in tables.items():
        write_parts(root / name, name, rows)
    write_rows(root / "effects" / "part-00000.parquet", "effects", effect_rows())
    return root


def write_parts(folder: Path, name: str, rows: Columns) -> None:
    whole = _table(name, rows)
    ids = np.array(rows["customer_id"])
    for part in ranges(2, 1):
        _write(whole.filter(pa.array((ids >= part.low) & (ids < part.high))), folder / part.part)


def write_rows(path: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    _write(_table(name, {key: [row.get(key) for row in rows] for key in TABLES[name].names}), path)


def _table(name: str, rows: Columns) -> pa.Table:
    table = TABLES[name]
    count = len(next(iter(rows.values())))
    return pa.table({c: rows.get(c, [None] * count) for c in table.names}, schema=table.arrow)


def _write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def driver_rows(dice: np.random.Generator, ids: list[int]) -> Columns:
    made: Columns = {"customer_id": ids, "month": [MONTH] * len(ids)}
    for name in DRIVERS:
        known = dice.random(len(ids)) < 0.8
        score = np.round(dice.random(len(ids)), 6)
        made[name] = [float(value) if there else None for value, there in zip(score, known, strict=True)]
        made[f"{name}_known"] = known.astype(float).tolist()
    return made


def price_rows(dice: np.random.Generator, ids: list[int]) -> Columns:
    """Of some nothing is known; of the others intervals of every strength."""
    value, half = np.round(dice.uniform(-2, 0.2, len(ids)), 6), np.round(dice.uniform(0.1, 0.7, len(ids)), 6)
    basis = dice.choice(["own", "segment", "unknown"], len(ids), p=[0.3, 0.4, 0.3])
    known = basis != "unknown"
    return {
        "customer_id": ids,
        "month": [MONTH] * len(ids),
        "basis": basis.tolist(),
        "elasticity": [float(v) if there else None for v, there in zip(value, known, strict=True)],
        "low": [float(v) if there else None for v, there in zip(value - half, known, strict=True)],
        "high": [float(v) if there else None for v, there in zip(value + half, known, strict=True)],
        "quotes": np.where(basis == "own", dice.integers(4, 12, len(ids)), 0).tolist(),
    }


def circle_rows(dice: np.random.Generator, ids: list[int]) -> Columns:
    """Two circles, a small one of the first eight; whoever is in none talks with somebody all the same."""
    inside = dice.random(len(ids)) < 0.6
    number = [2 if place < 8 else 1 if there else None for place, there in enumerate(inside)]
    sizes = {of: number.count(of) for of in (1, 2)}
    return {
        "customer_id": ids,
        "month": [MONTH] * len(ids),
        "circle": number,
        "circle_size": [sizes.get(of) for of in number],
        "ties": dice.integers(1, 30, len(ids)).tolist(),
        "influence": np.round(dice.gamma(1.0, 1.0, len(ids)), 6).tolist(),
        "circle_callers": [None if of is None else int(n) for of, n in
                           zip(number, dice.integers(0, 7, len(ids)), strict=True)],
        "leader": [of is not None and place % 25 == 0 for place, of in enumerate(number)],
        "gatekeeper": (dice.random(len(ids)) < 0.1).tolist(),
        "circle_left_3m": [None if of is None else 3 for of in number],
        "leader_left_3m": [None if of is None else False for of in number],
        "brought_12m": dice.poisson(0.1, len(ids)).tolist(),
    }  # fmt: skip


def feature_rows(dice: np.random.Generator, ids: list[int]) -> Columns:
    n = len(ids)
    revenue = np.round(np.exp(dice.normal(8.6, 1.1, n))).astype(int)
    margin = np.round(revenue * dice.uniform(0.35, 0.6, n)).astype(int)
    managed = dice.random(n) < 0.35
    district = [f"D{1 + int(d)}" for d in dice.integers(0, 6, n)]
    return {
        "customer_id": ids,
        "month": [MONTH] * n,
        "kind": ["organisation" if d < 0.1 else "person" for d in dice.random(n)],
        "district": [None if d < 0.02 else name for d, name in zip(dice.random(n), district, strict=True)],
        "manager_id": [
            f"M{d[1]}0{1 + i % 3}" if m else None for i, (d, m) in enumerate(zip(district, managed, strict=True))
        ],
        "consent": [bool(d < 0.8) if d < 0.95 else None for d in dice.random(n)],
        "tenure_months": _some(dice, dice.integers(0, 190, n), 0.03),
        "months_to_birthday": _some(dice, dice.integers(0, 12, n), 0.3),
        "revenue_fen": [0 if d < 0.03 else int(r) for d, r in zip(dice.random(n), revenue, strict=True)],
        "revenue_3m_fen": [int(r) * 3 for r in revenue],
        "revenue_change": _some(dice, np.round(dice.normal(0, 0.2, n), 4), 0.05),
        "margin_fen": margin.tolist(),
        "margin_3m_fen": (margin * 3).tolist(),
        "data_change": _some(dice, np.round(dice.normal(0, 0.3, n), 4), 0.1),
        "complaints_3m": dice.poisson(0.1, n).tolist(),
        "arrears_fen": [0] * n,
        "contract_months_left": _some(dice, dice.integers(-12, 24, n), 0.4),
        "lines": (1 + dice.poisson(0.3, n)).tolist(),
        "products": (1 + dice.poisson(0.4, n)).tolist(),
    }


def class_rows(dice: np.random.Generator, ids: list[int], features: Columns) -> Columns:
    order = ("ordinary", "potential", "key", "important")
    revenue = np.array(features["revenue_3m_fen"])
    now = np.select([np.array(features["kind"]) == "organisation", revenue > 60000, revenue > 35000], [3, 2, 1], 0)
    step = dice.choice([-1, 0, 1], size=len(ids), p=[0.06, 0.88, 0.06])
    before = np.clip(now - step, 0, 3)
    new = dice.random(len(ids)) < 0.03
    moves = np.where(new, "new", np.where(before == now, "same", np.where(before < now, "up", "down")))
    rules = {
        "ordinary": (None, "不满足任何规则", "meets no rule"),
        "potential": ("growing", "收入不低且在增长，尚未列入大客户", "sizeable, growing, not yet a key account"),
        "key": ("high-fee", "近三月收入达到重点大客户标准", "three months' revenue reaches the key-account standard"),
        "important": (
            "vital-lines",
            "党政军、安全、新闻、金融、应急单位",
            "government, press, finance or emergency line",
        ),
    }
    return {
        "customer_id": ids,
        "month": [MONTH] * len(ids),
        "class": [order[i] for i in now],
        "previous_class": [None if fresh else order[i] for fresh, i in zip(new, before, strict=True)],
        "move": moves.tolist(),
        "rule": [rules[order[i]][0] for i in now],
        "reason_zh": [rules[order[i]][1] for i in now],
        "reason_en": [rules[order[i]][2] for i in now],
    }


def score_rows(dice: np.random.Generator, ids: list[int], features: Columns) -> Columns:
    n = len(ids)
    p = np.round(np.clip(dice.beta(1.1, 12, n), 0.001, 0.9), 9)
    value = np.round(np.array(features["margin_fen"]) * 12 * (1 - 0.5 * p)).astype(int)
    band = np.select([p >= 0.15, p >= 0.06], ["high", "medium"], "low")
    picks = [dice.permutation(len(REASONS))[:3] for _ in ids]
    return {
        "customer_id": ids,
        "month": [MONTH] * n,
        "value_fen": value.tolist(),
        "value_low_fen": (value * 7 // 10).tolist(),
        "value_high_fen": (value * 13 // 10).tolist(),
        "persistence_fen": (value * 8 // 10).tolist(),
        "growth_fen": (value // 10).tolist(),
        "word_of_mouth_fen": (value // 10).tolist(),
        "expected_months": np.round(12 * (1 - p / 2), 6).tolist(),
        "loyalty": dice.choice(["loyal", "general", "wavering", "unknown"], n, p=[0.35, 0.42, 0.18, 0.05]).tolist(),
        "loyalty_kind": dice.choice(["attachment", "inertia", "price", "unknown"], n, p=[0.3, 0.4, 0.2, 0.1]).tolist(),
        "leave_probability": p.tolist(),
        "port_out_probability": np.round(p * 0.3, 9).tolist(),
        "downgrade_probability": _some(dice, np.round(dice.beta(1, 20, n), 9), 0.2),
        "leave_monthly": np.round(1 - (1 - p) ** (1 / 3), 9).tolist(),
        **{f"stay_{months}m": np.round((1 - p) ** (months / 3), 9).tolist() for months in (1, 3, 6, 12, 24)},
        "risk_band": band.tolist(),
        "reason_1": [REASONS[pick[0]] if q >= 0.03 else None for pick, q in zip(picks, p, strict=True)],
        "reason_2": [REASONS[pick[1]] if q >= 0.06 else None for pick, q in zip(picks, p, strict=True)],
        "reason_3": [REASONS[pick[2]] if q >= 0.10 else None for pick, q in zip(picks, p, strict=True)],
        "model_version": ["leaving-7c1d"] * n,
    }


def decision_rows(dice: np.random.Generator, ids: list[int], features: Columns) -> Columns:
    share = (0.02, 0.16, 0.02, 0.05, 0.08, 0.02, 0.02, 0.12, 0.02, 0.1, 0.04, 0.14, 0.21)
    states = [STATES[i] for i in dice.choice(len(STATES), len(ids), p=share)]
    names = list(OFFERS)
    offers = [
        _offer(names, int(i), manager)
        for i, manager in zip(dice.integers(0, 5, len(ids)), features["manager_id"], strict=True)
    ]
    treated = [state == "treated" for state in states]
    gain = dice.gamma(2.0, 1500, len(ids)).round().astype(int) + 50
    arms = {"treated": "treated", "held_out": "held_out"}
    return {
        "customer_id": ids,
        "month": [MONTH] * len(ids),
        "state": states,
        "arm": [arms.get(state) for state in states],
        "offer_id": [offer if yes else None for offer, yes in zip(offers, treated, strict=True)],
        "channel": [OFFERS[offer][0] if yes else None for offer, yes in zip(offers, treated, strict=True)],
        "manager_id": features["manager_id"],
        "reason": ["most_gain" if yes else state for state, yes in zip(states, treated, strict=True)],
        "gain_fen": [int(g) if yes else None for g, yes in zip(gain, treated, strict=True)],
        "cost_fen": [int(g) // 4 if yes else None for g, yes in zip(gain, treated, strict=True)],
        "policy_version": ["classes:2025-1#1a2b3c4d"] * len(ids),
        "model_version": ["leaving-7c1d"] * len(ids),
    }


def _offer(names: list[str], pick: int, manager: str | None) -> str:
    return names[pick] if manager or pick < 3 else names[pick - 3]


def assignment_rows(ids: list[int], features: Columns, decisions: Columns) -> Columns:
    kept = [i for i, arm in enumerate(decisions["arm"]) if arm]
    return {
        "customer_id": [ids[i] for i in kept],
        "month": [MONTH] * len(kept),
        "arm": [decisions["arm"][i] for i in kept],
        "offer_id": [decisions["offer_id"][i] or "data-gift" for i in kept],
        "by_rule": [True] * len(kept),
        "gain_fen": [decisions["gain_fen"][i] or 900 for i in kept],
        "margin_before_fen": [features["margin_3m_fen"][i] for i in kept],
    }


def effect_rows() -> list[dict[str, Any]]:
    """Past plans: measured, too small, its window open, never delivered."""
    counts = {"month": MONTH, "treated": 1240, "held_out": 141, "delivered": 1180, "cost_fen": 410_000}
    found = {"treated_mean": 8120.0, "held_out_mean": 7410.0, "difference": 710.0, "low": 240.0, "high": 1180.0}
    margin = counts | found | {"measure": "margin", "earned_fen": 470_400, "verdict": "measured"}
    silent = counts | {"measure": "margin"}
    june = {"plan_month": "2026-06"}
    retention = {"treated_mean": 0.961, "held_out_mean": 0.934, "difference": 0.027, "low": 0.004, "high": 0.05}
    return [
        margin | june | {"offer_id": "*"},
        margin | june | {"offer_id": "care-call", "low": -90.0, "high": 1510.0, "treated": 310, "held_out": 35},
        counts | june | retention | {"offer_id": "*", "measure": "retention", "verdict": "measured"},
        silent
        | june
        | {"offer_id": "manager-visit", "treated": 22, "held_out": 3, "needed": 412, "verdict": "too_few"},
        silent | {"plan_month": "2026-07", "offer_id": "*", "delivered": 0, "verdict": "no_delivery"},
        silent | {"plan_month": "2026-09", "offer_id": "*", "verdict": "window_open"},
    ]


def _some(dice: np.random.Generator, values: Any, unknown: float) -> list[Any]:
    return [None if d < unknown else v.item() for d, v in zip(dice.random(len(values)), values, strict=True)]
