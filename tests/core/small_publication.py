"""A small publication folder for the report's tests: seeded tables in two parts, with every state, and its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.engine import ID_SPACE, ranges
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
        "risk_band": band.tolist(),
        "reason_1": [REASONS[pick[0]] if q >= 0.03 else None for pick, q in zip(picks, p, strict=True)],
        "reason_2": [REASONS[pick[1]] if q >= 0.06 else None for pick, q in zip(picks, p, strict=True)],
        "reason_3": [REASONS[pick[2]] if q >= 0.10 else None for pick, q in zip(picks, p, strict=True)],
        "model_version": ["leaving-7c1d"] * n,
    }


def decision_rows(dice: np.random.Generator, ids: list[int], features: Columns) -> Columns:
    share = (0.02, 0.16, 0.02, 0.05, 0.08, 0.02, 0.14, 0.02, 0.1, 0.04, 0.14, 0.21)
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
    """Past plans: one measured, one too small, one whose window is open, one never delivered."""
    told = {"month": MONTH, "treated": 1240, "held_out": 141, "delivered": 1180, "cost_fen": 410_000, "needed": None}
    margin = told | {"measure": "margin", "treated_mean": 8120.0, "held_out_mean": 7410.0, "difference": 710.0}
    nothing = {"treated_mean": None, "held_out_mean": None, "difference": None, "low": None, "high": None}
    return [
        margin
        | {
            "plan_month": "2026-06",
            "offer_id": "*",
            "low": 240.0,
            "high": 1180.0,
            "earned_fen": 470_400,
            "verdict": "measured",
        },
        margin
        | {
            "plan_month": "2026-06",
            "offer_id": "care-call",
            "low": -90.0,
            "high": 1510.0,
            "earned_fen": 91_000,
            "treated": 310,
            "held_out": 35,
            "verdict": "measured",
        },
        told
        | {
            "plan_month": "2026-06",
            "offer_id": "*",
            "measure": "retention",
            "treated_mean": 0.961,
            "held_out_mean": 0.934,
            "difference": 0.027,
            "low": 0.004,
            "high": 0.05,
            "earned_fen": None,
            "verdict": "measured",
        },
        told
        | nothing
        | {
            "plan_month": "2026-06",
            "offer_id": "manager-visit",
            "measure": "margin",
            "treated": 22,
            "held_out": 3,
            "needed": 412,
            "verdict": "too_few",
        },
        told
        | nothing
        | {"plan_month": "2026-07", "offer_id": "*", "measure": "margin", "delivered": 0, "verdict": "no_delivery"},
        told | nothing | {"plan_month": "2026-09", "offer_id": "*", "measure": "margin", "verdict": "window_open"},
    ]


def _some(dice: np.random.Generator, values: Any, unknown: float) -> list[Any]:
    return [None if d < unknown else v.item() for d, v in zip(dice.random(len(values)), values, strict=True)]


def manifest(**changes: Any) -> dict[str, Any]:
    """What the pipeline knows of the small publication."""
    said: dict[str, Any] = {
        "month": MONTH,
        "publication_id": "2026-10-3f9c2ab41d07",
        "engine": "duckdb",
        "seed": 1,
        "simulated": True,
        "name": "清河通信 Qinghe Telecom",
        "currency": "CNY",
        "data_note_zh": "",
        "data_note_en": "",
        "previous_month": BEFORE,
        "inputs": [{"path": "bills-2026-10.csv", "sha256": "9d" * 32, "rows": 1841}],
        "policies": [{"name": "classes", "version": "2025-1", "sha256": "ab" * 32}],
        "tables": {"decisions": {"rows": 600, "sha256": "cd" * 32}},
        "model_card": card(),
        "plan": plan_summary(),
        "check": {"limits": 9, "breaches": 0},
        "pilots": pilot_rows(),
        "effects": effect_rows(),
        "judgement": judgement_rows(),
        "win_back": win_back_rows(),
        "lacking": [
            {
                "table": "survey_answers",
                "zh": "没有问卷：忠诚判断缺少留网意愿，情感依附只能由产品数推断",
                "en": "no surveys: loyalty is judged without stated intention",
            },
            {
                "table": "call_edges",
                "zh": "没有交往圈：不知道亲友离网的影响",
                "en": "no calling graph: the pull of peers who left is not known",
            },
        ],
        "intake": [
            {
                "path": "bills-2026-10.csv",
                "read": 1850,
                "loaded": 1841,
                "updated": 0,
                "unchanged": 0,
                "ignored": 2,
                "set_aside": 7,
            },
            {
                "path": "customers.xlsx",
                "read": 612,
                "loaded": 10,
                "updated": 4,
                "unchanged": 598,
                "ignored": 0,
                "set_aside": 0,
            },
        ],
        "durations": {"features": 1.2},
    }
    return said | changes


def tenth_rows() -> list[dict[str, Any]]:
    """A model that is nearly right: the highest tenth first, as judgement writes them."""
    predicted = (0.31, 0.17, 0.12, 0.09, 0.07, 0.05, 0.04, 0.03, 0.02, 0.01)
    observed = (0.34, 0.18, 0.10, 0.09, 0.06, 0.06, 0.03, 0.03, 0.01, 0.01)
    return [
        {"tenth": i + 1, "customers": 540, "predicted": p, "observed": o, "low": max(0.0, o - 0.03), "high": o + 0.03}
        for i, (p, o) in enumerate(zip(predicted, observed, strict=True))
    ]


def card() -> dict[str, Any]:
    """A card with one model that was learnt, two that were refused, and words for the reasons."""
    return {
        "version": "leaving-7c1d",
        "targets": {
            "leave": {
                "customers": 5400,
                "events": 492,
                "refused": None,
                "fitted": True,
                "validation": validation(),
            },
            "port_out": refused("数据中没有这一结果的记录，无法训练", "the data do not record this outcome"),
            "downgrade": refused(
                "只有 21 件，至少需要 30 件", "only 21 events; at least 30 are needed", events=21, customers=5400
            ),
        },
        "snapshots": [{"month": "2026-07", "customers": 5400}],
        "value": {
            "zh": "毛利变化与区间由历史快照学得",
            "en": "margin change and interval were learnt from past snapshots",
        },
        "notes": [],
        "lacked": [{"zh": "问卷满意度：全部未知", "en": "satisfaction: not known of anyone", "input": "satisfaction"}],
        "words": {"reasons": REASON_WORDS},
    }


def refused(zh: str, en: str, *, events: int = 0, customers: int = 0) -> dict[str, Any]:
    told = {"customers": customers, "events": events, "fitted": False, "validation": None}
    return told | {"refused": {"zh": zh, "en": en}}


def validation() -> dict[str, Any]:
    rows = [{"customers": r["customers"], "predicted": r["predicted"], "happened": r["observed"]} for r in tenth_rows()]
    return {
        "method": "time_ordered",
        "zh": "用更早的快照训练，在最近一个已知结果的快照上检验",
        "en": "trained on earlier snapshots, judged on the latest one whose outcome is known",
        "customers": 5400,
        "events": 492,
        "auc": {"value": 0.792, "low": 0.771, "high": 0.811},
        "brier": {"value": 0.0712, "low": 0.068, "high": 0.0744},
        "calibration_slope": {"value": 0.97, "low": 0.9, "high": 1.05},
        "top_decile_lift": 3.6,
        "calibration": rows,
    }


def plan_summary() -> dict[str, Any]:
    """What the allocation reports: limits with prices, bounds, minutes by district and manager."""
    districts = [f"D{i}" for i in range(1, 7)]
    prices = dict.fromkeys(districts, 0.0) | {"D2": 12_050.0, "D4": 31_000.0}
    limits: list[dict[str, Any]] = [
        limit("money", "fen", (1_000_000, 987_300, 1.37), "维系费用", "money"),
        limit("contacts:sms", "contacts", (60, 60, 212.0), "短信触达次数", "contacts by SMS"),
        limit("contacts:app", "contacts", (500, 41, 0.0), "手机应用触达次数", "contacts by app"),
    ]
    for name in districts:
        used = 3600 if prices[name] else 2580
        limits.append(
            limit(
                f"hours:{name}",
                "minutes",
                (3600, used, prices[name]),
                f"客户经理工时（{name}）",
                f"manager hours in {name}",
            )
        )
    return {
        "limits": limits,
        "dual_value_fen": 431_210,
        "primal_value_fen": 430_800,
        "gap_share": 0.00095,
        "comparison": {"without_limits_fen": 612_000, "ranked_by_risk_fen": 288_000},
        "offers": [{"offer_id": offer, "assumed": offer == "manager-visit"} for offer in OFFERS],
        "by_district": [
            {"district": name, "minutes_used": 2580, "minutes_available": 3600, "shadow_price_hour_fen": prices[name]}
            for name in districts
        ],
        "by_manager": [
            {"manager_id": f"M{d}0{i}", "district": f"D{d}", "minutes_available": 1200, "shadow_price_hour_fen": 0.0}
            for d in range(1, 7)
            for i in (1, 2, 3)
        ],
    }


def limit(name: str, unit: str, amounts: tuple[float, float, float], zh: str, en: str) -> dict[str, Any]:
    available, used, price = amounts
    return {
        "limit": name,
        "unit": unit,
        "available": available,
        "used": used,
        "shadow_price": price,
        "zh": zh,
        "en": en,
    }


def pilot_rows() -> list[dict[str, Any]]:
    """A pilot with an effect, one without, one too small."""
    told = {"experiment_id": "pilot-care-call", "term": "intercept", "treated": 900, "held_out": 880, "lots_p": 0.4}
    ends = {"mean_effect": None, "low": None, "high": None}
    return [
        told
        | {
            "offer_id": "care-call",
            "outcome": "leave",
            "mean_effect": -0.012,
            "low": -0.021,
            "high": -0.003,
            "verdict": "measured",
        },
        told
        | {
            "offer_id": "care-call",
            "outcome": "margin",
            "mean_effect": 120.0,
            "low": -30.0,
            "high": 270.0,
            "verdict": "no_effect",
        },
        told | ends | {"offer_id": "data-gift", "outcome": "leave", "verdict": "too_few"},
    ]


def judgement_rows() -> list[dict[str, Any]]:
    """One past publication whose horizon is over, one whose is not."""
    figures = {
        "auc": {"value": 0.774, "low": 0.742, "high": 0.803},
        "calibration_slope": {"value": 0.94, "low": 0.84, "high": 1.04},
        "brier": 0.0708,
        "top_tenth_lift": 3.2,
        "tenths": tenth_rows(),
    }
    said = {
        "zh": "2026-07 的概率在未接受优惠的客户上评判",
        "en": "the probabilities of 2026-07, judged on the untreated",
    }
    told = {"plan_month": "2026-07", "month": "2026-10", "verdict": "judged", "customers": 590, "left": 51}
    later = {"plan_month": "2026-09", "month": "2026-12", "verdict": "window_open"}
    ends = {
        "zh": "2026-09 的预测期到 2026-12 才结束，暂不评判",
        "en": "the horizon of 2026-09 ends with 2026-12; not judged before",
    }
    return [told | said | figures, later | ends]


def win_back_rows(listed: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Reasons recorded of those who left; each comes with customers, which no report may show."""
    people = [{"customer_id": i, "month": BEFORE, "kind": "left", "margin_3m_fen": 9000} for i in listed]
    return [
        {"reason": "price", "zh": "价格", "en": "price", "customers": 14, "margin_3m_fen": 61_200, "listed": people},
        {
            "reason": "unrecorded",
            "zh": "未记录原因",
            "en": "no reason recorded",
            "customers": 9,
            "margin_3m_fen": 20_100,
            "listed": [],
        },
    ]
