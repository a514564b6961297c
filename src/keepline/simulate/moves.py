"""How customers move between plans and contracts of their own accord."""

from __future__ import annotations

import numpy as np

from keepline.periods import Month
from keepline.simulate import people, world
from keepline.simulate.draws import Draws
from keepline.simulate.state import NEVER, Array, Customers

RENEW_AT_END, SIGN_LATER = 0.30, 0.02  # of contracts that end; of free customers, a month
CONTRACT_MONTHS = 24
PLAN_MOVE = 0.006  # a month, for either direction
GROUP_LINES_LOST, GROUP_LINES_WON = 0.25, 0.20  # share of an organisation's mobile lines in one move


def signing_rate(c: Customers, month: Month) -> Array:
    """Probability of a new contract at the end of ``month``."""
    free = (c.contract_end == NEVER) | (c.contract_end < month.index)
    rate = np.where(c.contract_end == month.index, RENEW_AT_END, np.where(free, SIGN_LATER, 0.0))
    return np.where(c.prepaid, 0.0, rate)


def sign(c: Customers, draws: Draws) -> None:
    """New contracts of the month; a renewed offer contract is left as it is."""
    signs = draws.of("signing").random(len(c)) < signing_rate(c, draws.month)
    c.contract_end = np.where(signs, draws.month.index + CONTRACT_MONTHS, c.contract_end).astype("int32")


def down_rate(c: Customers) -> Array:
    """Probability of a cheaper plan: who pays for what is not used, and who minds prices."""
    unused = np.exp(c.data_level) < 0.55 * world.DATA[c.plan]
    person = PLAN_MOVE * np.exp(0.9 * (c.price_response - 1)) * (1 + 2.0 * unused) * (1 + c.mood_price)
    can = np.where(c.organisation, c.mobiles >= 4, ~c.prepaid & (c.plan > world.PERSON_PLANS[0]))
    return np.where(can, np.where(c.organisation, PLAN_MOVE, person), 0.0)


def up_rate(c: Customers) -> Array:
    """Probability of a dearer plan: who uses more than the allowance."""
    short = np.exp(c.data_level) > world.DATA[c.plan]
    can = np.where(c.organisation, c.mobiles >= 4, ~c.prepaid & (c.plan < world.PERSON_PLANS[1]))
    return np.where(can, PLAN_MOVE * np.where(c.organisation, 1.1, 0.6 + 4.0 * short), 0.0)


def drift(c: Customers) -> Array:
    """Expected monthly change of the recurring charge by these moves, a share."""
    price, total = world.PRICES, np.maximum(people.recurring_fen(c), 1)
    lower = np.where(
        c.organisation, -GROUP_LINES_LOST * price[c.plan], price[np.maximum(c.plan - 1, 0)] - price[c.plan]
    )
    higher = np.where(c.organisation, GROUP_LINES_WON * price[c.plan], price[np.minimum(c.plan + 1, 6)] - price[c.plan])
    return np.asarray((down_rate(c) * lower + up_rate(c) * higher) * c.mobiles / total)


def change_plans(c: Customers, draws: Draws) -> None:
    """Draw who goes down and who goes up; persons change plan, organisations the number of lines."""
    luck = draws.of("plans").random(len(c))
    down = luck < down_rate(c)
    up = ~down & (luck > 1 - up_rate(c))
    step = up.astype("int8") - down.astype("int8")
    c.plan = np.where(c.organisation, c.plan, c.plan + step).astype("int8")
    factor = 1 + GROUP_LINES_WON * up - GROUP_LINES_LOST * down
    c.mobiles = np.where(c.organisation, np.maximum(np.round(c.mobiles * factor), 1), c.mobiles).astype("int16")
