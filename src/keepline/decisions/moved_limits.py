"""The plan as it would be with other limits: what it gains, who is added, who gives way.

Candidates, lots and managers stay as they were; the limits alone move, and the plan is allocated anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keepline.decisions.allocation import Allocation
from keepline.decisions.arms import Assigned, assign, drawn
from keepline.decisions.managers import Manager, minutes_of
from keepline.decisions.problem import UNIT, Floats, Ints
from keepline.decisions.shortlist import Shortlist
from keepline.decisions.weeks import Weeks
from keepline.errors import UsageError
from keepline.policy.documents import Limits, Policy

MOVE = re.compile(r"(money|hours|channel:[a-z_]+|manager:[^=]+)=([+-]\d+(?:\.\d+)?)(%?)")


@dataclass(frozen=True)
class Move:
    """A limit that moves: by so many of its units, or by a share of itself."""

    limit: str
    by: float
    share: bool

    def of(self, amount: int) -> int:
        """The limit after the move, in whole units, never below none."""
        return max(0, math.floor(amount * (1 + self.by / 100) + 1e-9) if self.share else amount + int(self.by))


@dataclass(frozen=True)
class Means:
    """What a plan is made within: policy, and managers as they are known."""

    policy: Policy
    known: Mapping[str, Manager]


@dataclass(frozen=True)
class Planned:
    """A plan and the customers in it."""

    short: Shortlist
    plan: Allocation
    rows: Assigned

    @property
    def treated(self) -> Assigned:
        return self.rows.of(self.rows.treated)

    @property
    def cost_fen(self) -> int:
        return int(self.short.problem.kinds.cost[self.treated.kind].sum())


def parse_moves(words: Sequence[str]) -> tuple[Move, ...]:
    """``money=+10%``, ``channel:sms=+200``, ``manager:M1=-60`` or ``hours=+5%``, each limit once."""
    made = []
    for word in words:
        found = MOVE.fullmatch(word)
        if found is None or (not found[3] and "." in found[2]):
            raise UsageError(
                f"{word!r} does not move a limit; write LIMIT=+10% or LIMIT=-200 (whole fen, contacts or minutes), the "
                "limit one of money, channel:NAME, manager:ID, or hours for all managers",
                f"“{word}”不是限额的变动；请写成 限额=+10% 或 限额=-200（整数，单位为分、次或分钟），"
                "限额为 money、channel:渠道、manager:工号，或 hours（全部客户经理）",
                code="bad_move",
            )
        made.append(Move(found[1], float(found[2]), bool(found[3])))
    if not made or len({move.limit for move in made}) < len(made):
        raise UsageError(
            "move at least one limit, and each limit once, such as money=+10%",
            "请至少变动一项限额，每项限额一次，例如 money=+10%",
            code="bad_move",
        )
    return tuple(made)


def moved(means: Means, moves: Sequence[Move]) -> Means:
    """The means after the moves; a limit that is not there is refused."""
    for move in moves:
        kind, _, name = move.limit.partition(":")
        if kind == "money":
            means = _limited(means, money_fen=move.of(means.policy.limits.money_fen))
        elif kind == "channel":
            means = _limited(means, **_channel(means.policy.limits, name, move))
        else:
            means = _hours(means, [name] if kind == "manager" else sorted(means.known), move)
    return means


def _limited(means: Means, **changed: Any) -> Means:
    limits = means.policy.limits.model_copy(update=changed)
    return replace(means, policy=replace(means.policy, limits=limits))


def _channel(limits: Limits, channel: str, move: Move) -> dict[str, Any]:
    """Contacts of a channel in the month, and of its weeks in proportion."""
    now = limits.month_contacts.get(channel)
    if now is None:
        raise _no_limit(move.limit, [f"channel:{name}" for name in limits.month_contacts])
    then, weekly = move.of(now), dict(limits.channel_week_contacts)
    if channel in weekly:
        weekly[channel] = tuple(each * then // max(1, now) for each in weekly[channel])
    return {"channel_contacts": limits.channel_contacts | {channel: then}, "channel_week_contacts": weekly}


def _hours(means: Means, who: Sequence[str], move: Move) -> Means:
    """Minutes of some managers in the month; those without a limit stay so."""
    known, limits = dict(means.known), means.policy.limits
    limited = [m for m in who if m in known and minutes_of(m, known, limits) is not None]
    if not limited:
        raise _no_limit(move.limit, [f"manager:{m}" for m in sorted(known) if known[m].minutes is not None])
    for manager in limited:
        known[manager] = replace(known[manager], minutes=move.of(minutes_of(manager, known, limits) or 0))
    means = replace(means, known=known)
    if limits.manager_week_minutes is not None and move.share:
        means = _limited(means, manager_week_minutes=move.of(limits.manager_week_minutes))
    return means


def _no_limit(name: str, there: Sequence[str]) -> UsageError:
    said = ", ".join(there[:12]) or "-"
    return UsageError(
        f"there is no limit {name!r} to move; limits of this kind: {said}",
        f"没有可变动的限额“{name}”；同类限额：{said}",
        code="no_such_limit",
    )


def planned(short: Shortlist, policy: Policy, risk: Floats) -> Planned:
    """The plan within a policy's limits."""
    weeks = Weeks.of(policy.limits, short.channels)
    plan, rows = assign(short.problem, drawn(short.problem, policy.limits), weeks=weeks, urgency=risk)
    return Planned(short, plan, rows)


def difference(before: Planned, after: Planned, groups: Mapping[int, str]) -> dict[str, Any]:
    """JSON-able: how the second plan differs; ``groups`` tells the class of each customer who is in either."""
    old, new = before.treated, after.treated
    offers = [np.array(side.short.problem.kinds.offer, dtype=object) for side in (before, after)]
    was = dict(zip(old.customer_id.tolist(), offers[0][old.kind].tolist() if len(old.kind) else [], strict=True))
    now = dict(zip(new.customer_id.tolist(), offers[1][new.kind].tolist() if len(new.kind) else [], strict=True))
    added, dropped = sorted(now.keys() - was.keys()), sorted(was.keys() - now.keys())
    return {
        "before": _figures(before),
        "after": _figures(after),
        "added": len(added),
        "dropped": len(dropped),
        "other_offer": sum(was[who] != now[who] for who in was.keys() & now.keys()),
        "by_class": _counted(added, dropped, groups),
        "by_offer": _by_offer(list(was.values()), list(now.values())),
    }


def _figures(side: Planned) -> dict[str, Any]:
    plan = side.plan
    return {
        "customers": int(side.rows.treated.sum()),
        "gain_fen": plan.gain_fen,
        "cost_fen": side.cost_fen,
        "bound_fen": plan.bound_fen,
        "money_price": round(plan.prices.money / UNIT, 6),
    }


def _counted(added: Sequence[int], dropped: Sequence[int], groups: Mapping[int, str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for word, people in (("added", added), ("dropped", dropped)):
        for who in people:
            here = found.setdefault(groups.get(who, "unknown"), {"added": 0, "dropped": 0})
            here[word] += 1
    return {name: found[name] for name in sorted(found)}


def _by_offer(was: Sequence[str], now: Sequence[str]) -> dict[str, dict[str, int]]:
    names = sorted({*was, *now})
    return {name: {"before": was.count(name), "after": now.count(name)} for name in names}


def changed_customers(before: Planned, after: Planned) -> Ints:
    """Customers who are in one of the plans and not in the other."""
    return np.setxor1d(before.treated.customer_id, after.treated.customer_id)
