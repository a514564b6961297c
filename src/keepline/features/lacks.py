"""What the lake lacks at a snapshot, and what each lack costs, in words for the report."""

from __future__ import annotations

from dataclasses import dataclass

from keepline.features.known import Knowledge
from keepline.lake.store import Lake
from keepline.periods import Month


@dataclass(frozen=True)
class Lack:
    """Something absent: the table, and what cannot be known without it."""

    table: str
    zh: str
    en: str


# table, column, months read (0: all), what it costs. The table's own key stands for the table as a whole.
COSTS: tuple[tuple[str, str, int, str, str], ...] = (
    ("usage", "customer_id", 6, "没有用量：看不到用量下降与沉默", "no usage: falling use and silence are not seen"),
    ("payments", "customer_id", 6, "没有缴费与欠费：欠费不限制优惠", "no payments: arrears stop no offer"),
    (
        "contacts",
        "purpose",
        6,
        "没有带目的的触达记录：触达频次与间隔只能按本系统的方案计算",
        "no contacts with their purpose: caps and gaps of contacts cannot be held",
    ),
    (
        "complaints",
        "customer_id",
        12,
        "没有投诉：看不到不满，未办结投诉不限制优惠",
        "no complaints: none stops an offer",
    ),
    ("survey_answers", "score", 12, "没有问卷：忠诚只看行为", "no surveys: loyalty is judged by behaviour alone"),
    ("lines", "line_id", 0, "没有号码明细：产品数、合约与携入不明", "no lines: products, contracts, port-in unknown"),
    ("plans", "price_fen", 0, "没有套餐价目：套餐价不明", "no plans: the price of a plan is unknown"),
    ("referrals", "referrer_id", 12, "没有老带新：口碑价值按零计", "no referrals: word of mouth counts as nothing"),
    ("network_faults", "faults", 3, "没有网络故障：不能归因于网络", "no network faults: none can be a reason"),
    (
        "call_edges",
        "peer_id",
        3,
        "没有交往圈：看不到亲友离网的影响，也不知道意见领袖",
        "no call edges: peers who left, circles and opinion leaders are not seen",
    ),
    ("departures", "customer_id", 0, "没有离网记录：离网原因不明", "no departures: recorded leaving is unknown"),
    ("managers", "visit_minutes", 0, "没有客户经理工时：经理时间按政策计", "no hours of managers: policy states them"),
    ("deliveries", "customer_id", 0, "没有执行记录：不能计算方案成效", "no deliveries: no past plan can be measured"),
    ("experiments", "arm", 0, "没有试点：优惠效果只能用假设", "no pilots: effects of offers can only be assumed"),
    ("customers", "consent", 0, "没有营销授权：视为未授权", "no consent recorded: taken as not given"),
    ("customers", "district", 0, "没有区县：不能按区县汇总", "no districts: nothing can be shown by district"),
    ("customers", "manager_id", 0, "没有客户经理归属：不能按经理派单", "no managers: nothing goes to a manager"),
    ("customers", "joined_on", 0, "没有入网日期：网龄由号码推算或不明", "no joining day: tenure from lines or unknown"),
)


def lacking(lake: Lake, snapshot: Month) -> list[Lack]:
    """What is absent at the end of ``snapshot`` and what it costs; a short history comes first."""
    known = Knowledge(lake, snapshot)
    lacks = _short_history(known)
    for table, column, months, zh, en in COSTS:
        if not known.months(table, column, within=months):
            lacks.append(Lack(table, zh, en))
    return lacks


def _short_history(known: Knowledge) -> list[Lack]:
    months = len(known.months("bills", "amount_fen", within=12))
    if months >= 12:
        return []
    more_zh = "；收入变化与趋势不明" if months < 6 else ""
    more_en = "; change and trend of revenue are unknown" if months < 6 else ""
    return [
        Lack(
            "bills",
            f"账单只有 {months} 个月：十二个月的合计只含这些月份{more_zh}",
            f"bills of {months} months only: sums of twelve months hold these alone{more_en}",
        )
    ]
