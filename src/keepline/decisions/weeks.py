"""What each week holds, and which week each customer of a plan falls in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keepline.decisions.blocks import Block
from keepline.decisions.problem import NONE, Ints
from keepline.decisions.urgency import Cut, Some, urgency
from keepline.policy.documents import Limits

ENDLESS = 1 << 60


@dataclass(frozen=True)
class Weeks:
    """What each week holds: contacts by limited channel and week, minutes of any manager in one week.

    The weeks together hold no less than the month.
    """

    contacts: Ints
    minutes: int

    @classmethod
    def of(cls, limits: Limits, channels: tuple[str, ...]) -> Weeks | None:
        """As policy says; None where it knows no weeks."""
        if limits.weeks is None:
            return None
        rows = [limits.channel_week_contacts.get(channel, (ENDLESS,) * limits.weeks) for channel in channels]
        contacts = np.array(rows, dtype=np.int64).reshape(len(channels), limits.weeks)
        return cls(contacts, ENDLESS if limits.manager_week_minutes is None else limits.manager_week_minutes)


@dataclass(frozen=True)
class Weekly:
    """The weeks of those who take minutes, from 1 on, by place among all, in order; where they end for all others."""

    customer: Ints
    week: Ints
    channels: Sequence[int]  # of each cut: who comes after it is a week later
    cuts: Sequence[Cut]

    def of(self, block: Block, choice: Ints) -> Ints:
        """The weeks of the customers of a block; 0 for those to whom nothing is done."""
        week = np.zeros(len(choice), dtype=np.int64)
        some = contacted(block, choice)
        week[choice != NONE] = 1
        for channel, cut in zip(self.channels, self.cuts, strict=True):
            week[some.customer[cut.after(some) & (some.group == channel)] - block.customer] += 1
        low, high = np.searchsorted(self.customer, [block.customer, block.end])
        week[self.customer[low:high] - block.customer] = self.week[low:high]
        return week


def contacted(block: Block, choice: Ints) -> Some:
    """Those to whom something is done that takes no minutes, grouped by channel."""
    kinds, who = block.problem.kinds, np.flatnonzero(choice != NONE)
    kind = block.problem.kind[choice[who]]
    plain = kinds.minutes[kind] == 0
    who, kind = who[plain], kind[plain]
    return Some(who + np.int64(block.customer), kinds.channel[kind], urgency(block.risk[who]))
