"""Makes customers: who they are, what they hold, and the hidden springs of their loyalty."""

from __future__ import annotations

import numpy as np

from keepline.periods import Month
from keepline.simulate import days, world
from keepline.simulate.draws import Draws
from keepline.simulate.state import NEVER, Array, Customers
from keepline.simulate.world import World

ORGANISATION_SHARE = 0.06
COMMUNITY = 12  # customers who live and call together, by order of number
Columns = dict[str, Array]


def founders(op: World, draws: Draws, *, count: int, first_number: int) -> Customers:
    """The customers the operator has when the story begins, of every tenure."""
    rng = draws.of("tenure")
    tenure = np.minimum(rng.exponential(58.0, count), 260).astype("int64")
    return _make(op, draws, tenure=tenure, first_number=first_number)


def newcomers(op: World, draws: Draws, *, count: int, first_number: int) -> Customers:
    """The customers who join in the month of ``draws``."""
    return _make(op, draws, tenure=np.zeros(count, dtype="int64"), first_number=first_number)


def _make(op: World, draws: Draws, *, tenure: Array, first_number: int) -> Customers:
    count = len(tenure)
    made: Columns = {"number": np.arange(first_number, first_number + count, dtype="int64")}
    made["pseudonym"] = np.zeros(count, dtype="int64")
    made["organisation"] = draws.of("kind").random(count) < ORGANISATION_SHARE
    made |= _hidden(draws.of("hidden"), tenure)
    made |= _profile(op, draws, made, tenure=tenure)
    made |= _services(draws.of("services"), made)
    made |= _standing(draws, made, month=draws.month)
    made |= _contracts(draws.of("contracts"), made, tenure=tenure, month=draws.month)
    made |= _use(draws.of("use"), made)
    made |= _blank(count)
    return Customers(**made)


def _hidden(rng: np.random.Generator, tenure: Array) -> Columns:
    count = len(tenure)
    long_here = np.clip((tenure - 50) / 50.0, -1, 2)
    attachment = 0.25 * long_here + rng.normal(0, 0.95, count)
    return {
        "attachment": attachment.astype("float32"),
        "inertia": (0.2 * long_here + rng.normal(0, 0.95, count)).astype("float32"),
        "price_response": np.clip(rng.lognormal(-0.1, 0.5, count), 0.1, 3).astype("float32"),
        "care_for_quality": np.clip(rng.lognormal(-0.1, 0.45, count), 0.1, 3).astype("float32"),
        "growth": rng.normal(0.001, 0.008, count).astype("float32"),
        "complaining": np.clip(rng.lognormal(-0.3, 0.7, count), 0.1, 5).astype("float32"),
        "paying_late": np.clip(rng.lognormal(-0.6, 1.0, count), 0.05, 8).astype("float32"),
        "responsive": rng.normal(0, 1, count).astype("float32"),
    }


def _profile(op: World, draws: Draws, made: Columns, *, tenure: Array) -> Columns:
    rng, count = draws.of("profile"), len(tenure)
    organisation = made["organisation"]
    joined_month = draws.month.index - tenure
    age = np.clip(rng.gamma(9.0, 4.6, count), 18, 88)
    birthday = days.first_day(np.array([draws.month.index]))[0] - (age * 365.25).astype("int64")
    founded = days.first_day(joined_month) - rng.integers(100, 9000, count)
    blacklisted = rng.random(count) < 0.006
    return {
        "industry": np.where(organisation, _industries(rng, count), NEVER).astype("int8"),
        "district": _districts(op, rng, count),
        "joined": (days.first_day(joined_month) + rng.integers(0, 28, count)).astype("int32"),
        "birthday": np.where(organisation, founded, birthday).astype("int32"),
        "consent": ~blacklisted & (rng.random(count) < np.where(organisation, 0.92, 0.78)),
        "blacklisted": blacklisted,
        "channel": np.where(rng.random(count) < 0.25, rng.integers(0, len(world.CHANNELS), count), NEVER).astype(
            "int8"
        ),
        "gap_days": np.where(rng.random(count) < 0.08, rng.choice([14, 30, 60], count), NEVER).astype("int16"),
        "ported_in": rng.random(count) < 0.12,
        "place": np.where(organisation, 0, _places(rng, count)).astype("int8"),
    }


def _industries(rng: np.random.Generator, count: int) -> Array:
    return rng.choice(len(world.INDUSTRIES), count, p=np.array(list(world.INDUSTRIES.values())))


def _places(rng: np.random.Generator, count: int) -> Array:
    """The planted niches: 1.2 % live with a hospital ward, others on campus, at a market, at the border."""
    return rng.choice(len(world.PLACES), count, p=[0.868, 0.012, 0.06, 0.05, 0.01])


def _districts(op: World, rng: np.random.Generator, count: int) -> Array:
    """Communities live in one district, but for one customer in six."""
    groups = -(-count // COMMUNITY)
    together = np.repeat(rng.choice(len(op.districts), groups, p=op.district_weights), COMMUNITY)[:count]
    alone = rng.choice(len(op.districts), count, p=op.district_weights)
    return np.where(rng.random(count) < 1 / 6, alone, together).astype("int16")


def _services(rng: np.random.Generator, made: Columns) -> Columns:
    organisation, count = made["organisation"], len(made["number"])
    size = np.clip(np.exp(rng.normal(1.75, 0.95, count)), 1, 80).astype("int64")
    own = rng.choice(3, count, p=[0.79, 0.18, 0.03]) + 1
    prepaid = ~organisation & (rng.random(count) < 0.14)
    tier = rng.choice(world.PERSON_PLANS[1] + 1, count, p=[0.15, 0.26, 0.24, 0.19, 0.10, 0.05, 0.01])
    group = np.where(rng.random(count) < 0.3, world.GROUP_PLANS[1], world.GROUP_PLANS[0])
    fast = rng.random(count) < 0.3
    broadband = rng.random(count) < np.where(organisation, 0.7, np.where(prepaid, 0.05, 0.36))
    return {
        "plan": np.where(organisation, group, np.where(prepaid, world.PREPAID, tier)).astype("int8"),
        "prepaid": prepaid,
        "mobiles": np.where(organisation, size, np.where(prepaid, 1, own)).astype("int16"),
        "broadband": np.where(broadband, np.where(fast, *reversed(world.BROADBAND_PLANS)), NEVER).astype("int8"),
        "tv": broadband & ~organisation & (rng.random(count) < 0.4),
        "fixed": np.where(organisation, rng.poisson(1.2, count), rng.random(count) < 0.06).astype("int16"),
        **_circuits(rng, organisation, size),
        "value_added_fen": _some(rng, count, share=0.3, mean_fen=900),
        "roaming_fen": np.where(made["place"] == 4, 2500, _some(rng, count, share=0.06, mean_fen=1500)).astype("int32"),
    }


def _circuits(rng: np.random.Generator, organisation: Array, size: Array) -> Columns:
    count = len(size)
    has = organisation & (rng.random(count) < np.clip(0.10 + 0.015 * size, 0, 0.6))
    kind = world.CIRCUIT_PLANS[0] + rng.choice(3, count, p=[0.72, 0.23, 0.05])
    return {
        "circuits": np.where(has, 1 + rng.poisson(0.4, count), 0).astype("int16"),
        "circuit_plan": kind.astype("int8"),
    }


def _some(rng: np.random.Generator, count: int, *, share: float, mean_fen: int) -> Array:
    amount = np.round(rng.gamma(2.0, mean_fen / 2, count) / 100) * 100
    return np.where(rng.random(count) < share, amount, 0).astype("int32")


def recurring_fen(c: Customers) -> Array:
    """The sum of the prices of all plans held."""
    return recurring_of({name: getattr(c, name) for name in _HELD})


_HELD = ("plan", "mobiles", "broadband", "tv", "fixed", "circuits", "circuit_plan")


def recurring_of(held: Columns) -> Array:
    price = world.PRICES
    total = price[held["plan"]] * held["mobiles"] + np.where(held["broadband"] >= 0, price[held["broadband"]], 0)
    total = total + held["tv"] * price[world.TV] + held["fixed"] * price[world.FIXED]
    return np.asarray((total + held["circuits"] * price[held["circuit_plan"]]).astype("int64"))


def _standing(draws: Draws, made: Columns, *, month: Month) -> Columns:
    """Stars by fee and tenure; a listed class for a few; important and large accounts have a manager."""
    rng, count = draws.of("standing"), len(made["number"])
    fee = recurring_of(made)
    tenure = month.index - days.month_of(made["joined"])
    points = fee / 10000.0 + tenure / 60.0
    star = np.digitize(points, [0.8, 1.6, 2.6, 4.2]).astype("int8")
    listed = np.where(made["organisation"] & (rng.random(count) < 0.05), rng.integers(1, 4, count), 0)
    return {"star": star, "listed": listed.astype("int8")}


def assign_managers(op: World, c: Customers, rng: np.random.Generator) -> None:
    """Every organisation and the persons with the highest fee have a manager of their district."""
    managed = c.organisation | (recurring_fen(c) >= 40000)
    pick = (rng.random(len(c)) * op.managers_by_district[c.district]).astype("int64")
    c.manager = np.where(managed, op.first_manager[c.district] + pick, NEVER).astype("int32")


def _contracts(rng: np.random.Generator, made: Columns, *, tenure: Array, month: Month) -> Columns:
    count = len(tenure)
    bound = (rng.random(count) < np.where(tenure == 0, 0.8, 0.62)) & ~made["prepaid"]
    months_to_go = np.where(tenure == 0, rng.choice([12, 24], count), rng.integers(-9, 24, count))
    fee = recurring_of(made)
    some = (rng.random(count) < 0.22) & ~made["prepaid"]
    share = rng.choice([0.1, 0.15, 0.2, 0.3], count)
    return {
        "contract_end": np.where(bound, month.index + months_to_go, NEVER).astype("int32"),
        "discount_fen": np.where(some, np.round(fee * share / 100) * 100, 0).astype("int64"),
        "discount_end": np.where(some, month.index + rng.integers(1, 24, count), NEVER).astype("int32"),
    }


def _use(rng: np.random.Generator, made: Columns) -> Columns:
    """Use near the allowance of the plan: who uses more pays overage, who uses less pays for nothing."""
    count, plan = len(made["number"]), made["plan"]
    data = np.where(made["prepaid"], 3.0 * world.GB, world.DATA[plan])
    voice = np.where(made["prepaid"], 80.0 * 60, world.VOICE[plan])
    ward = (made["place"] == 1) * 0.6
    return {
        "data_level": (np.log(data) + rng.normal(-0.38, 0.42, count) - ward).astype("float32"),
        "voice_level": (np.log(voice) + rng.normal(-0.45, 0.45, count)).astype("float32"),
        "swing": rng.normal(0, 0.084, count).astype("float32"),
        "offnet": np.clip(rng.beta(4, 6, count), 0.02, 0.98).astype("float32"),
    }


def _blank(count: int) -> Columns:
    """What nothing has happened to yet."""
    zeros = {name: np.zeros(count, dtype="float32") for name in _MOODS}
    money = {name: np.zeros(count, dtype="int64") for name in ("arrears_fen", "extra_fen", *_BILLED)}
    nothing = {name: np.full(count, NEVER, dtype="int32") for name in _MONTHS}
    return {
        **zeros, **money, **nothing,
        "arrears_months": np.zeros(count, dtype="int16"),
        "manager": np.full(count, NEVER, dtype="int32"),
        "pilot": np.full(count, NEVER, dtype="int16"),
    }  # fmt: skip


_MOODS = ("mood_price", "mood_network", "mood_service", "mood_rival", "shift")
_BILLED = ("revenue_fen", "revenue_1_fen", "revenue_2_fen", "data_kb")
_MONTHS = ("pilot_month", "shift_until", "extra_until", "contacted", "left")
