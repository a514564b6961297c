"""Moves from one candidate to another, and into weeks, one after the other, within the room of each limit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.compiled import compiled
from keepline.decisions.problem import NONE


class Uses(NamedTuple):
    """What candidates gain and use."""

    gain: Any
    kind: Any
    manager: Any  # by customer
    cost: Any  # by kind, like the next two
    channel: Any
    minutes: Any


class Room(NamedTuple):
    """What is left of each limit."""

    money: Any
    channels: Any
    minutes: Any


@compiled
def use_of(uses: Uses, candidate: int) -> tuple[int, int, int]:
    """Money, channel and minutes of one choice."""
    if candidate < 0:
        return 0, NONE, 0
    k = uses.kind[candidate]
    return uses.cost[k], uses.channel[k], uses.minutes[k]


@compiled
def takes_of(uses: Uses, room: Room, i: int, now: int, to: int, takes: Any) -> None:
    """Each limit's room now and what a move takes of it (negative: gives back)."""
    old, new, m = use_of(uses, now), use_of(uses, to), uses.manager[i]
    takes[:] = 0
    takes[0, 0], takes[0, 1] = room.money[0], new[0] - old[0]
    if old[1] != new[1] and old[1] >= 0:
        takes[1, 0], takes[1, 1] = room.channels[old[1]], -1
    if old[1] != new[1] and new[1] >= 0:
        takes[2, 0], takes[2, 1] = room.channels[new[1]], 1
    if m >= 0:
        takes[3, 0], takes[3, 1] = room.minutes[m], new[2] - old[2]


@compiled
def move(uses: Uses, room: Room, choice: Any, i: int, to: int) -> None:
    """Make a move."""
    old, new, m = use_of(uses, choice[i]), use_of(uses, to), uses.manager[i]
    room.money[0] -= new[0] - old[0]
    if old[1] >= 0:
        room.channels[old[1]] += 1
    if new[1] >= 0:
        room.channels[new[1]] -= 1
    if m >= 0:
        room.minutes[m] -= new[2] - old[2]
    choice[i] = to


@compiled
def over(room: Room) -> int:
    """How many limits are overrun."""
    count: int = (room.money < 0).sum() + (room.channels < 0).sum() + (room.minutes < 0).sum()
    return count


@compiled
def give_way(uses: Uses, room: Room, choice: Any, customer: Any, to: Any) -> None:
    """Make room, each customer once: no move may overrun another limit, nor overrun one further."""
    moved, takes = np.zeros(len(choice), np.bool_), np.zeros((4, 2), np.int64)
    left = over(room)
    for n in range(len(to)):
        if left == 0:
            return
        i = customer[n]
        if moved[i]:
            continue
        takes_of(uses, room, i, choice[i], to[n], takes)
        eases, holds, done = False, True, 0
        for limit in range(4):
            has, take = takes[limit, 0], takes[limit, 1]
            if has < 0 and take < 0:
                eases = True
            if take > max(has, 0):
                holds = False
            if has < 0 and take <= has:
                done += 1
        if eases and holds:
            move(uses, room, choice, i, to[n])
            moved[i] = True
            left -= done


@compiled
def fill_up(uses: Uses, room: Room, choice: Any, customer: Any, to: Any) -> int:
    """Use the room left: moves that gain and fit; how many were made."""
    made, takes = 0, np.zeros((4, 2), np.int64)
    for n in range(len(to)):
        i, now = customer[n], choice[customer[n]]
        if uses.gain[to[n]] <= (uses.gain[now] if now >= 0 else 0):
            continue
        takes_of(uses, room, i, now, to[n], takes)
        if (takes[:, 1] <= takes[:, 0]).all():
            move(uses, room, choice, i, to[n])
            made += 1
    return made


class Left(NamedTuple):
    """What the weeks still hold: contacts by channel, minutes by manager."""

    contacts: Any
    minutes: Any


class Visits(NamedTuple):
    """The customers first chosen for a visit, manager after manager; ``first`` is where each manager's begin."""

    customer: Any
    first: Any


@compiled
def first_week(left: Left, channel: int, m: int, minutes: int, but: int) -> int:
    """The earliest week with room, ``but`` left out; NONE where there is none."""
    for week in range(left.contacts.shape[1]):
        if week == but:
            continue
        if channel >= 0 and left.contacts[channel, week] < 1:
            continue
        if m >= 0 and left.minutes[m, week] < minutes:
            continue
        return week
    return NONE


@compiled
def take(left: Left, channel: int, m: int, minutes: int, week: int, times: int) -> None:
    """Use so much of a week; ``times`` is -1 to give it back."""
    if channel >= 0:
        left.contacts[channel, week] -= times
    if m >= 0:
        left.minutes[m, week] -= times * minutes


@compiled
def make_room(uses: Uses, left: Left, visits: Visits, choice: Any, week: Any, m: int, at: int, short: int) -> bool:
    """Put off, or bring forward, one visit of the manager in week ``at``, if that frees the minutes that are short."""
    for n in range(visits.first[m], visits.first[m + 1]):
        other = visits.customer[n]
        if choice[other] < 0 or week[other] != at:
            continue
        _, channel, minutes = use_of(uses, choice[other])
        if minutes < short:
            continue
        to = first_week(left, channel, m, minutes, at)
        if to >= 0:
            take(left, channel, m, minutes, at, -1)
            take(left, channel, m, minutes, to, 1)
            week[other] = to
            return True
    return False


@compiled
def place(uses: Uses, left: Left, visits: Visits, choice: Any, week: Any, i: int, candidate: int) -> int:
    """The earliest week with room, or where another visit of the manager makes some; it is taken. NONE for none."""
    m = uses.manager[i]
    _, channel, minutes = use_of(uses, candidate)
    found = first_week(left, channel, m, minutes, NONE)
    if found < 0 and m >= 0 and minutes > 0:
        for at in range(left.contacts.shape[1]):
            if channel >= 0 and left.contacts[channel, at] < 1:
                continue
            if make_room(uses, left, visits, choice, week, m, at, minutes - left.minutes[m, at]):
                found = at
                break
    if found >= 0:
        take(left, channel, m, minutes, found, 1)
    return found


@compiled
def place_all(uses: Uses, left: Left, visits: Visits, order: Any, choice: Any, week: Any) -> None:
    """Place the chosen in order; who fits no week chooses nothing."""
    for i in order:
        week[i] = place(uses, left, visits, choice, week, i, choice[i])
        if week[i] < 0:
            choice[i] = NONE


@compiled
def place_more(
    uses: Uses, room: Room, left: Left, visits: Visits, choice: Any, week: Any, customer: Any, to: Any
) -> int:
    """Moves of customers who have nothing to what the month and some week have room for; how many were made."""
    made, takes = 0, np.zeros((4, 2), np.int64)
    for n in range(len(to)):
        i = customer[n]
        if choice[i] >= 0:
            continue
        takes_of(uses, room, i, NONE, to[n], takes)
        if (takes[:, 1] > takes[:, 0]).any():
            continue
        week[i] = place(uses, left, visits, choice, week, i, to[n])
        if week[i] >= 0:
            move(uses, room, choice, i, to[n])
            made += 1
    return made
