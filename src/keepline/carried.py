"""The tables that are carried from month to month: what features need of the months before.

CARRIED holds what was billed, used and owed in each month a feature looks back to; month 0 is the snapshot's own, and
null stands for no row of that month. Where only whether there was something counts, months are the bits of a number: 1
is the snapshot's own, 2 the month before, 4 that before it; null where there was nothing. So each month lies apart from
all others and can be replaced alone. Of tables whose latest row counts, LATEST holds those latest rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from keepline.brought import LAKE
from keepline.columns import Table
from keepline.columns import columns_of as _of

# name, {} being the month; months back; unit; meaning in English and Chinese
_BY_MONTH = (
    ("billed_{}", 12, "fen", "billed {} months ago", "{} 个月前的账单"),
    ("margin_{}_bp", 12, "fen/10000", "margin in what was billed {} months ago", "{} 个月前账单中的毛利"),
    ("recurring_{}", 4, "fen", "recurring charges {} months ago", "{} 个月前的月费"),
    ("overage_{}", 3, "fen", "overage {} months ago", "{} 个月前的超套费"),
    ("discount_{}", 3, "fen", "discounts {} months ago, negative", "{} 个月前的优惠，为负"),
    ("topup_{}", 3, "fen", "topped up {} months ago", "{} 个月前的充值"),
    ("voice_s_{}", 3, "s", "outgoing calls {} months ago", "{} 个月前的主叫"),
    ("voice_in_s_{}", 3, "s", "incoming calls {} months ago", "{} 个月前的被叫"),
    ("offnet_s_{}", 3, "s", "calls to other operators {} months ago", "{} 个月前的网间主叫"),
    ("roaming_s_{}", 3, "s", "roaming calls {} months ago", "{} 个月前的漫游通话"),
    ("data_kb_{}", 3, "kB", "data {} months ago", "{} 个月前的流量"),
    ("sms_{}", 3, "-", "messages {} months ago", "{} 个月前的短信"),
    ("topups_{}", 3, "-", "times topped up {} months ago", "{} 个月前的充值次数"),
    ("dropped_calls_{}", 3, "-", "dropped calls {} months ago", "{} 个月前的掉话"),
    ("late_{}", 6, "-", "1 where something was owed {} months ago, 0 where nothing was", "{} 个月前是否欠费"),
)


def _lines() -> Iterator[str]:
    yield "customer_id int - id | pseudonym of the customer | 客户假名"
    for name, months, unit, en, zh in _BY_MONTH:
        for ago in range(months):
            yield f"{name.format(ago)} int {unit} p | {en.format(ago)} | {zh.format(ago)}"
    yield "recurring_months int - p | months with a recurring charge, of twelve, as bits | 有月费的账期，按位"
    yield "seen_months int - p | months in which use was told, of six, as bits | 有用量记录的账期，按位"
    yield "used_months int - p | months in which anything was used, of six, as bits | 有使用的账期，按位"
    yield "active_days int days p | days of use this month | 本月活跃天数"
    yield "owed_fen int fen p | arrears this month | 本月欠费"
    yield "owed_months int months p | age of the oldest arrears | 欠费月数"


CARRIED = Table(
    "carried",
    ("customer_id",),
    "bills, use and arrears by month, as far as a feature looks back; carried from month to month",
    "逐月结转",
    _of("\n".join(_lines())),
)

_BROUGHT = {table.name: table for table in LAKE}
LATEST = {  # by the table of the lake
    of: replace(_BROUGHT[of], name=f"latest_{of}", key=key, required=(), en=en, zh=zh)
    for of, key, en, zh in (
        (
            "customers",
            ("customer_id",),
            "what was last told of each customer; carried from month to month",
            "最新客户档案",
        ),
        (
            "lines",
            ("customer_id", "line_id"),
            "what was last told of each line; carried from month to month",
            "最新用户号码",
        ),
        (
            "attributes",
            ("customer_id", "name"),
            "what was last told of each customer's further facts; carried from month to month",
            "最新其他属性",
        ),
    )
}
