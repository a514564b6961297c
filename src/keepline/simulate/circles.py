"""Who is turned to in a community and who knows people of others: planted in the calling graph, and known as truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from keepline.periods import Month
from keepline.simulate.behaviour import Happened
from keepline.simulate.draws import Draws
from keepline.simulate.people import COMMUNITY
from keepline.simulate.records import Rows, customer_no
from keepline.simulate.state import Array, Customers

LED_SHARE, BRIDGED_SHARE = 0.35, 0.15  # of communities: with a leader, with somebody who knows others
LEADER_CALLS = 3.0  # a month, with each of the community
BRIDGE_TO, BRIDGE_STEP, BRIDGE_CALLS = 5, 2, 4.0  # people of so many other communities, so far apart, so often
STRANGERS_SHARE = 0.08  # of customers: call somebody they do not know once in a month
NEAR = 2  # neighbours up to this distance talk anyhow


@dataclass(frozen=True)
class Parts:
    """What each row of a block is in the calling graph; it never changes."""

    community: Array
    leader: Array
    gatekeeper: Array


def parts(count: int, draws: Draws) -> Parts:
    """Of the first ``count`` rows of a block; later rows change nothing of these."""
    always = Draws(draws.seed, Month(0), draws.block)
    community = np.arange(count) // COMMUNITY
    leader, gatekeeper = np.zeros(count, dtype="bool"), np.zeros(count, dtype="bool")
    for purpose, share, into in (("leaders", LED_SHARE, leader), ("gatekeepers", BRIDGED_SHARE, gatekeeper)):
        groups = -(-count // COMMUNITY)
        has = always.of(purpose).random(groups) < share
        seat = np.floor(always.of(f"seats of {purpose}").random(groups) * COMMUNITY).astype("int64")
        rows = (np.arange(groups) * COMMUNITY + seat)[has]
        into[rows[rows < count]] = True
    return Parts(community, leader, gatekeeper & ~leader)


def calls(c: Customers, h: Happened, draws: Draws) -> Iterator[Rows]:
    """Calls beside those of neighbours: with leaders, between communities, to strangers; told from both ends."""
    made, rng = parts(len(c), draws), draws.of("calls of circles")
    near, far = _with_leaders(made), _between(made)
    pairs = np.concatenate([near, far, _strangers(np.flatnonzero(h.here), rng)], axis=1)
    often = np.repeat(
        [LEADER_CALLS, BRIDGE_CALLS, 0.0], [near.shape[1], far.shape[1], pairs.shape[1] - near.shape[1] - far.shape[1]]
    )
    talks = np.where(often > 0, rng.poisson(often), 1)
    first, second, talks = _once(pairs, talks, made)
    there = h.here[first] & h.here[second] & (talks > 0)
    a, b, talks = customer_no(c.number[first[there]]), customer_no(c.number[second[there]]), talks[there]
    yield {"customer_id": a, "peer_id": b, "calls": talks}
    yield {"customer_id": b, "peer_id": a, "calls": talks}


def _with_leaders(made: Parts) -> Array:
    """Each leader with everybody of the community."""
    rows = np.flatnonzero(made.leader)
    pairs = np.stack(
        [np.repeat(rows, COMMUNITY), (made.community[rows][:, None] * COMMUNITY + np.arange(COMMUNITY)).ravel()]
    )
    return pairs[:, pairs[1] < len(made.leader)]


def _between(made: Parts) -> Array:
    """Each gatekeeper with somebody of some communities before theirs."""
    rows = np.flatnonzero(made.gatekeeper)
    back = COMMUNITY * BRIDGE_STEP * np.arange(1, BRIDGE_TO + 1)
    pairs = np.stack([np.repeat(rows, BRIDGE_TO), (rows[:, None] - back).ravel()])
    return pairs[:, pairs[1] >= 0]


def _strangers(here: Array, rng: np.random.Generator) -> Array:
    some = here[rng.random(len(here)) < STRANGERS_SHARE]
    return np.stack([some, rng.choice(here, len(some))]) if len(some) else np.zeros((2, 0), dtype="int64")


def _once(pairs: Array, talks: Array, made: Parts) -> tuple[Array, Array, Array]:
    """Each pair once, the smaller row first, and none that talks as neighbours."""
    low, high = pairs.min(axis=0), pairs.max(axis=0)
    new = (high - low > NEAR) | (made.community[low] != made.community[high])
    key, place = np.unique(low[new] * np.int64(1 << 32) + high[new], return_inverse=True)
    total = np.bincount(place, weights=talks[new], minlength=len(key)).astype("int64")
    return key >> 32, key & ((1 << 32) - 1), total
