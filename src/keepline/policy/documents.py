"""The policy files of a site, one class each, and what every line in them means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from keepline.canonical import file_hash, text_hash
from keepline.errors import PolicyError, UnclearError
from keepline.periods import Month
from keepline.policy.conditions import Condition
from keepline.policy.document import Document, Part, Text, read
from keepline.policy.drivers import Driver
from keepline.tables import CHANNELS, COMPONENTS, FEATURES, Type

MOST_FEN = 10**15  # ten trillion yuan: more is a slip of the hand, and sums of it would not fit
Fen = Annotated[int, Field(ge=0, le=MOST_FEN)]


def _different(otherwise: UnclearError, said: Iterable[object]) -> None:
    every = list(said)
    if len(every) != len(set(every)):
        raise otherwise


class ClassRule(Part):
    """A rule that puts a customer in a class; the first that holds decides (K1)."""

    id: str
    gives: Literal["important", "key", "potential"]
    when: tuple[Condition, ...] = Field(min_length=1)
    reason: Text


class Classes(Document):
    """classes.toml: important, key and potential accounts. A list of the operator's beats every rule."""

    rule: tuple[ClassRule, ...] = ()

    @model_validator(mode="after")
    def _ids(self) -> Self:
        _different(UnclearError("two rules share an id", "有两条规则的 id 相同"), (rule.id for rule in self.rule))
        return self


class Value(Document):
    """value.toml: what a customer is worth (K3), and the margin in each bill component."""

    horizon_months: int = Field(ge=1, le=120)
    discount_rate_year: float = Field(ge=0, lt=1)
    interval: float = Field(default=0.9, gt=0, lt=1)
    lifetime: Literal["rate", "cohorts"] = Field(
        default="rate", description="how staying goes on after the model's horizon, and who values the prepaid"
    )
    margin_share: dict[str, Annotated[float, Field(ge=-1, le=1)]]
    referral_margin_share: float = Field(
        default=0.5, ge=0, le=1, description="of a brought customer's margin, counted as word of mouth"
    )

    @model_validator(mode="after")
    def _components(self) -> Self:
        if set(self.margin_share) != set(COMPONENTS):
            raise UnclearError(
                f"margin_share must name each component once: {', '.join(COMPONENTS)}",
                f"margin_share 须把每种账目各写一次：{'、'.join(COMPONENTS)}",
            )
        return self


class Loyalty(Document):
    """loyalty.toml: loyal, general, wavering (K4), and what kind of loyalty it is."""

    loyal_months_min: int = Field(ge=0)
    steady_revenue_change_min: float = Field(description="a fall below this share is not steady")
    wavering_leave_probability_min: float = Field(ge=0, le=1)
    wavering_revenue_change_max: float
    attachment_products_min: int = Field(ge=1)
    attachment_recommend_min: float = Field(ge=0, le=1)
    stay_intention_loyal_min: float = Field(ge=0, le=1)
    stay_intention_wavering_max: float = Field(ge=0, le=1)
    price_discount_share_min: float = Field(
        ge=0, le=1, description="discounts over revenue, from which loyalty is to price"
    )
    driver: tuple[Driver, ...] = Field(default=(), description="what each driver of loyalty is measured by (K7)")

    @model_validator(mode="after")
    def _each_driver_once(self) -> Self:
        names = [one.name for one in self.driver]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UnclearError(
                f"driver {', '.join(twice)} stands twice; put its evidence together",
                f"驱动因素 {'、'.join(twice)} 重复；请把依据写在一处",
            )
        return self


class Leaving(Document):
    """leaving.toml: who is in the base, what leaving means, and how it is learnt (K5, K6)."""

    horizon_months: int = Field(ge=1, le=12)
    active_when: tuple[Condition, ...] = Field(
        description="any one of them makes a customer active in the snapshot month"
    )
    left_when: Literal["departure", "silent"] = Field(
        description="departure: a recorded row; silent: no use and no bill for a whole month"
    )
    learn_from: Literal["past_snapshots", "this_snapshot"] = Field(
        default="past_snapshots",
        description="this_snapshot: one labelled file; what followed it is known, and everyone is scored by a model "
        "that did not see their own outcome",
    )
    downgrade_fall_share: float = Field(default=0.2, gt=0, lt=1)
    true_monthly_rate: float | None = Field(default=None, gt=0, lt=1, description="where leavers were over-sampled")
    oversampled: bool = False
    high_band_min: float = Field(ge=0, le=1)
    medium_band_min: float = Field(ge=0, le=1)
    raises_risk: tuple[str, ...] = Field(
        default=(), description="numbers that may only raise the risk of leaving, features or own facts"
    )
    lowers_risk: tuple[str, ...] = Field(default=(), description="numbers that may only lower it")
    training_snapshots: int = Field(default=3, ge=1, le=12)
    training_customers_max: int = Field(
        default=200_000,
        ge=1000,
        description="rows of customers in all past months together; of more a random sample is learnt from",
    )
    reasons: dict[str, Text] = Field(default_factory=dict, description="the operator's codes for recorded reasons")

    @model_validator(mode="after")
    def _ways(self) -> Self:
        both = sorted(set(self.raises_risk) & set(self.lowers_risk))
        if both:
            raise UnclearError(
                f"{', '.join(both)} cannot only raise and only lower the risk; keep one of raises_risk and lowers_risk",
                f"{'、'.join(both)} 不能既只升高又只降低风险；请只写入 raises_risk 或 lowers_risk 之一",
            )
        codes = [c.name for c in FEATURES.columns if c.type is Type.TEXT]
        wrong = sorted({*self.raises_risk, *self.lowers_risk} & set(codes))
        if wrong:
            raise UnclearError(
                f"{', '.join(wrong)} is a code and cannot rise or fall; name numbers in raises_risk and lowers_risk",
                f"{'、'.join(wrong)} 是代码而非数值，谈不上升降；raises_risk 与 lowers_risk 只能写数值",
            )
        return self

    @model_validator(mode="after")
    def _bands(self) -> Self:
        if self.medium_band_min > self.high_band_min:
            raise UnclearError("medium_band_min lies above high_band_min", "medium_band_min 不得高于 high_band_min")
        return self


class Effect(Part):
    """What the offer changes: measured in a pilot, or assumed and marked so wherever it is shown."""

    source: Literal["experiment", "assumed"]
    experiment_id: str = ""
    leave_reduction_share: float = Field(
        default=0.0, ge=0, le=1, description="assumed: share of the risk it takes away"
    )
    margin_month_fen: int = Field(
        default=0,
        ge=-MOST_FEN,
        le=MOST_FEN,
        description="assumed: margin it adds or gives up a month, over all reached",
    )
    accept_share: float = Field(default=1.0, ge=0, le=1, description="assumed: share who take it, for the cost")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.source == "experiment" and not self.experiment_id:
            raise UnclearError("an effect from an experiment names experiment_id", "效果取自试点时须写 experiment_id")
        return self


class Pilot(Part):
    """How the offer's pilot is run and decided, written down before it starts (docs/mechanisms/pilots.md)."""

    customers: int = Field(ge=200, le=100_000_000, description="of all looks together, both arms")
    looks: int = Field(default=3, ge=1, le=24, description="sets of lots, each looked at when its window is over")
    treated_share: float = Field(default=0.5, ge=0.05, le=0.95)
    worth_month_fen: int = Field(
        default=0,
        ge=-MOST_FEN,
        le=MOST_FEN,
        description="net margin a customer and month, above which it is rolled out",
    )


class Offer(Part):
    """One offer: cost, floor price, who may have it, its purpose (D2) and its effect."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: Text
    purpose: Literal["profit", "loyalty"]
    channel: str
    price_fen: Fen = Field(description="what the customer pays a month")
    list_price_fen: Fen
    floor_price_fen: Fen
    contact_cost_fen: Fen = Field(description="paid for each customer contacted")
    benefit_cost_fen: Fen = Field(description="paid for each customer who takes it")
    manager_minutes: int = Field(default=0, ge=0)
    eligible: tuple[Condition, ...] = ()
    effect: Effect
    pilot: Pilot | None = None

    @model_validator(mode="after")
    def _piloted(self) -> Self:
        if self.pilot is not None and self.effect.source != "experiment":
            raise UnclearError(
                "pilot decides by what an experiment finds; an assumed effect has none",
                "pilot 依据试点结果作决定；效果为假设时不能写 pilot",
            )
        return self

    @model_validator(mode="after")
    def _prices(self) -> Self:
        if self.channel not in CHANNELS:
            raise UnclearError(
                f"channel {self.channel!r} is not one of {', '.join(CHANNELS)}",
                f"没有渠道 {self.channel}；可用：{'、'.join(CHANNELS)}",
            )
        if self.price_fen < self.floor_price_fen:
            raise UnclearError(
                f"price {self.price_fen} fen is under the floor price {self.floor_price_fen} fen",
                f"价格 {self.price_fen} 分低于底价 {self.floor_price_fen} 分",
            )
        if self.manager_minutes and self.channel not in ("visit", "manager_call"):
            raise UnclearError(
                "manager_minutes are for the channels visit and manager_call",
                "manager_minutes 只用于渠道 visit 与 manager_call",
            )
        return self


class TenureBenefit(Part):
    """What customers of long standing earn every year, whatever else is decided (D6)."""

    from_months: int = Field(ge=0)
    yearly_benefit_fen: Fen
    name: Text


class Offers(Document):
    """offers.toml: the catalogue."""

    pilot_level: float = Field(default=0.05, gt=0, le=0.5, description="one-sided, of all a pilot looks at together")
    offer: tuple[Offer, ...] = ()
    tenure_benefit: tuple[TenureBenefit, ...] = ()

    @model_validator(mode="after")
    def _ids(self) -> Self:
        _different(UnclearError("two offers share an id", "有两个优惠的 id 相同"), (offer.id for offer in self.offer))
        same = UnclearError("two benefits begin at the same tenure", "有两项权益的起始网龄相同")
        _different(same, (band.from_months for band in self.tenure_benefit))
        return self


class Contact(Document):
    """contact.toml: whom we may speak to (D5)."""

    consent_needed_channels: tuple[str, ...] = ("sms", "email", "app", "manager_call", "letter")
    contacts_month_max: int = Field(ge=0)
    contact_gap_days_min: int = Field(ge=0)
    arrears_months_max: int = Field(ge=0, description="older arrears stop every offer")
    open_complaint_stops: bool = True
    running_pilot_stops: bool = Field(
        default=True, description="whoever a running pilot measures, in either arm, is kept out of the plan"
    )

    @model_validator(mode="after")
    def _channels(self) -> Self:
        _known_channels(self.consent_needed_channels)
        return self


class Limits(Document):
    """limits.toml: our means this month (D4), and the share left alone."""

    money_fen: Fen
    channel_contacts: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="contacts each channel can make; absent: no limit"
    )
    manager_minutes_each: int | None = Field(
        default=None, ge=0, description="for managers whose own minutes are unknown"
    )
    weeks: int | None = Field(default=None, ge=1, le=6, description="weeks the plan is spread over; absent: none")
    channel_week_contacts: dict[str, tuple[Annotated[int, Field(ge=0)], ...]] = Field(
        default_factory=dict, description="contacts each channel can make in each of the weeks; absent: no limit"
    )
    manager_week_minutes: int | None = Field(
        default=None, ge=0, description="the most minutes of any manager in one week; absent: no limit"
    )
    held_out_share: float = Field(ge=0, le=0.5)
    held_out_salt: str = Field(min_length=1, description="a new salt draws new lots")
    exceed_authority: Literal["exclude", "allow"] = "exclude"

    @model_validator(mode="after")
    def _channels(self) -> Self:
        _known_channels((*self.channel_contacts, *self.channel_week_contacts))
        return self

    @model_validator(mode="after")
    def _weeks(self) -> Self:
        if self.weeks is None and (self.channel_week_contacts or self.manager_week_minutes is not None):
            raise UnclearError(
                "limits by week need 'weeks', the number of weeks the plan is spread over",
                "按周的限额需要写明 weeks，即方案分布的周数",
            )
        for channel, each in self.channel_week_contacts.items():
            if len(each) != self.weeks:
                raise UnclearError(
                    f"channel_week_contacts.{channel} has {len(each)} numbers, and there are {self.weeks} weeks; "
                    "write one number for each week",
                    f"channel_week_contacts.{channel} 有 {len(each)} 个数，而周数为 {self.weeks}；请每周写一个数",
                )
        return self

    @property
    def month_contacts(self) -> dict[str, int]:
        """Contacts of each limited channel in the month: no more than its weeks have together."""
        weekly = {channel: sum(each) for channel, each in self.channel_week_contacts.items()}
        named = sorted({*self.channel_contacts, *weekly})
        return {c: min(self.channel_contacts.get(c, weekly.get(c, 0)), weekly.get(c, MOST_FEN)) for c in named}

    def month_minutes(self, own: int | None) -> int | None:
        """A manager's minutes in the month: no more than the weeks have together."""
        if self.weeks is None or self.manager_week_minutes is None:
            return own
        most = self.weeks * self.manager_week_minutes
        return most if own is None else min(own, most)


def _known_channels(named: Iterable[str]) -> None:
    unknown = set(named) - set(CHANNELS)
    if unknown:
        raise UnclearError(
            f"unknown channels {', '.join(sorted(unknown))}; known are {', '.join(CHANNELS)}",
            f"没有渠道 {'、'.join(sorted(unknown))}；可用：{'、'.join(CHANNELS)}",
        )


@dataclass(frozen=True)
class Policy:
    """All policy files of a site as they bind for one month."""

    classes: Classes
    value: Value
    loyalty: Loyalty
    leaving: Leaving
    offers: Offers
    contact: Contact
    limits: Limits
    hashes: dict[str, str]

    @property
    def version(self) -> str:
        """The stamp of a decision row: the versions in order, and a hash of the files."""
        names = (f.name for f in fields(self) if f.name != "hashes")
        said = "+".join(f"{name}:{getattr(self, name).version}" for name in names)
        return f"{said}#{text_hash(self.hashes)[:8]}"


KINDS: dict[str, type[Document]] = {
    "classes": Classes,
    "value": Value,
    "loyalty": Loyalty,
    "leaving": Leaving,
    "offers": Offers,
    "contact": Contact,
    "limits": Limits,
}


ANY_MONTH = Month.parse("9998-12")  # later than any policy begins to bind


def read_policy(folder: Path, month: Month, *, context: str | None = None) -> Policy:
    """Read every file; one that is not yet valid in ``month`` is refused."""
    documents = {name: read(folder / f"{name}.toml", kind, context=context) for name, kind in KINDS.items()}
    for name, document in documents.items():
        if document.valid_from > month.last_day:
            raise PolicyError(
                f"{folder / name}.toml binds from {document.valid_from}, after {month}: put the file that binds in "
                f"{month} in its place, or ask for a later month; keepline policy try tries it on a published one",
                f"{folder / name}.toml 自 {document.valid_from} 起生效，晚于账期 {month}：请换回 {month} 有效的文件，"
                f"或改用更晚的账期；keepline policy try 可在已发布账期上试算",
                code="policy_not_yet",
            )
    hashes = {name: file_hash(folder / f"{name}.toml") for name in KINDS}
    return Policy(**documents, hashes=hashes)  # type: ignore[arg-type]
