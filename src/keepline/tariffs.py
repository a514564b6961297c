"""What a planned tariff would have changed on the use of past months, customer by customer (K11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as pq
from sqlglot import exp

from keepline.decisions.base import base, see
from keepline.engine import Engine, Range, ranges
from keepline.errors import PublicationError, TooFewError, UsageError
from keepline.lake.store import Lake, reading
from keepline.periods import Month, months_between
from keepline.policy.conditions import all_hold
from keepline.policy.tariff import Tariff, read_tariff
from keepline.progress import Progress
from keepline.publication import demand, find, may_write, parts_of
from keepline.rating.changes import change, summed
from keepline.rating.needs import demand as demand_use
from keepline.rating.rate import rate
from keepline.rating.telling import TariffTrial
from keepline.run import started
from keepline.site import Site
from keepline.tables import TARIFF_CHANGES
from keepline.workfolder import own_folder

KINDS = (".parquet", ".csv")
MONTHS_MOST = 24


@dataclass(frozen=True)
class Trying:
    """One trial in the making."""

    site: Site
    engine: Engine
    lake: Lake
    tariff: Tariff
    month: Month
    months: list[Month]
    work: Path
    progress: Progress


def try_tariff(
    site: Site, file: Path, *, month: Month | None, months: int, out: Path | None, progress: Progress
) -> TariffTrial:
    """Bill past use under the tariff of ``file``; nothing is published. ``out`` takes one row a customer."""
    tariff = read_tariff(file)
    _check(months, out)
    if out is not None:
        may_write(site, out)
    with reading(site.lake) as lake, own_folder(site.work, "tariff-") as work, started(site) as engine:
        last = month or _last(lake)
        span = months_between(last + (1 - months), last)
        demand_use(engine, lake, tariff, span)
        _demand_known(site, tariff, last)
        trying = Trying(site, engine, lake, tariff, last, span, work, progress)
        _rate(trying)
        parts = _change(trying)
        sums = summed(engine, changes=parts, rated=parts_of_all(work / "rated"))
        if out is not None:
            _write(parts, out)
    if not sums.whole["customers"]:
        raise TooFewError(
            f"no customer could be billed under {tariff.id}; customer-months by reason: {sums.states}",
            f"没有客户可以按 {tariff.id} 测算；各原因的户月数：{sums.states}",
            code="nobody_billed",
        )
    return TariffTrial(tariff, last, months, sums)


def _check(months: int, out: Path | None) -> None:
    if not 1 <= months <= MONTHS_MOST:
        raise UsageError(
            f"--months takes 1 to {MONTHS_MOST}, given was {months}",
            f"--months 可取 1 至 {MONTHS_MOST}，收到 {months}",
            code="bad_months",
        )
    if out is not None and out.suffix not in KINDS:
        raise UsageError(
            f"{out} ends in neither {' nor '.join(KINDS)}, so its kind is not known; name it so",
            f"{out} 的后缀不是 {'、'.join(KINDS)} 之一，无法确定格式；请改名",
            code="bad_kind",
        )


def _last(lake: Lake) -> Month:
    if months := lake.months("bills"):
        return months[-1]
    raise TooFewError(
        "the lake holds no bills to compare a tariff with; load them with: keepline intake load",
        "数据湖中没有账单可与资费比较；请先用 keepline intake load 载入",
        code="no_bills",
    )


def _demand_known(site: Site, tariff: Tariff, month: Month) -> None:
    """Conditions are on features and scores, which lie in publications alone."""
    if tariff.eligible and find(site, month) is None:
        raise PublicationError(
            f"tariff {tariff.id} says who is eligible by features of {month}, which is not published; run it first, "
            "choose a published --month, or leave eligible out",
            f"资费 {tariff.id} 的 eligible 需要 {month} 的客户特征，该账期尚未发布；请先运行，"
            "或换一个已发布的 --month，或删去 eligible",
            code="tariff_not_published",
        )


def _rate(trying: Trying) -> None:
    tariff, cut = trying.tariff, _cut(trying)
    trying.progress.begin("按新资费计费", "billing past use", len(trying.months) * len(cut))
    for month in trying.months:
        for only in cut:
            to = trying.work / "rated" / str(month) / only.part
            rate(trying.engine, trying.lake, tariff, month=month, only=None if tariff.pooled else only, to=to)
            trying.progress.advance()


def _cut(trying: Trying) -> list[Range]:
    """Ranges of customers; one where an allowance is shared, since accounts of an organisation lie anywhere."""
    customers = max(1, trying.lake.customers)
    return ranges(customers, customers if trying.tariff.pooled else trying.site.settings.range_customers)


def parts_of_all(folder: Path) -> tuple[Path, ...]:
    """The parts of every month below a folder."""
    return tuple(path for month in sorted(folder.iterdir()) for path in parts_of(month))


def _change(trying: Trying) -> tuple[Path, ...]:
    cut, made = _cut(trying), find(trying.site, trying.month)
    trying.progress.begin("汇总变化", "what changes for whom", len(cut))
    for only in cut:
        change(
            trying.engine,
            trying.lake,
            trying.tariff.choice,
            month=trying.month,
            rated=parts_of_all(trying.work / "rated"),
            classes=made.parts("classes") if made else (),
            eligible=_eligible(trying),
            together=trying.tariff.pooled,
            only=only,
            to=trying.work / "changes" / only.part,
        )
        trying.progress.advance()
    return parts_of(trying.work / "changes")


def _eligible(trying: Trying) -> exp.Query | None:
    """Who may have the tariff, by the features and scores published for the last month."""
    if not trying.tariff.eligible:
        return None
    folder = demand(trying.site, trying.month).folder
    for table in ("features", "scores"):
        see(trying.engine, table, folder / table)
    return exp.select("customer_id").from_(base().subquery("base")).where(all_hold(trying.tariff.eligible))


def _write(parts: Sequence[Path], out: Path) -> None:
    """One row a customer, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    schema = TARIFF_CHANGES.arrow
    made = csv.CSVWriter(partial, schema) if out.suffix == ".csv" else pq.ParquetWriter(partial, schema)
    with made as writer:
        for part in parts:
            for batch in pq.ParquetFile(part).iter_batches():
                writer.write_batch(batch)
    partial.replace(out)
