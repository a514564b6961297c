"""Moves from one candidate to another, and into weeks, one after the other, within the room of each limit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.decisions.compiled import compiled
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


@compiled
def place(uses: Uses, left: Left, i: int, candidate: int) -> int:
    """The earliest week with room, which is taken; NONE where there is none."""
    k, m = uses.kind[candidate], uses.manager[i]
    channel, minutes = uses.channel[k], uses.minutes[k]
    for week in range(left.contacts.shape[1]):
        if channel >= 0 and left.contacts[channel, week] < 1:
            continue
        if m >= 0 and left.minutes[m, week] < minutes:
            continue
        if channel >= 0:
            left.contacts[channel, week] -= 1
        if m >= 0:
            left.minutes[m, week] -= minutes
        return week
    return NONE


@compiled
def place_all(uses: Uses, left: Left, order: Any, choice: Any, week: Any) -> None:
    """Place the chosen in order; who fits no week chooses nothing."""
    for i in order:
        week[i] = place(uses, left, i, choice[i])
        if week[i] < 0:
            choice[i] = NONE


@compiled
def place_more(uses: Uses, room: Room, left: Left, choice: Any, week: Any, customer: Any, to: Any) -> int:
    """Moves of customers who have nothing to what the month and some week have room for; how many were made."""
    made, takes = 0, np.zeros((4, 2), np.int64)
    for n in range(len(to)):
        i = customer[n]
        if choice[i] >= 0:
            continue
        takes_of(uses, room, i, NONE, to[n], takes)
        if (takes[:, 1] > takes[:, 0]).any():
            continue
        week[i] = place(uses, left, i, to[n])
        if week[i] >= 0:
            move(uses, room, choice, i, to[n])
            made += 1
    return made
