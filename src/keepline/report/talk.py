"""What a manager may speak of with a customer: facts the operator knows, never a probability.

Features are counted from the plan's month, and the plan is worked through in the month after:
"this month" is that next one.
"""

from __future__ import annotations

from collections.abc import Callable

from keepline.policy.drivers import DRIVERS
from keepline.report.numbers import percent
from keepline.report.tally import Row
from keepline.report.words import Words, both
from keepline.tables import DRIVERS as DRIVER_TABLE

MOST = 3
FALLING = -0.2  # change of use worth asking about
LONG_STANDING = 24  # months
SOON = 3  # months
FAR_APART = 0.3  # drivers of loyalty, 0 to 1
LATER = 1  # the plan is carried out a month after what it was made from


def basis(row: Row) -> Words:
    """At most three facts, the most pressing first; nothing known gives nothing to say."""
    facts = [fact for find in FACTS if (fact := find(row)) is not None][:MOST]
    return both("；".join(fact["zh"] for fact in facts), "; ".join(fact["en"] for fact in facts))


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def complained(row: Row) -> Words | None:
    times = row["complaints_3m"] or 0
    if not times:
        return None
    return both(
        f"近三月投诉 {times} 次：先问是否已解决", f"{times} complaint{_s(times)} in three months: ask first if settled"
    )


def contract(row: Row) -> Words | None:
    if row["contract_months_left"] is None or row["contract_months_left"] > SOON:
        return None
    left = row["contract_months_left"] - LATER
    if left < 0:
        return both(f"合约已到期 {-left} 个月", f"contract ended {-left} month{_s(-left)} ago")
    if left == 0:
        return both("合约本月到期", "contract ends this month")
    return both(f"合约还有 {left} 个月到期", f"contract ends in {left} month{_s(left)}")


def falling(row: Row) -> Words | None:
    names = {
        "data_change": ("流量", "data use"),
        "voice_change": ("通话", "calls"),
        "revenue_change": ("消费", "spending"),
    }
    for column, (zh, en) in names.items():
        change = row[column]
        if change is not None and change <= FALLING:
            return both(f"近期{zh}下降 {percent(-change, 0)}", f"{en} fell by {percent(-change, 0)}")
    return None


def birthday(row: Row) -> Words | None:
    if row["months_to_birthday"] not in (LATER, LATER + 1):
        return None
    months = row["months_to_birthday"] - LATER
    return both("本月生日", "birthday this month") if months == 0 else both("下月生日", "birthday next month")


def long_standing(row: Row) -> Words | None:
    months = row["tenure_months"]
    if months is None or months < LONG_STANDING:
        return None
    return both(f"在网 {months // 12} 年", f"with us for {months // 12} years")


def single(row: Row) -> Words | None:
    return both("目前只有一种业务", "holds one kind of service") if row["products"] == 1 else None


def holding(row: Row) -> Words | None:
    """What holds them most, and what least; only where the two are far apart."""
    known = sorted((row[name], name) for name in DRIVERS if row.get(name) is not None)
    if len(known) < 2 or known[-1][0] - known[0][0] < FAR_APART:
        return None
    least, most = (DRIVER_TABLE.column(name) for _, name in (known[0], known[-1]))
    return both(
        f"留住客户的主要是{most.zh}，最弱的是{least.zh}",
        f"held most by {most.en.split(',')[0]}, least by {least.en.split(',')[0]}",
    )


FACTS: tuple[Callable[[Row], Words | None], ...] = (
    complained,
    contract,
    falling,
    birthday,
    long_standing,
    single,
    holding,
)
