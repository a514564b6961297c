"""What the codes of this room say to people, in Chinese and English."""

from __future__ import annotations

OWN = "own:"  # reason codes of the operator's own facts: own:<name of the fact>

Words = dict[str, dict[str, str]]


def _said(text: str) -> Words:
    """Read words written one a line: ``code | 中文 | English``."""
    lines = (tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines())
    return {code: {"zh": zh, "en": en} for code, zh, en in lines}


REASONS = _said("""
falling_use | 用量较前两月下降 | use has fallen against the two months before
silent | 已有整月没有使用 | has not been used for a whole month
no_topup | 近三月没有充值 | no top-up in three months
falling_bill | 消费在下降或月租已调低 | spending is falling or the recurring charge was lowered
overage | 近三月产生套外费用 | was charged beyond the allowance in the last three months
complaints | 近一年有投诉 | complained within the last twelve months
promises_broken | 近三月有承诺没有兑现 | a promise to them was broken within the last three months
contract_ends | 合约已到期或三个月内到期 | the contract has ended or ends within three months
arrears | 有欠费或近半年曾欠费 | owes money or did within six months
network | 遇到掉话或所在区县网络故障 | met dropped calls or network faults in the district
short_tenure | 入网不满两年 | has been with us for less than two years
came_by_porting | 携号转入的客户 | came with the number from another operator
peers_left | 交往圈中有人离网 | someone they call left within three months
competitor_calls | 半数以上通话打往其他运营商 | more than half of the calls go to other operators
low_satisfaction | 满意度、留网或推荐意愿偏低 | said to be dissatisfied, or unlikely to stay or recommend
few_products | 只有一种业务 | holds a single kind of service
contact_fatigue | 近三月营销触达三次以上 | had three or more marketing contacts in three months
use_pattern | 使用特征与以往离网客户相近 | use resembles that of customers who left before
bill_pattern | 消费特征与以往离网客户相近 | bills resemble those of customers who left before
service_pattern | 服务经历与以往离网客户相近 | service history resembles that of customers who left before
profile_pattern | 客户属性与以往离网客户相近 | profile resembles that of customers who left before
""")
LOYALTY = _said("""
loyal | 忠诚 | loyal
general | 一般 | general
wavering | 游离 | wavering
unknown | 未知 | unknown
""")
LOYALTY_KINDS = _said("""
attachment | 情感忠诚 | attachment
inertia | 惰性忠诚 | inertia
price | 价格驱动 | price
unknown | 未知 | unknown
""")
RISK_BANDS = _said("""
high | 高风险 | high
medium | 中风险 | medium
low | 低风险 | low
unknown | 未知 | unknown
""")
DROPPED = _said("""
unknown | 全部未知 | not known of anyone
constant | 所有客户取值相同 | the same for everyone
short_history | 历史账期不足，各快照含义不同 | too short a history: it would not mean the same at every snapshot
too_many_levels | 取值过多，属于名称而非特征 | too many levels: a name, not a trait
""")


def reason(code: str) -> dict[str, str]:
    """The sentence of a reason code. Raises KeyError for a code this room does not make."""
    if code.startswith(OWN):
        name = code.removeprefix(OWN)
        return {
            "zh": f"自有属性“{name}”与以往离网客户相近",
            "en": f'the own fact "{name}" resembles that of customers who left before',
        }
    return REASONS[code]
