"""Three worlds in which the effect of an offer on every customer is known, and pilots by lot in them.

A customer has fourteen inputs: twelve standard normal, the logarithm of a tenure, and a coin. Risk of leaving, value
and how much a price matters to them follow from these. In world A an offer takes away a share of the risk; in B it
holds the wavering and not the lost; in C it also wakes some who would have stayed (Ascarza 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

Numbers = Any
NORMAL, TENURE, COIN = 12, 12, 13  # how many are normal; places of the other two
CONTACT, BENEFIT, TAKERS = 1.0, 15.0, 0.3  # cost of a contact, of a benefit, share of those who stay that take it
TARGETED, SCORED = 0.2, 200_000
WORLDS = ("A", "B", "C")


@dataclass(frozen=True)
class Customers:
    """Inputs, a year's value, and the probability of leaving without and with the offer."""

    x: Numbers
    value: Numbers
    alone: Numbers
    treated: Numbers

    @property
    def profit(self) -> Numbers:
        """What treating each would truly earn."""
        return self.value * (self.alone - self.treated) - CONTACT - BENEFIT * TAKERS * (1 - self.treated)


@dataclass(frozen=True)
class Pilot:
    customers: Customers
    treated: Numbers
    left: Numbers


def customers(count: int, world: str, random: np.random.Generator) -> Customers:
    normal = random.normal(size=(count, NORMAL))
    tenure, coin = np.log1p(random.gamma(2, 14, count)), random.integers(0, 2, count)
    x = np.column_stack([normal, tenure, coin])
    odds = -1.9 + 0.9 * x[:, 0] + 0.6 * x[:, 1] * (x[:, 2] > 0) + 0.4 * np.sin(2 * x[:, 3])
    alone = expit(odds - 0.5 * (x[:, TENURE] - 3) + 0.7 * x[:, COIN])
    value = 12 * np.exp(3.1 + 0.5 * x[:, 4] + 0.3 * x[:, 5])
    fall = _fall(world, x, alone)
    return Customers(x, value, alone, np.clip(alone - fall, 0.001, 0.999))


def _fall(world: str, x: Numbers, alone: Numbers) -> Numbers:
    """By how much the offer lowers the probability of leaving."""
    price = expit(1.2 * x[:, 6] + 0.8 * x[:, 7])
    if world == "A":
        return 0.35 * alone * (0.5 + 0.5 * price)
    wavering = 0.9 * alone * (1 - alone) ** 2 * (0.2 + 0.8 * price)
    woken = 0.06 * ((x[:, COIN] == 1) & (x[:, 8] > 0))
    return wavering - woken if world == "C" else wavering


def pilot(count: int, world: str, random: np.random.Generator) -> Pilot:
    """Half by lot with the offer; who left is drawn."""
    people = customers(count, world, random)
    treated = random.integers(0, 2, count).astype(bool)
    left = random.random(count) < np.where(treated, people.treated, people.alone)
    return Pilot(people, treated, left.astype(float))


def share_of_best(told: Numbers, people: Customers) -> float:
    """What the fifth ranked highest truly earns, of what the best fifth would."""
    count = int(TARGETED * len(told))
    best = np.sort(people.profit)[::-1][:count].sum()
    return float(people.profit[np.argsort(-told, kind="stable")[:count]].sum() / best)
