"""Lots for a pilot: who takes part and who of them gets the offer, evenly over strata, by hash.

Strata are class by risk of leaving, so that the arms are alike in what decides most of the outcome. In each the
customers are ranked by MD5(``experiment:month:customer_id``); the first of them take part, and of those the first get
the offer. So the lots are the same on both engines and every day, and nobody can choose them.

The plan leaves both arms alone while the pilot is measured. So that this does not set the plan's own arms apart, as
large a share of each stratum of the standing control group is drawn by the same ranking as *counterparts*: no plan
compares them meanwhile, and the pilot itself does not count them.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import floor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
from sqlglot import exp

from keepline.decisions.offers import any_of
from keepline.engine import Engine
from keepline.errors import TooFewError, UsageError
from keepline.lake.store import Lake, reading
from keepline.measurement.verdicts import EACH_MIN
from keepline.periods import Month
from keepline.piloting.eligible import counterparts, eligible, offer_named, see_month
from keepline.policy.documents import Offer, read_policy
from keepline.publication import demand
from keepline.run import started
from keepline.site import Site

ANY_MONTH = Month.parse("9998-12")  # later than anything that was loaded
EVEN = 0.5  # share of those drawn who get the offer, where nobody says otherwise
STRATA = ("class", "risk_band")
READ = ("customer_id", "risk_band")
MAPPING = """# Lots drawn for a pilot. 试点抽签结果。

[match]
files = ["lots.csv"]

[limits]
row_count_change_max = 1e9         # a pilot is as large as it is 试点规模由政策决定

[[table]]
name = "experiments"
[table.columns]
customer_id = { from = "customer_id", as = "pseudonym" }
month = "month"
experiment_id = "experiment_id"
offer_id = "offer_id"
arm = "arm"
"""


@dataclass(frozen=True)
class Stratum:
    """Customers of one kind: how many there are, take part, and get the offer."""

    kind: tuple[str | None, ...]
    there: int
    drawn: int
    treated: int


@dataclass(frozen=True)
class Drawn:
    """What was drawn, and the files it was written to."""

    month: Month
    offer_id: str
    experiment_id: str
    customers: int
    treated: int
    counterparts: int  # of the standing control group, beside those
    strata: int
    free_from: Month | None  # the first plan that may have them again; None where policy keeps no pilot apart
    lots: Path
    treated_list: Path
    mapping: Path

    @property
    def held_out(self) -> int:
        return self.customers - self.treated

    def to_dict(self) -> dict[str, Any]:
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        texts = {name: str(value) for name, value in said.items() if isinstance(value, Path | Month)}
        return said | texts | {"held_out": self.held_out}


def draw_pilot(
    site: Site, month: Month, offer_id: str, *, customers: int, out: Path, treated_share: float | None = None
) -> Drawn:
    """Draw the lots of one look at a pilot and write them: ``lots.csv`` with its mapping, and ``treated.csv``.

    Who takes part in a pilot whose outcome window still runs, or begins after this month's, is not drawn again,
    however late its lots were loaded. ``out`` must be a new folder. Where policy states a rule for the pilot, its share
    gets the offer.
    """
    made = demand(site, month)
    policy = read_policy(site.policy, month)
    offer = offer_named(policy, offer_id)
    share = _share(offer, treated_share)
    named = offer.effect.experiment_id or f"pilot-{offer.id}"
    _demand_new(out)
    with reading(site.lake) as lake, started(site) as engine:
        see_month(engine, made)
        ago = _see_lots(engine, lake, month) - month + policy.leaving.horizon_months
        able, like = (_free(find(policy, offer, READ), ago=ago) for find in (eligible, counterparts))
        strata = quotas(_counts(engine, able), customers=customers, treated_share=share)
        rows = _rows(engine, able, strata, salt=f"{named}:{month}")
        others = _rows(engine, like, beside(strata, _counts(engine, like)), salt=f"{named}:{month}")
    said = {"month": str(month), "experiment_id": named, "offer_id": offer.id}
    _write(_together(_with_arms(rows, strata), others, said), out)
    treated = sum(one.treated for one in strata)
    free = month + policy.leaving.horizon_months if policy.contact.running_pilot_stops else None
    return Drawn(month, offer.id, named, len(rows), treated, len(others), len(strata), free,
                 out / "lots.csv", out / "treated.csv", out / "lots.toml")  # fmt: skip


def _share(offer: Offer, asked: float | None) -> float:
    """The share of those drawn who get the offer: the rule's where there is one, as each look is tested against it."""
    if offer.pilot is None:
        return EVEN if asked is None else asked
    if asked not in (None, offer.pilot.treated_share):
        said = offer.pilot.treated_share
        raise UsageError(
            f"offers.toml decides the pilot of {offer.id} by a rule with treated_share = {said}; lots drawn with "
            f"{asked} would be judged to be in doubt. Leave --treated-share out, or, before the first lots are drawn, "
            "write another share into the rule",
            f"offers.toml 为 {offer.id} 的试点写定了规则，treated_share = {said}；按 {asked} 抽签会被判为抽签存疑。"
            "请去掉 --treated-share；如尚未抽过签，也可改写规则中的占比",
            code="other_share",
        )
    return offer.pilot.treated_share


def quotas(
    counts: Sequence[tuple[tuple[str | None, ...], int]], *, customers: int, treated_share: float
) -> list[Stratum]:
    """How many of each stratum take part and get the offer: in proportion, what is left over by largest remainder."""
    total = sum(count for _, count in counts)
    if customers > total or min(customers * treated_share, customers * (1 - treated_share)) < EACH_MIN:
        raise TooFewError(
            f"{customers} customers were asked for and {total} can be drawn; there must be {EACH_MIN} in each arm: "
            "ask for fewer, draw in another month, or widen the offer's conditions",
            f"要求抽取 {customers} 位，可抽取 {total} 位，且每组至少 {EACH_MIN} 位："
            "请减少人数、换一个账期，或放宽适用条件",
            code="pilot_too_few",
        )
    drawn = _apportioned([count / total * customers for _, count in counts], customers)
    treated = _apportioned([each * treated_share for each in drawn], round(customers * treated_share))
    rows = zip(counts, drawn, treated, strict=True)
    return [Stratum(kind, count, each, of_them) for (kind, count), each, of_them in rows]


def beside(strata: Sequence[Stratum], counts: Sequence[tuple[tuple[str | None, ...], int]]) -> list[Stratum]:
    """How many counterparts a stratum of the standing control group gives: the share that was drawn of the others."""
    shares = {one.kind: one.drawn / one.there for one in strata}
    wanted = [count * shares.get(kind, 0.0) for kind, count in counts]
    made = _apportioned(wanted, round(sum(wanted)))
    return [Stratum(kind, count, each, 0) for (kind, count), each in zip(counts, made, strict=True)]


def _apportioned(wanted: Sequence[float], total: int) -> list[int]:
    """Whole numbers that add up to ``total``, none above its wish rounded up (Hamilton's method)."""
    made = [floor(each) for each in wanted]
    order = sorted(range(len(wanted)), key=lambda place: (made[place] - wanted[place], place))
    for place in order[: total - sum(made)]:
        made[place] += 1
    return made


def _see_lots(engine: Engine, lake: Lake, month: Month) -> Month:
    """All lots that were ever loaded, also since the month was published; the month they are counted back from."""
    last = max([month, *lake.months("experiments")])
    engine.see("experiments", lake.scan("experiments", last, known=ANY_MONTH))
    return last


def _free(found: exp.Select, *, ago: int) -> exp.Select:
    """Those whom no lots name of the last months or later, ``ago`` months back from the latest lots."""
    recent = exp.LT(this=exp.column("months_ago"), expression=exp.Literal.number(ago))
    busy = exp.select("customer_id").from_("experiments").where(recent)
    return found.where(exp.column("customer_id", table="base").isin(query=busy).not_())


def _counts(engine: Engine, able: exp.Select) -> list[tuple[tuple[str | None, ...], int]]:
    count = exp.alias_(exp.Count(this=exp.Star()), "customers")
    query = exp.select(*STRATA, count).from_(able.subquery("able")).group_by(*STRATA)
    rows = engine.fetch(query).to_pylist()
    found = [(tuple(row[name] for name in STRATA), int(row["customers"])) for row in rows]
    return sorted(found, key=lambda pair: tuple(text or "" for text in pair[0]))


def _rows(engine: Engine, able: exp.Select, strata: Sequence[Stratum], *, salt: str) -> pa.Table:
    """Those drawn, with their place in their stratum by the lot."""
    lot = exp.MD5(this=exp.DPipe(this=exp.Literal.string(f"{salt}:"),
                                 expression=exp.cast(exp.column("customer_id"), "VARCHAR")))  # fmt: skip
    order = exp.Order(expressions=[exp.Ordered(this=lot), exp.Ordered(this=exp.column("customer_id"))])
    place = exp.Window(this=exp.RowNumber(), partition_by=[exp.column(name) for name in STRATA], order=order)
    ranked = exp.select("customer_id", *STRATA, exp.alias_(place, "place")).from_(able.subquery("able"))
    inside = any_of([exp.and_(_of(one), _up_to(one.drawn)) for one in strata if one.drawn])
    query = exp.select("customer_id", *STRATA, "place").from_(ranked.subquery("ranked")).where(inside)
    return engine.fetch(query.order_by("customer_id"))


def _of(one: Stratum) -> exp.Expr:
    tests = []
    for name, code in zip(STRATA, one.kind, strict=True):
        column = exp.column(name)
        tests.append(column.is_(exp.null()) if code is None else column.eq(exp.Literal.string(code)))
    return exp.and_(*tests)


def _up_to(number: int) -> exp.Expr:
    return exp.LTE(this=exp.column("place"), expression=exp.Literal.number(number))


def _with_arms(rows: pa.Table, strata: Sequence[Stratum]) -> pa.Table:
    treated = {one.kind: one.treated for one in strata}
    kinds = zip(*(rows[name].to_pylist() for name in STRATA), strict=True)
    places = rows["place"].to_pylist()
    arms = ["treated" if place <= treated[kind] else "held_out" for kind, place in zip(kinds, places, strict=True)]
    return pa.table({"customer_id": rows["customer_id"], "arm": pa.array(arms, pa.string())})


def _together(drawn: pa.Table, others: pa.Table, said: dict[str, str]) -> pa.Table:
    """Everyone the lots name, in order of customers."""
    alike = pa.table({"customer_id": others["customer_id"], "arm": pa.repeat("counterpart", len(others))})
    rows = pa.concat_tables([drawn, alike]).sort_by("customer_id").combine_chunks()
    columns = {name: pa.repeat(value, len(rows)) for name, value in said.items()}
    return pa.table({"customer_id": rows["customer_id"], **columns, "arm": rows["arm"]})


def _demand_new(out: Path) -> None:
    if out.exists():
        raise UsageError(
            f"{out} exists; lots that were drawn are not written over: name a new folder",
            f"{out} 已存在；已抽的签不会被覆盖，请另给一个新目录",
            code="lots_exist",
        )


def _write(rows: pa.Table, out: Path) -> None:
    """All files or none."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    csv.write_csv(rows, partial / "lots.csv")
    csv.write_csv(rows.filter(pc.equal(rows["arm"], "treated")).drop_columns(["arm"]), partial / "treated.csv")
    (partial / "lots.toml").write_text(MAPPING, encoding="utf-8")
    partial.rename(out)
