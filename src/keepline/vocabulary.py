"""The words for codes that several rooms show, said once: states of a plan and classes of customers."""

from __future__ import annotations

Pair = tuple[str, str]  # Chinese, English
PRICE_STRONG, PRICE_WEAK = -1.0, -0.5  # per cent of sales a price 1 % higher changes: below the first, above the second


def listed(text: str) -> dict[str, Pair]:
    """Read ``code | 中文 | English``, one a line."""
    rows = (line.split("|") for line in text.strip().splitlines())
    return {code.strip(): (zh.strip(), en.strip()) for code, zh, en in rows}


CLASSES = listed("""
important | 重要客户 | important
key | 重点大客户 | key
potential | 潜在大客户 | potential
ordinary | 普通客户 | ordinary
new | 新在网 | new to the base
""")
STATES = listed("""
not_contactable | 无法触达 | cannot be reached
no_consent | 没有营销授权 | no consent to marketing contact
blacklisted | 在黑名单 | on the blacklist
in_arrears | 欠费超过期限 | in arrears beyond the limit
contacted_recently | 近期已触达 | contacted recently
complaint_open | 有未办结投诉 | a complaint is open
in_pilot | 试点观察中 | in a running pilot
no_offer_fits | 没有适用的优惠 | no offer fits
beyond_authority | 超出优惠权限 | beyond the manager's authority
no_gain | 没有已知能收回成本的优惠 | no offer is known to earn its cost
held_out | 保留为对照 | held out for comparison
below_cut | 资源不足，未入选 | below the cut of our means
treated | 列入方案 | in the plan
""")
