"""What troubles customers, fading month by month: rivals, complaints, faults, prices, friends who left."""

from __future__ import annotations

import numpy as np
from scipy.stats import gamma, poisson

from keepline.periods import Month
from keepline.simulate import leaving, people
from keepline.simulate.draws import Draws
from keepline.simulate.state import Array, Customers
from keepline.simulate.world import World

FADES = 0.72  # of a trouble is left a month later
RIVAL_RATE, RIVAL_SHAPE, RIVAL_SCALE = 0.028, 2.0, 0.60  # a rival's offer: monthly rate, size gamma
COMPLAINT_RATE, SEVERITY_SIZE = 0.016, 0.22
SEVERITY_SHARES = np.array([0.20, 0.30, 0.25, 0.15, 0.10])
FAULTS_BORNE, FAULT_SIZE = 4, 0.09  # faults a month nobody minds; trouble of each one more
DISCOUNT_END_SIZE = 2.0  # trouble for a rise of the bill by 100 %, at usual price response
FRIEND_SIZES = {1: 0.40, 2: 0.15}  # trouble when a neighbour at this distance in the community leaves
CATEGORIES = ("network", "billing", "service", "broadband")


def fault_rates(op: World) -> Array:
    """Mean monthly faults of each district; some districts are badly served."""
    rng = Draws(op.seed, Month(0)).of("districts")
    return 2.2 * np.exp(rng.normal(0, 0.35, len(op.districts)))


def faults(op: World, month: Month) -> Array:
    """Faults of each district in the month; the same for every block of customers."""
    return Draws(op.seed, month).of("faults").poisson(fault_rates(op))


def complaint_rate(c: Customers, district_faults: Array) -> Array:
    """Probability of a complaint in the month."""
    burden = 1 + 0.15 * np.maximum(district_faults[c.district] - FAULTS_BORNE, 0) + 0.6 * c.mood
    return np.asarray(np.minimum(COMPLAINT_RATE * c.complaining * burden * np.where(c.organisation, 1.6, 1.0), 0.5))


def rival_rate(c: Customers) -> Array:
    return RIVAL_RATE * (0.5 + 0.5 * c.price_response) * np.where(c.organisation, 0.7, 1.0)


def complain(c: Customers, draws: Draws, district_faults: Array) -> Array:
    """Severity 1 to 5 of each customer's complaint this month, 0 for most."""
    rng = draws.of("complaints")
    happens = rng.random(len(c)) < complaint_rate(c, district_faults)
    return np.where(happens, rng.choice(5, len(c), p=SEVERITY_SHARES) + 1, 0)


def move_on(c: Customers, draws: Draws, *, severity: Array, district_faults: Array, leaving_now: Array) -> None:
    """Fade last month's troubles and add this month's."""
    rng = draws.of("rivals")
    visited = rng.random(len(c)) < rival_rate(c)
    rival = np.where(visited, rng.gamma(RIVAL_SHAPE, RIVAL_SCALE, len(c)), 0) + friends_left(c, leaving_now)
    ended = c.discount_end == draws.month.index - 1
    c.mood_rival = _faded(c.mood_rival, rival)
    c.mood_service = _faded(c.mood_service, SEVERITY_SIZE * severity * c.care_for_quality)
    c.mood_network = _faded(c.mood_network, _fault_trouble(district_faults)[c.district] * c.care_for_quality)
    c.mood_price = _faded(c.mood_price, np.where(ended, price_shock(c), 0))


def _faded(mood: Array, more: Array) -> Array:
    return (FADES * mood + more).astype("float32")


def _fault_trouble(district_faults: Array) -> Array:
    return np.asarray(FAULT_SIZE * np.maximum(district_faults - FAULTS_BORNE, 0))


def price_shock(c: Customers) -> Array:
    """Trouble on the day the discount ends."""
    net = np.maximum(people.recurring_fen(c) - c.discount_fen, 1)
    return np.asarray(DISCOUNT_END_SIZE * c.price_response * c.discount_fen / net)


def friends_left(c: Customers, leaving_now: Array) -> Array:
    """Trouble from neighbours in the calling graph who leave this month."""
    total = np.zeros(len(c))
    for distance, size in FRIEND_SIZES.items():
        first, second = neighbours(len(c), distance)
        np.add.at(total, first, size * leaving_now[second])
        np.add.at(total, second, size * leaving_now[first])
    return total


def neighbours(count: int, distance: int) -> tuple[Array, Array]:
    """Pairs of one community that far apart; the calling graph is a ladder within each community."""
    first = np.arange(max(count - distance, 0))
    same = first // people.COMMUNITY == (first + distance) // people.COMMUNITY
    return first[same], first[same] + distance


class Outlook:
    """What troubles are expected some months ahead, and how those still to come raise the hazard.

    Of shocks still to come at most one is thought to be at work on a customer at a time. Its mean effect on the
    hazard at log odds x is the sum over the months of its age a of

        rate x (E probability(x + MOOD x FADES^a x size) - probability(x)) x share who stayed on in between
    """

    def __init__(self, op: World, c: Customers) -> None:
        self._c = c
        self._mood = c.mood
        self._network = _fault_moments(op)[:, c.district] * np.stack([c.care_for_quality, c.care_for_quality**2])
        self._complaints = complaint_rate(c, FAULTS_BORNE + _faults_beyond(op))
        self._care = np.digitize(c.care_for_quality, _CARE_CUTS)
        self._rivals = rival_rate(c)

    def mean(self, months: int) -> Array:
        """Expected trouble ``months`` ahead, 0 being now."""
        return self._known(months) + self._mean_month() * (1 - FADES**months) / (1 - FADES)

    def steady(self, months: int) -> Array:
        """Trouble ``months`` ahead from what has happened and from faults, which come evenly."""
        total = self._known(months)
        for ago in range(months):
            left = FADES**ago
            total = total + left * self._network[0] + leaving.MOOD * left**2 / 2 * self._network[1]
        return total

    def raised(self, x: Array, months: int) -> Array:
        """Probability of leaving at log odds ``x``, with the shocks that ``months`` months may have brought."""
        place = np.clip((x - _GRID[0]) / _STEP, 0, len(_GRID) - 1.001)
        left = place.astype("int32")
        share = place - left
        more = self._rivals * _between(_RIVAL_TABLE[months], left, share)
        low, high = (_COMPLAINT_TABLES[self._care, months, place] for place in (left, left + 1))
        more = more + self._complaints * (low + share * (high - low))
        more = more + FRIENDS_RATE * _between(_FRIEND_TABLE[months], left, share)
        return np.asarray(leaving.probability(x) + more)

    def shock_of_discount(self, month: Month, months: int) -> Array:
        """Trouble from the end of a discount that is known to come, as it stands ``months`` ahead of ``month``."""
        since = month.index + months - (self._c.discount_end + 1)
        coming = (self._c.discount_end >= month.index) & (since >= 0)
        return np.where(coming, price_shock(self._c) * FADES ** np.maximum(since, 0), 0.0)

    def _known(self, months: int) -> Array:
        return self._mood * FADES**months

    def _mean_month(self) -> Array:
        severity = float((SEVERITY_SHARES * np.arange(1, 6)).sum())
        complaints = self._complaints * SEVERITY_SIZE * severity * self._c.care_for_quality
        rivals = self._rivals * RIVAL_SHAPE * RIVAL_SCALE
        return np.asarray(rivals + complaints + self._network[0] + FRIENDS_RATE * FRIEND_SIZES[1])


FRIENDS_RATE = 0.04  # two near neighbours, each leaving at about 2 % a month
LONGEST = 121  # months any outlook may go
_STEP = 0.1
_GRID = np.linspace(-12, 6, 181)  # of log odds


def _between(row: Array, left: Array, share: Array) -> Array:
    """Linear interpolation on the even grid; the places are found once for all tables."""
    low = row[left]
    return np.asarray(low + share * (row[left + 1] - low))


def _fault_moments(op: World) -> Array:
    """Mean and variance of one month's trouble by faults, by district."""
    count = np.arange(40)
    trouble = _fault_trouble(count)
    shares = poisson.pmf(count[:, None], fault_rates(op)[None, :])
    mean = (shares * trouble[:, None]).sum(axis=0)
    return np.stack([mean, (shares * trouble[:, None] ** 2).sum(axis=0) - mean**2])


def _faults_beyond(op: World) -> Array:
    """Mean faults a month beyond what nobody minds, by district."""
    count = np.arange(40)
    shares = poisson.pmf(count[:, None], fault_rates(op)[None, :])
    return np.asarray((shares * np.maximum(count - FAULTS_BORNE, 0)[:, None]).sum(axis=0))


def _table(sizes: Array, shares: Array) -> Array:
    """What one shock a month would add to the hazard, by months it may have come in and log odds on the grid."""
    usual = leaving.probability(_GRID)
    stays = np.ones((len(sizes), len(_GRID)))  # share of those shocked who stay on, against the others
    rows = [np.zeros_like(_GRID)]
    for age in range(LONGEST):
        hazard = leaving.probability(_GRID[None, :] + leaving.MOOD * FADES**age * sizes[:, None])
        rows.append(rows[-1] + (shares[:, None] * stays * (hazard - usual)).sum(axis=0))
        stays = stays * (1 - hazard) / (1 - usual)
    return np.stack(rows)


_QUANTILES = (np.arange(16) + 0.5) / 16
_RIVAL_TABLE = _table(np.minimum(gamma.ppf(_QUANTILES, RIVAL_SHAPE, scale=RIVAL_SCALE), 4.0), np.full(16, 1 / 16))
_CARE_LEVELS = np.array([0.4, 0.65, 0.9, 1.2, 1.6, 2.2])
_CARE_CUTS = (_CARE_LEVELS[1:] + _CARE_LEVELS[:-1]) / 2
_COMPLAINT_TABLES = np.stack([_table(care * SEVERITY_SIZE * np.arange(1, 6), SEVERITY_SHARES) for care in _CARE_LEVELS])
_FRIEND_TABLE = _table(np.array(list(FRIEND_SIZES.values())), np.ones(len(FRIEND_SIZES)))
