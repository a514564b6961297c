"""The operator around the customers: cities and districts, industries, plans, managers; all names are invented."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keepline.simulate.state import Array

GB = 1024 * 1024  # KB
CITIES = ("临江市", "云泽市", "青岚市", "海屿市", "松原州", "石梁市", "白鹭市", "龙湾市")
QUARTERS = (
    "城东区",
    "城西区",
    "城南区",
    "城北区",
    "高新区",
    "港口区",
    "平湖县",
    "安溪县",
    "河源县",
    "丰岭县",
    "新桥镇",
    "南山镇",
)
INDUSTRIES = {
    "government": 0.10, "security": 0.03, "press": 0.02, "finance": 0.08, "emergency": 0.02, "manufacturing": 0.24,
    "retail": 0.25, "education": 0.09, "health": 0.08, "hospitality": 0.09,
}  # fmt: skip
PLACES = ("", "hospital", "campus", "market", "border")
STARS = ("1", "2", "3", "4", "5")
CHANNELS = ("sms", "app", "hotline", "email")
ACCOUNTS_A_MANAGER = 65


@dataclass(frozen=True)
class Plan:
    """What is charged for what: price in fen, voice in seconds, data in KB."""

    plan_id: str
    name: str
    product: str
    price_fen: int
    voice_s: int = 0
    data_kb: int = 0


def _mobile(plan_id: str, *, yuan: int, minutes: int, gb: int) -> Plan:
    return Plan(plan_id, f"畅享 {yuan} 元", "mobile", yuan * 100, minutes * 60, gb * GB)


PLANS = (
    _mobile("M019", yuan=19, minutes=100, gb=5),
    _mobile("M039", yuan=39, minutes=150, gb=12),
    _mobile("M059", yuan=59, minutes=200, gb=20),
    _mobile("M099", yuan=99, minutes=400, gb=35),
    _mobile("M159", yuan=159, minutes=700, gb=60),
    _mobile("M239", yuan=239, minutes=1200, gb=100),
    _mobile("M329", yuan=329, minutes=2000, gb=150),
    Plan("G059", "集团 59 元", "mobile", 5900, 500 * 60, 20 * GB),
    Plan("G099", "集团 99 元", "mobile", 9900, 1000 * 60, 40 * GB),
    Plan("B060", "宽带 300M", "broadband", 6000),
    Plan("B100", "宽带 1000M", "broadband", 10000),
    Plan("T020", "电视", "tv", 2000),
    Plan("F030", "固话", "fixed", 3000),
    Plan("C080", "专线 50M", "circuit", 80000),
    Plan("C200", "专线 200M", "circuit", 200000),
    Plan("C500", "专线 1000M", "circuit", 500000),
    Plan("P000", "预付随心", "mobile", 0),
)
PLAN_NUMBER = {plan.plan_id: i for i, plan in enumerate(PLANS)}
PERSON_PLANS = (0, 6)  # first and last
GROUP_PLANS = (PLAN_NUMBER["G059"], PLAN_NUMBER["G099"])
BROADBAND_PLANS = (PLAN_NUMBER["B060"], PLAN_NUMBER["B100"])
TV, FIXED, PREPAID = PLAN_NUMBER["T020"], PLAN_NUMBER["F030"], PLAN_NUMBER["P000"]
CIRCUIT_PLANS = (PLAN_NUMBER["C080"], PLAN_NUMBER["C500"])

PRICES = np.array([plan.price_fen for plan in PLANS], dtype="int64")
DATA = np.array([plan.data_kb for plan in PLANS], dtype="float64")
VOICE = np.array([plan.voice_s for plan in PLANS], dtype="float64")


@dataclass(frozen=True)
class World:
    """Sizes follow from the number of customers; nothing here is random but the managers' authority."""

    customers: int
    seed: int

    @cached_property
    def districts(self) -> tuple[tuple[str, str], ...]:
        """City and district, both as the operator writes them."""
        count = max(3, min(self.customers // 800, len(CITIES) * len(QUARTERS)))
        names = [(city, f"{city}{quarter}") for city in CITIES for quarter in QUARTERS]
        cities = max(1, min(len(CITIES), count // 6))
        chosen = [names[c * len(QUARTERS) + q] for q in range(len(QUARTERS)) for c in range(cities)]
        return tuple(sorted((chosen + [n for n in names if n not in chosen])[:count], key=names.index))

    @cached_property
    def district_weights(self) -> Array:
        """Share of customers in each district: earlier ones are larger."""
        weights = 1.0 / np.sqrt(2.0 + np.arange(len(self.districts)))
        return np.asarray(weights / weights.sum())

    @cached_property
    def managers_by_district(self) -> Array:
        """Account managers in each district; about one customer in twelve has one."""
        accounts = self.customers * self.district_weights * 0.08
        return np.maximum(1, np.round(accounts / ACCOUNTS_A_MANAGER)).astype("int64")

    @cached_property
    def first_manager(self) -> Array:
        """Number of each district's first manager."""
        return np.concatenate([[0], np.cumsum(self.managers_by_district)[:-1]])

    @cached_property
    def manager_districts(self) -> Array:
        return np.repeat(np.arange(len(self.districts)), self.managers_by_district)


def manager_id(number: int) -> str:
    return f"M{number + 1:05d}"
