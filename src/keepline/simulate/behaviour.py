"""One month in the life of a block of customers: who leaves and joins, what is used, billed, paid and said."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from keepline.simulate import billing, leaving, moves, people, troubles
from keepline.simulate.draws import Draws
from keepline.simulate.state import NEVER, Array, Customers
from keepline.simulate.world import World

JOIN_RATE = 0.0185  # of the founders, a month: about as many as leave
REFERRED_SHARE = 0.18  # of newcomers
LATE_RATE, CLEARS_RATE = 0.05, 0.55  # does not pay in time; pays all that is owed
CONSENT_CHANGES = 0.002
EARLIER_MONTHS = 6
PORT_OUT_SHARE, SILENT_SHARE = 0.45, 0.08


@dataclass
class Happened:
    """What happened in the month, for the rows of the block; ``here`` says for whom anything did."""

    here: Array
    new: Array
    leaving: Array
    kind: Array  # of leaving
    reason: Array
    severity: Array  # of a complaint
    referrer: Array  # row of who brought a newcomer
    part: Array  # share of the month the customer was here
    data_kb: Array  # of one line
    voice_s: Array
    bill: dict[str, Array]
    paid_fen: Array
    changed: Array  # facts of the customer
    changed_lines: Array
    mobiles_before: Array


def live(
    op: World, c: Customers, draws: Draws, *, newcomers: Customers | None, lines_before: Array
) -> tuple[Customers, Happened]:
    """Let a month pass: returns the customers at its end, newcomers among them, and what happened.

    Offers have been delivered before (``response.treat``); ``lines_before`` are the lines as they were before that.
    The first month has no newcomers and no leavers.
    """
    settled = len(c)
    here = c.active.copy()
    leaves = _leavers(c, draws) if newcomers is not None else np.zeros(settled, dtype="bool")
    kind, reason = _kinds(draws, settled), leaving.reasons(c, draws.of("reasons"))
    if newcomers is not None:
        c, more = c.with_more(newcomers), len(newcomers)
        here, leaves = np.append(here, np.ones(more, dtype="bool")), np.append(leaves, np.zeros(more, dtype="bool"))
        kind, reason = np.append(kind, np.repeat("", more)), np.append(reason, np.repeat("", more))
    new = np.arange(len(c)) >= settled
    lines_before = np.pad(lines_before, ((0, 0), (0, len(c) - settled)))
    severity = _trouble(op, c, draws, leaves)
    _settle(c, draws)
    happened = _use_and_bill(c, draws, here=here, new=new, leaves=leaves)
    happened.kind, happened.reason, happened.severity = kind, reason, np.where(here, severity, 0)
    happened.referrer = _referrers(c, draws, new)
    happened.changed = _change_consent(c, draws) | new
    happened.mobiles_before = np.where(here, lines_before[1], 0)
    happened.changed_lines = new | leaves | np.any(lines_key(c) != lines_before, axis=0)
    c.left = np.where(leaves, draws.month.index, c.left).astype("int32")
    return c, happened


def _leavers(c: Customers, draws: Draws) -> Array:
    return c.active & (draws.of("leaving").random(len(c)) < leaving.monthly(c, draws.month))


def _kinds(draws: Draws, count: int) -> Array:
    luck = draws.of("kinds").random(count)
    return np.where(luck < PORT_OUT_SHARE, "port_out", np.where(luck > 1 - SILENT_SHARE, "silent", "left"))


def _trouble(op: World, c: Customers, draws: Draws, leaves: Array) -> Array:
    faults = troubles.faults(op, draws.month)
    severity = troubles.complain(c, draws, faults)
    troubles.move_on(c, draws, severity=severity, district_faults=faults, leaving_now=leaves)
    return severity


def lines_key(c: Customers) -> Array:
    """All that the rows of a customer's lines say."""
    return np.stack([c.plan, c.mobiles, c.broadband, c.contract_end]).astype("int64")


def _settle(c: Customers, draws: Draws) -> None:
    moves.sign(c, draws)
    moves.change_plans(c, draws)
    drawn = draws.of("use").normal(0, billing.SWING_SPREAD, len(c))
    c.swing = (billing.SWING_KEEPS * c.swing + drawn).astype("float32")
    c.data_level = (c.data_level + c.growth).astype("float32")
    c.voice_level = (c.voice_level + c.growth).astype("float32")


def _use_and_bill(c: Customers, draws: Draws, *, here: Array, new: Array, leaves: Array) -> Happened:
    part = np.where(new | leaves, draws.of("days").uniform(0.2, 0.8, len(c)), 1.0)
    log_part = np.log(part)
    common = billing.season(draws.month) + c.swing + billing.MOOD_ON_USE * c.mood
    own = draws.of("voice").normal(0, 0.06, len(c))
    data, voice = np.exp(c.data_level + common), np.exp(c.voice_level + common + own)
    whole = billing.bill(c, draws.month, data_kb=data, voice_s=voice, rng=draws.of("bill"))
    bill = {name: np.round(amount * part).astype("int64") for name, amount in whole.items()}
    nothing = np.zeros(len(c), dtype="int64")
    paid = _pay(c, draws, np.maximum(np.sum(list(bill.values()), axis=0), 0))
    _remember(c, bill, np.exp(np.log(data) + log_part) * c.mobiles)
    empty = np.repeat("", len(c))
    return Happened(
        here=here, new=new, leaving=leaves, kind=empty, reason=empty, severity=nothing, referrer=nothing, part=part,
        data_kb=data * part, voice_s=voice * part, bill=bill, paid_fen=paid, changed=new, changed_lines=new,
        mobiles_before=nothing,
    )  # fmt: skip


def _pay(c: Customers, draws: Draws, due: Array) -> Array:
    """Who owes pays all or nothing; what is unpaid ages. Prepaid customers never owe."""
    luck = draws.of("payments").random(len(c))
    late = ~c.prepaid & np.where(
        c.arrears_months > 0, luck > CLEARS_RATE, luck < np.minimum(LATE_RATE * c.paying_late, 0.6)
    )
    paid = np.where(late, 0, due + c.arrears_fen)
    c.arrears_fen = np.where(late, due + c.arrears_fen, 0)
    c.arrears_months = np.where(late, c.arrears_months + 1, 0).astype("int16")
    return paid


def _remember(c: Customers, bill: dict[str, Array], data_kb: Array) -> None:
    c.revenue_2_fen, c.revenue_1_fen = c.revenue_1_fen, c.revenue_fen
    c.revenue_fen = np.sum(list(bill.values()), axis=0).astype("int64")
    c.data_kb = np.round(data_kb).astype("int64")


def _referrers(c: Customers, draws: Draws, new: Array) -> Array:
    """The row of the customer who brought each newcomer; the attached refer most. NEVER for the rest."""
    rng, count = draws.of("referrals"), int(new.sum())
    found = np.full(len(c), NEVER)
    old = np.flatnonzero(c.active & ~new)
    if count and len(old):
        weight = np.exp(0.9 * c.attachment[old] - 1.2 * c.mood[old])
        brought_by = rng.choice(old, count, p=weight / weight.sum())
        found[new] = np.where(rng.random(count) < REFERRED_SHARE, brought_by, NEVER)
    return found


def _change_consent(c: Customers, draws: Draws) -> Array:
    flips = ~c.blacklisted & (draws.of("consent").random(len(c)) < CONSENT_CHANGES)
    c.consent = np.where(flips, ~c.consent, c.consent)
    return flips


def remember_troubles(op: World, c: Customers, draws: Draws) -> None:
    """Let the founders live through the troubles of the half year before the story begins."""
    nobody = np.zeros(len(c), dtype="bool")
    for ago in range(EARLIER_MONTHS, 0, -1):
        _trouble(op, c, replace(draws, month=draws.month + -ago), nobody)


def newcomers_of(op: World, draws: Draws, *, founders: int, first_number: int) -> Customers:
    count = int(draws.of("joining").poisson(JOIN_RATE * founders))
    made = people.newcomers(op, draws, count=count, first_number=first_number)
    people.assign_managers(op, made, draws.of("managers"))
    return made
