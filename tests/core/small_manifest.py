"""What the pipeline knows of the small publication: a manifest with a model card, a plan's summary and judgements."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from core.small_publication import BEFORE, MONTH, OFFERS, REASON_WORDS, effect_rows
from keepline.engine import Engine
from keepline.periods import Month
from keepline.policy.documents import Policy, read_policy
from keepline.report.figures import figures
from keepline.site import Settings


def manifest(**changes: Any) -> dict[str, Any]:
    """The manifest as the pipeline hands it to the report; ``changes`` replace single entries."""
    said: dict[str, Any] = {
        "month": MONTH,
        "publication_id": "3f9c2ab41d07e655a1",
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
        "check": {"limits": 9, "breaches": 0},
    }
    return said | measured() | collected() | changes


def measured() -> dict[str, Any]:
    return {
        "model_card": card() | {"who_responds": learner_rows()},
        "plan": plan_summary(),
        "pilots": pilot_rows(),
        "effects": effect_rows(),
        "judgement": judgement_rows(),
        "win_back": win_back_rows(),
    }


def collected() -> dict[str, Any]:
    """Intake of two files, and two tables that are lacking."""
    names = ("path", "read", "loaded", "updated", "unchanged", "ignored", "set_aside")
    files = [("bills-2026-10.csv", 1850, 1841, 0, 0, 2, 7), ("customers.xlsx", 612, 10, 4, 598, 0, 0)]
    return {
        "lacking": [
            {
                "table": "survey_answers",
                "zh": "没有问卷：忠诚只看行为",
                "en": "no surveys: loyalty is judged by behaviour alone",
            },
            {
                "table": "call_edges",
                "zh": "没有交往圈：不知道亲友离网的影响",
                "en": "no calling graph: the pull of peers is not known",
            },
        ],
        "intake": [dict(zip(names, file, strict=True)) for file in files],
    }


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
        limit("channel:sms", "contacts", (60, 60, 212.0), "短信触达次数", "contacts by SMS"),
        limit("channel:app", "contacts", (500, 41, 0.0), "手机应用触达次数", "contacts by app"),
    ]
    return {
        "limits": limits,
        "dual_value_fen": 431_210,
        "primal_value_fen": 430_800,
        "gap_share": 0.00095,
        "comparison": {"without_limits_fen": 612_000, "ranked_by_risk_fen": 288_000},
        "offers": [{"offer_id": offer, "assumed": offer == "manager-visit"} for offer in OFFERS],
        "by_district": [
            {
                "district": name,
                "minutes_used": 3600 if prices[name] else 2580,
                "minutes_available": 3600,
                "shadow_price_hour_fen": prices[name],
            }
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
        told
        | {"held_out": 0, "offer_id": "care-call", "outcome": "taken", "verdict": "measured"}
        | {"mean_effect": 0.081, "low": 0.066, "high": 0.096},
        told | ends | {"offer_id": "data-gift", "outcome": "leave", "verdict": "too_few"},
    ]


def learner_rows() -> list[dict[str, Any]]:
    """Two ways that cannot be told apart, and one that ranks worse."""
    said = {"offer_id": "care-call", "experiment_id": "pilot-care", "outcome": "leave", "error": 0.0011}
    return [
        said | {"learner": "plain", "qini": 0.0021, "chosen": True, "kept": 0.64},
        said | {"learner": "share", "qini": 0.0029, "chosen": True, "kept": 0.64},
        said | {"learner": "line", "qini": -0.0004, "chosen": False, "kept": None},
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
        "zh": "2026-07 的概率在抽签留作对照的客户上评判",
        "en": "the probabilities of 2026-07, judged on those left alone",
    }
    told = {"plan_month": "2026-07", "month": "2026-10", "verdict": "judged", "customers": 590, "left": 51}
    later = {"plan_month": "2026-09", "month": "2026-12", "verdict": "window_open"}
    ends = {
        "zh": "2026-09 的预测期到 2026-12 才结束，暂不评判",
        "en": "the horizon of 2026-09 ends with 2026-12; not judged before",
    }
    return [told | said | figures, later | ends]


def win_back_rows() -> list[dict[str, Any]]:
    """Reasons recorded of those who left."""
    return [
        {"reason": "price", "customers": 14, "margin_3m_fen": 61_200},
        {"reason": "unrecorded", "customers": 9, "margin_3m_fen": 20_100},
    ]


def starter_policy() -> Policy:
    """The policy a new site starts from."""
    return read_policy(Path(str(resources.files("keepline.policy").joinpath("starter"))), Month.parse(MONTH))


def figures_of(engine: Engine, folder: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Figures of a small publication, through JSON as a publication keeps them."""
    settings = Settings(name=said["name"], currency=said["currency"], simulated=said["simulated"])
    made = figures(engine, folder, manifest=said, policy=starter_policy(), settings=settings)
    kept: dict[str, Any] = json.loads(json.dumps(made, sort_keys=True, ensure_ascii=False, allow_nan=False))
    return kept
