"""The plan as it would be with other limits: what it gains, who is added, who gives way.

Candidates, lots and managers stay as they were; the limits alone move, and the plan is allocated anew.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepline.decisions.allocation import Priced
from keepline.decisions.arms import Arms, Assigned, assign
from keepline.decisions.managers import Manager, minutes_of
from keepline.decisions.problem import UNIT, Ints
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


def planned(short: Shortlist, policy: Policy) -> Arms:
    """The plan within a policy's limits."""
    return assign(short, Weeks.of(policy.limits, short.channels))


Classes = Callable[[int, Ints], Sequence[str]]  # of some customers of one part of the candidates
SIDES, WAYS = ("before", "after"), ("added", "dropped")


def difference(before: Arms, after: Arms, classes: Classes) -> dict[str, Any]:
    """JSON-able: how the second plan differs, part by part of the same candidates."""
    figures = {side: Counter({"customers": 0, "cost_fen": 0}) for side in SIDES}
    moved = Counter({"added": 0, "dropped": 0, "other_offer": 0})
    groups: dict[str, dict[str, int]] = {}
    offers: dict[str, dict[str, int]] = {}
    for part, rows in enumerate(zip(before, after, strict=True)):
        old, new = (_treated(arms, here) for arms, here in zip((before, after), rows, strict=True))
        for side, told in zip(SIDES, (old, new), strict=True):
            figures[side].update(customers=len(told.customer_id), cost_fen=told.cost_fen)
            _count(offers, told.offer, side, SIDES)
        both, was, now = np.intersect1d(old.customer_id, new.customer_id, assume_unique=True, return_indices=True)
        moved["other_offer"] += int((old.offer[was] != new.offer[now]).sum())
        for way, who in zip(WAYS, (np.setdiff1d(t.customer_id, both) for t in (new, old)), strict=True):
            moved[way] += len(who)
            _count(groups, classes(part, who), way, WAYS)
    said = {side: dict(figures[side]) | _of(arms.plan) for side, arms in zip(SIDES, (before, after), strict=True)}
    by = {"by_class": groups, "by_offer": offers}
    return said | dict(moved) | {name: {each: found[each] for each in sorted(found)} for name, found in by.items()}


@dataclass(frozen=True)
class _Treated:
    """Those of a part who are in a plan, by what, and what it costs."""

    customer_id: Ints
    offer: npt.NDArray[np.object_]
    cost_fen: int


def _treated(arms: Arms, rows: Assigned) -> _Treated:
    kinds, kind = arms.short.open_to.kinds, rows.kind[rows.treated]
    offer = np.array([*kinds.offer, ""], dtype=object)[kind]
    return _Treated(rows.customer_id[rows.treated], offer, int(kinds.cost[kind].sum()))


def _count(found: dict[str, dict[str, int]], names: Iterable[str], column: str, columns: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        found.setdefault(name, dict.fromkeys(columns, 0))[column] += times


def _of(plan: Priced) -> dict[str, Any]:
    price = round(plan.prices.money / UNIT, 6)
    return {"gain_fen": plan.gain_fen, "bound_fen": plan.bound_fen, "money_price": price}
