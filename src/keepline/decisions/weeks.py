"""Which week each customer's contact falls in, so that every week's contacts and hours suffice.

Weeks are alike to the customer, so the month's plan is made first; its means are what the weeks have
together, and its certificate therefore holds for every plan by weeks too. The longest visits are placed
first, each in the earliest week with room (first fit decreasing; Johnson 1974). Where a week has contacts left but no
hours, another visit of the manager goes to another week. Who fits no week even so gives way, and what that leaves is
filled up with others who fit. Within one manager, channel and length the most urgent come first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from keepline.decisions.allocation import Allocation, Exceptions, Priced, held
from keepline.decisions.blocks import Blocks
from keepline.decisions.moving import Left, Visits, place_all, place_more
from keepline.decisions.problem import NONE, Floats, Ints, Problem, usage
from keepline.decisions.repair import Plan, improving
from keepline.policy.documents import Limits

ENDLESS = 1 << 60


@dataclass(frozen=True)
class Weeks:
    """What each week holds: contacts by limited channel and week, minutes of any manager in one week."""

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


def spread_blocks(blocks: Blocks, plan: Priced, weeks: Weeks) -> Priced:
    """The same of a plan over blocks; everyone is held at once."""
    problem = blocks.held()
    urgency = np.concatenate([np.zeros(0), *(risk for _, risk in blocks.risks())])
    made = spread(problem, held(problem, plan), weeks, urgency)
    who = np.flatnonzero(made.choice != made.ruled)
    exceptions = Exceptions(who, made.choice[who])
    return replace(plan, exceptions=exceptions, gain_fen=made.gain_fen, used=made.used, week=made.week)


def spread(problem: Problem, plan: Allocation, weeks: Weeks, urgency: Floats) -> Allocation:
    """The plan with a week for everyone in it, from 1 on; 0 for those to whom nothing is done."""
    choice, week = plan.choice.astype(np.int64), np.full(problem.customers, NONE, dtype=np.int64)
    managers, count = len(problem.means.minutes), weeks.contacts.shape[1]
    left = Left(weeks.contacts.copy(), np.full((managers, count), weeks.minutes, dtype=np.int64))
    visits = _visits(problem, choice)
    place_all(Plan(problem, choice).uses, left, visits, _longest_first(problem, choice), choice, week)
    now = Plan(problem, choice)
    moves = improving(now, plan.prices)
    place_more(now.uses, now.room, left, visits, now.choice, week, moves.customer, moves.to)
    choice = now.choice
    week = np.where(choice == NONE, 0, _most_urgent_first(problem, choice, week, urgency) + 1)
    gain = int(problem.gain[choice[choice != NONE]].sum(dtype=np.int64))
    return replace(plan, choice=choice, gain_fen=gain, used=usage(problem, choice), week=week)


def _visits(problem: Problem, choice: Ints) -> Visits:
    """Whom each manager is to visit; hours are limited, so they are few."""
    who = np.flatnonzero((choice != NONE) & (problem.manager != NONE))
    who = who[problem.kinds.minutes[problem.kind[choice[who]]] > 0]
    manager = problem.manager[who]
    first = np.searchsorted(np.sort(manager), np.arange(len(problem.means.minutes) + 1))
    return Visits(who[np.argsort(manager, kind="stable")], first.astype(np.int64))


def _longest_first(problem: Problem, choice: Ints) -> Ints:
    """The chosen by falling minutes, then gain, then by id."""
    who = np.flatnonzero(choice != NONE)
    picks = choice[who]
    order = np.lexsort((who, -problem.gain[picks].astype(np.int64), -problem.kinds.minutes[problem.kind[picks]]))
    return np.asarray(who[order])


def _most_urgent_first(problem: Problem, choice: Ints, week: Ints, urgency: Floats) -> Ints:
    """The same weeks, dealt anew among customers who use the same: the earlier to the more urgent."""
    who = np.flatnonzero(choice != NONE)
    kind, kinds = problem.kind[choice[who]], problem.kinds
    same = (kinds.minutes[kind], kinds.channel[kind], np.where(kinds.minutes[kind] > 0, problem.manager[who], NONE))
    told = np.lexsort((who, -np.nan_to_num(urgency[who], nan=-1.0), *same))
    dealt = np.lexsort((week[who], *same))
    made = week.copy()
    made[who[told]] = week[who[dealt]]
    return made
