"""The model card: what was learnt from what, how well, what was lacking and what was refused, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepline.errors import TooFewError
from keepline.insight import words
from keepline.insight.cohorts import Cohort
from keepline.insight.inputs import Inputs
from keepline.insight.leaving import Leaving
from keepline.insight.lifetime import bgbb, spend
from keepline.insight.staying import Course
from keepline.insight.topups import TopUps
from keepline.insight.validation import Validation
from keepline.insight.value import ValueModel
from keepline.tables import FEATURES

Card = dict[str, Any]

TARGETS = {
    "leave": {"zh": "离网", "en": "leaving"},
    "port_out": {"zh": "携号转网", "en": "leaving with the number"},
    "downgrade": {"zh": "降套", "en": "moving to a cheaper recurring charge"},
}
OF_THE_SAMPLE = {
    "zh": "训练数据中离网客户被过采样且未给出真实月离网率：概率只反映样本，客户价值不予给出。"
    "请在 leaving.toml 填写 true_monthly_rate",
    "en": "leavers were over-sampled and policy states no true monthly rate: probabilities are those of the sample and "
    "value abstains; state true_monthly_rate in leaving.toml",
}
NO_SAMPLES = {
    "zh": "没有结果已知的历史快照，无法训练；请装载更多账期，或在 leaving.toml 设 learn_from",
    "en": "no past snapshot has a known outcome, so nothing was trained; load more months or see learn_from in "
    "leaving.toml",
}
NOT_KNOWN = {
    "zh": "数据中没有这一结果的记录，无法训练",
    "en": "the data do not record this outcome, so nothing was trained",
}


@dataclass(frozen=True)
class Learnt:
    """One target: its model, or why there is none."""

    model: Leaving | None
    customers: int
    events: int
    validation: Validation | None = None
    refused: dict[str, str] | None = None


def refusal(error: TooFewError) -> dict[str, str]:
    return {"zh": error.zh, "en": error.en}


def target_card(name: str, learnt: Learnt) -> Card:
    said = {"name": TARGETS[name], "customers": learnt.customers, "events": learnt.events, "refused": learnt.refused}
    if learnt.model is None:
        return said | {"fitted": False, "validation": None}
    return said | {
        "fitted": True,
        "parts": [_stack_card(stack) for stack in learnt.model.stacks],
        "validation": learnt.validation.card if learnt.validation else None,
    }


def _stack_card(stack: Any) -> Card:
    return {
        "weights": {name: round(w, 4) for name, w in zip(stack.names, stack.weights, strict=True)},
        "intercept": round(stack.intercept, 4),
        "prior_shift": round(stack.shift, 4),
        "design": stack.curves.design,
        "effective_degrees": round(stack.curves.degrees, 2),
        "events": stack.curves.events,
        "penalty": round(stack.curves.penalty, 4),
    }


def sample_card(rows: int, customers: int, share: float) -> Card:
    """Of how many customers in the bases of past months, each counted once a month, how many were learnt from."""
    said = {"rows": rows, "of": customers, "share": round(share, 6)}
    if share >= 1:
        return said | {
            "zh": f"学习样本：历史账期全部 {rows:,} 条客户记录",
            "en": f"learnt from all {rows:,} rows of customers in past months",
        }
    return said | {
        "zh": f"学习样本：历史账期约 {customers:,} 条客户记录中的 {rows:,} 条（{share:.2%}）；按客户假名的区间抽取，"
        "假名由密钥哈希得出，等同随机抽样（上限见 leaving.toml 的 training_customers_max）",
        "en": f"learnt from {rows:,} of about {customers:,} rows of customers in past months ({share:.2%}): those "
        "whose pseudonyms, which are keyed hashes, lie in one interval, which is a random sample "
        "(training_customers_max in leaving.toml)",
    }


def reached_note(share: float, *, kept: bool) -> dict[str, str]:
    """What was done with customers whom an offer reached in the outcome window."""
    if kept:
        return {
            "zh": f"学习样本中 {share:.1%} 的客户在结果窗口内已被优惠触达，多到无法剔除；概率反映的是有优惠时的情形",
            "en": f"an offer reached {share:.1%} of the samples within the window, too many to leave out; "
            "probabilities are of a world with these offers",
        }
    return {
        "zh": f"学习样本中 {share:.1%} 的客户在结果窗口内被优惠触达，只计触达之前的部分：概率是不采取行动时的概率",
        "en": f"an offer reached {share:.1%} of the samples within the window; only the part before it counts, "
        "since probabilities are of what happens when nothing is done",
    }


def inputs_card(inputs: Inputs | None) -> Card:
    if inputs is None:
        return {"inputs": [], "lacked": []}
    lacked = [{"input": d.name, "why": d.why, **_lack_words(d.name, d.why)} for d in inputs.dropped]
    return {"inputs": list(inputs.names), "lacked": lacked}


def _lack_words(name: str, why: str) -> dict[str, str]:
    column = next((c for c in FEATURES.columns if c.name == name), None)
    zh, en = (column.zh, column.en) if column else (name, name)
    return {"zh": f"{zh}：{words.DROPPED[why]['zh']}", "en": f"{en}: {words.DROPPED[why]['en']}"}


def value_card(model: ValueModel) -> Card:
    learnt = {
        "zh": "毛利变化与区间由历史快照学得" if model.learnt else "没有历史快照可学：毛利不外推，区间为假设",
        "en": "margin change and interval were learnt from past snapshots"
        if model.learnt
        else "no past snapshot to learn from: margins are not extrapolated and the interval is an assumption",
    }
    return {
        "learnt": model.learnt,
        **learnt,
        "monthly_rate": model.monthly_rate,
        "lasting_share": round(model.lasting, 4),
        "drift": round(model.drift, 4),
        "trend_share": round(model.growth[0], 4),
        "return_share": round(model.growth[1], 4),
        "relative_error": [round(e**0.5, 4) for e in model.error],
        "leave_spread_log_odds": round(model.spread, 4),
        "first_bill_months": model.first_bill,
        "mean_margin_fen": None if model.mean_margin_fen is None else round(model.mean_margin_fen),
        "who_by_what": lifetimes_card(model),
    }


def lifetimes_card(model: ValueModel) -> list[Card]:
    """Which model of lifetime valued whom, and why."""
    made = [_by_rate(model) if model.cohort is None else _by_cohort(model.cohort)]
    if model.no_topups is not None:
        return [{"model": "bg_bb_gamma_gamma", "who": "none", **model.no_topups}, *made]
    return made if model.topups is None else [_by_topups(model.topups), *made]


def _by_rate(model: ValueModel) -> Card:
    return {
        "model": "rate",
        "who": "all" if model.topups is None else "others",
        "zh": "客户价值：预测期内用客户自己的离网概率，之后逐步回到全体客户的离网率",
        "en": "value: each customer's own probability within the horizon, then back towards the rate of the whole base",
    }


def _by_cohort(cohort: Cohort) -> Card:
    names = ("alpha", "beta", "c")
    return {
        "model": "beta_discrete_weibull",
        "who": "others",
        "parameters": {n: round(v, 6) for n, v in zip(names, cohort.parameters, strict=True)},
        "customers": cohort.customers,
        "left": cohort.left,
        "zh": "客户价值：预测期内用客户自己的离网概率，之后按网龄的存续曲线"
        f"（由 {cohort.customers:,} 条样本、{cohort.left:,} 次离网拟合）",
        "en": "value: each customer's own probability within the horizon, then the survival curve of the months here, "
        f"fitted on {cohort.customers:,} samples with {cohort.left:,} leavers",
    }


def _by_topups(topups: TopUps) -> Card:
    return {
        "model": "bg_bb_gamma_gamma",
        "who": "prepaid",
        "parameters": {
            **{n: round(v, 6) for n, v in zip(bgbb.NAMES, topups.months, strict=True)},
            **{n: round(v, 6) for n, v in zip(spend.NAMES, topups.amounts, strict=True)},
        },
        "customers": topups.customers,
        "zh": f"预付费客户价值：无合约，按近 12 个月的充值月份与金额估计（由 {topups.customers:,} 位客户拟合）",
        "en": "value of prepaid customers, who are bound by nothing: by months and amounts of top-ups, fitted on "
        f"{topups.customers:,} customers",
    }


def staying_card(course: Course | None) -> Card:
    """Where the chance to be here still after each month comes from."""
    if course is None:
        return {
            "learnt": False,
            "zh": "没有离网模型或离网率，故不给出在网曲线",
            "en": "without a model and a rate of leaving nothing is said of when customers leave",
        }
    said = {"learnt": course.hazard is not None, "customers": course.customers, "events": course.events}
    if course.refused is not None:
        why = course.refused
        return said | {
            "zh": f"在网曲线按平稳的离网率推算，何时离网无从得知：{why['zh']}",
            "en": f"curves of staying run at a level rate, since nothing tells when customers leave: {why['en']}",
        }
    return said | {
        "zh": f"在网曲线：预测期内与离网概率一致，逐月的快慢按网龄与合约到期由 {course.customers:,} 条样本、"
        f"{course.events:,} 次离网学得；预测期之后按同样规律外推，合约到期视为不再续签",
        "en": "curves of staying agree with the probability of leaving within the horizon; how they run by months here "
        f"and to the contract's end was learnt from {course.customers:,} samples with {course.events:,} leavers, and "
        "beyond the horizon they go on alike, with contracts that end and are not renewed",
    }


def words_card() -> Card:
    """The words of every code in SCORES, so that pages need not know this room."""
    return {
        "reasons": words.REASONS,
        "loyalty": words.LOYALTY,
        "loyalty_kind": words.LOYALTY_KINDS,
        "risk_band": words.RISK_BANDS,
    }
