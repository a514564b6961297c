"""A planned tariff as people write it: what a month costs, what it includes, and how customers may choose."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from keepline.errors import UnclearError
from keepline.policy.conditions import Condition
from keepline.policy.document import Document, Part, Text, read

Use = Literal["voice", "voice_onnet", "voice_offnet", "voice_in", "roaming", "data", "sms"]
Product = Literal["mobile", "broadband", "tv", "fixed", "iot", "circuit", "other"]
Component = Literal["recurring", "overage", "roaming", "value_added", "topup", "one_off", "discount", "credit"]
Rounding = Literal["half_up", "up", "down"]
PRODUCTS: tuple[str, ...] = get_args(Product)
POOLED: tuple[Use, ...] = ("voice", "data", "sms")  # what accounts of one organisation may share

MOST_USE = 10**12  # of one meter in a month, in its own unit; with MOST_PRICE every product fits 63 bits
MOST_PRICE = 10**6
MOST_FEN = 10**9
Fen = Annotated[int, Field(ge=0, le=MOST_FEN)]
Amount = Annotated[int, Field(ge=0, le=MOST_USE)]


class Tier(Part):
    """The price of use above so much beyond the allowance."""

    above: Amount = 0
    fen: int = Field(ge=0, le=MOST_PRICE, description="for so much as the charge's ``per`` says")


class Charge(Part):
    """How one kind of use is charged. Use is in seconds, KB or messages, as in the lake."""

    use: Use
    included: Amount = Field(default=0, description="free of charge in a month, for the customer")
    included_line: Amount = Field(default=0, description="and for each line of the tariff's kind")
    shared: Literal["customer", "organisation"] = Field(
        default="customer", description="whose lines share one allowance"
    )
    step: int = Field(default=1, ge=1, le=10**9, description="the month's use counts in whole steps, begun ones whole")
    per: int = Field(default=1, ge=1, le=10**9, description="a tier's price is for so much use")
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=20)
    tiering: Literal["part", "whole"] = Field(
        default="part", description="part: each part of the use at its tier's price; whole: all at the tier reached"
    )
    cap_fen: Fen | None = Field(default=None, description="never more than this in a month")
    cap_line_fen: Fen | None = Field(default=None, description="and this for each line")
    rounding: Rounding = "half_up"

    @model_validator(mode="after")
    def _tiers(self) -> Self:
        starts = [tier.above for tier in self.tiers]
        if starts[0] != 0 or any(low >= high for low, high in pairwise(starts)):
            raise UnclearError(
                f"the tiers of {self.use} begin above {', '.join(map(str, starts))}; the first begins above 0 and each "
                "further one above more",
                f"{self.use} 的各档起点为 {'、'.join(map(str, starts))}；第一档须自 0 起，以后逐档增大",
            )
        if self.shared == "organisation" and self.use not in POOLED:
            raise UnclearError(
                f"{self.use} cannot be shared by the accounts of an organisation; {', '.join(POOLED)} can",
                f"{self.use} 不能由同一单位的客户共享；可共享的有：{'、'.join(POOLED)}",
            )
        return self

    @property
    def capped(self) -> bool:
        return self.cap_fen is not None or self.cap_line_fen is not None

    @property
    def by_line(self) -> bool:
        return bool(self.included_line or self.cap_line_fen)


class Fee(Part):
    """The monthly fee of each line of a kind; the first ``included`` come without."""

    product: Product
    fen: Fen
    included: int = Field(default=0, ge=0, le=10**6)


class Bundle(Part):
    """Taken off the month's fees while a customer holds a line of each of these kinds."""

    products: tuple[Product, ...] = Field(min_length=2)
    off_fen: Fen


class Choice(Part):
    """How customers are thought to choose when nobody is moved: assumed, and said so with every answer."""

    inertia_fen: Fen = Field(default=1000, description="saved a month, from which a customer moves")
    inertia_low_fen: Fen = 500
    inertia_high_fen: Fen = 2000
    spread_fen: Fen = Field(default=0, description="0: a sharp line; else how gradually they move about it (logistic)")
    considering: float = Field(default=1.0, ge=0, le=1, description="share who consider moving at all")
    considering_low: float = Field(default=1.0, ge=0, le=1)
    considering_high: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not (
            self.inertia_low_fen <= self.inertia_fen <= self.inertia_high_fen
            and self.considering_low <= self.considering <= self.considering_high
        ):
            raise UnclearError(
                "of inertia and of considering, low is at most the likely one, and that at most high",
                "inertia 与 considering 的 low 不得大于中间值，中间值不得大于 high",
            )
        return self


class Tariff(Document):
    """A planned tariff; see docs/mechanisms/tariffs.md for the order in which a month is billed."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: Text
    replaces: tuple[Component, ...] = Field(
        default=("recurring", "overage"), description="what of today's bill it takes the place of"
    )
    keeps_other_products: bool = Field(
        default=True, description="lines of kinds without a fee here keep their plan's price; false: it is for all"
    )
    line: Product = Field(default="mobile", description="kind of line that amounts for each line count")
    base_fen: Fen = Field(default=0, description="monthly fee of the customer")
    least_fen: Fen = Field(default=0, description="the month is never charged less")
    bill_step_fen: int = Field(default=1, ge=1, le=10**6, description="the month is rounded to whole steps of this")
    bill_rounding: Rounding = "half_up"
    eligible: tuple[Condition, ...] = ()
    fee: tuple[Fee, ...] = ()
    bundle: tuple[Bundle, ...] = ()
    charge: tuple[Charge, ...] = ()
    choice: Choice = Choice()

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        uses, products = [charge.use for charge in self.charge], [fee.product for fee in self.fee]
        if len(set(uses)) < len(uses) or len(set(products)) < len(products):
            raise UnclearError(
                "a kind of use or of line is charged twice; write one [[charge]] for a use, with tiers, and one "
                "[[fee]] for a kind of line",
                "同一种用量或同一种号码出现两次；每种用量只写一个 [[charge]]（可分档），每种号码只写一个 [[fee]]",
            )
        if "voice" in uses and {"voice_onnet", "voice_offnet"} & set(uses):
            raise UnclearError(
                "voice is all outgoing voice; charge it, or voice_onnet and voice_offnet, and not both",
                "voice 为全部主叫；请只写 voice，或分写 voice_onnet 与 voice_offnet",
            )
        if not (self.charge or self.fee or self.base_fen):
            raise UnclearError(
                "the tariff charges nothing; give base_fen, a [[fee]] or a [[charge]]",
                "资费没有任何收费；请写 base_fen、[[fee]] 或 [[charge]]",
            )
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.pooled and self.eligible:
            raise UnclearError(
                "eligible is asked of single customers, while an allowance is shared by an organisation: leave one out",
                "eligible 按单个客户判断，而套餐量由整个单位共享；请删去其中之一",
            )
        if len(set(self.replaces)) < len(self.replaces):
            raise UnclearError("replaces names a component twice", "replaces 中有重复的账目")
        return self

    @property
    def pooled(self) -> bool:
        """Whether accounts of one organisation share an allowance, so that they can only be billed together."""
        return any(charge.shared == "organisation" for charge in self.charge)

    @property
    def covered(self) -> tuple[str, ...]:
        """Kinds of line whose monthly price it takes the place of."""
        own = {self.line, *(fee.product for fee in self.fee)} if self.keeps_other_products else set(PRODUCTS)
        return tuple(product for product in PRODUCTS if product in own)

    @property
    def keeps(self) -> bool:
        """Whether the price of other lines has to be known."""
        return "recurring" in self.replaces and set(self.covered) != set(PRODUCTS)

    @property
    def needs_lines(self) -> bool:
        return bool(self.fee or self.bundle or self.keeps or any(charge.by_line for charge in self.charge))


def read_tariff(path: Path) -> Tariff:
    """Read a tariff's file, or say what is wrong in it, where, and what to do."""
    return read(path, Tariff)
