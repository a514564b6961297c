"""What a tariff needs of the lake to be billed, and the refusal that names what is missing."""

from __future__ import annotations

from sqlglot import exp

from keepline.engine import Engine
from keepline.errors import TooFewError
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.tariff import Tariff, Use

COLUMNS: dict[Use, tuple[str, ...]] = {
    "voice": ("voice_s",),
    "voice_onnet": ("voice_s", "offnet_s"),
    "voice_offnet": ("offnet_s",),
    "voice_in": ("voice_in_s",),
    "roaming": ("roaming_s",),
    "data": ("data_kb",),
    "sms": ("sms",),
}


def demand(engine: Engine, lake: Lake, tariff: Tariff, months: list[Month]) -> None:
    """Raise TooFewError where a table or a column of use that the tariff charges is missing in a month."""
    for table in _tables(tariff):
        if not lake.has(table):
            raise TooFewError(
                f"tariff {tariff.id} needs the table {table}, which the lake does not have; load it"
                + (", or set keeps_other_products = false" if tariff.keeps else ""),
                f"资费 {tariff.id} 的测算需要数据表 {table}，数据湖中没有；请先载入"
                + ("，或设 keeps_other_products = false" if tariff.keeps else ""),
                code="tariff_table_absent",
            )
    for month in months:
        _demand_bills(lake, month)
        _demand_use(engine, lake, tariff, month)


def _tables(tariff: Tariff) -> list[str]:
    wanted = {"lines": tariff.needs_lines, "plans": tariff.keeps, "affiliations": tariff.pooled}
    return [table for table, needed in wanted.items() if needed]


def _demand_bills(lake: Lake, month: Month) -> None:
    if month in (have := lake.months("bills")):
        return
    span = f"{have[0]} … {have[-1]}" if have else "-"
    raise TooFewError(
        f"there are no bills of {month} to compare a tariff with (bills: {span}); ask for fewer months or another one",
        f"没有 {month} 的账单可与资费比较（现有：{span}）；请减少月数或换一个账期",
        code="no_bills",
    )


def _demand_use(engine: Engine, lake: Lake, tariff: Tariff, month: Month) -> None:
    """A column without a single value in the month says nothing: the charge on it cannot be computed."""
    wanted = sorted({name for charge in tariff.charge for name in COLUMNS[charge.use]})
    if not wanted:
        return
    engine.see("usage", lake.scan("usage", month, months=1))
    counts = [exp.alias_(exp.Count(this=exp.column(name)), name) for name in wanted]
    found = engine.fetch(exp.select(*counts).from_("usage")).to_pylist()[0]
    absent = [name for name in wanted if not found[name]]
    if absent:
        names = ", ".join(f"usage.{name}" for name in absent)
        raise TooFewError(
            f"tariff {tariff.id} charges use that is not known in {month}: {names} has no value; load it, or leave its "
            "[[charge]] out",
            f"资费 {tariff.id} 按用量收费，而 {month} 没有该用量：{names} 全为空；请载入，或删去相应的 [[charge]]",
            code="no_use_known",
        )
