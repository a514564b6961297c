"""What a segment of a published month is worth, and what a change in it would be worth (P10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.engine import Engine, Files, Scan
from keepline.errors import TooFewError, UsageError
from keepline.insight.lifetime.fitting import reach_of
from keepline.insight.value import ValueModel
from keepline.insight.whatif import Alike, Answer, Sum, fewer_leaving, more_loyal, segment_value
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.policy.published import published_policy
from keepline.publication import Publication, demand, parts_of
from keepline.run import started
from keepline.site import Site
from keepline.tables import TABLES

Kind = Literal["fewer_leaving", "more_loyal"]
SEGMENT_BY = {
    "class": "classes",
    "loyalty": "scores",
    "risk_band": "scores",
    **dict.fromkeys(("kind", "industry", "region", "district", "manager_id", "star_rating"), "features"),
}
ALIKE = """WITH told AS (
SELECT s.leave_monthly, ROUND(s.leave_monthly, 5) AS rate,
CASE WHEN s.value_fen IS NOT NULL AND s.leave_monthly IS NOT NULL THEN 1 ELSE 0 END AS known,
CASE WHEN s.loyalty = 'loyal' THEN 1 WHEN s.loyalty IN ('general', 'wavering') THEN 0 END AS loyal,
CAST(s.persistence_fen + s.growth_fen AS DOUBLE) AS own,
CAST(COALESCE(s.word_of_mouth_fen, 0) AS DOUBLE) AS word,
CAST(s.value_high_fen - s.value_fen AS DOUBLE) AS reach
FROM scores AS s JOIN features AS f ON f.customer_id = s.customer_id
JOIN classes AS c ON c.customer_id = s.customer_id WHERE :segment)
SELECT rate, loyal, known, COUNT(*) AS customers, AVG(leave_monthly) AS monthly,
SUM(own) AS level, SUM(word) AS brought, SUM(own * own) AS level_squares, SUM(word * word) AS brought_squares,
SUM(reach * reach) AS reaches
FROM told GROUP BY rate, loyal, known ORDER BY rate, loyal, known"""


@dataclass(frozen=True)
class WhatIf:
    """The answer for one segment; amounts in fen. ``kind`` is None where only the value was asked for."""

    month: Month
    where: tuple[tuple[str, str], ...]
    customers: int
    unknown: int  # of the segment, without a value: not counted
    horizon: int
    months: int
    interval: float
    value: Sum
    kind: Kind | None = None
    points: float = 0.0
    answer: Answer | None = None

    def to_dict(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "month": str(self.month),
            "where": dict(self.where),
            "customers": self.customers,
            "customers_without_value": self.unknown,
            "leaving_within_months": self.horizon,
            "value_months": self.months,
            "interval": self.interval,
            "value_fen": _rounded(self.value),
        }
        if self.answer is not None:
            made |= {"change": self.kind, "points": self.points, "gain_fen": _rounded(self.answer.gain)}
            made |= {"leaving_before": self.answer.before, "leaving_after": self.answer.after}
        return made

    def text(self, lang: str) -> str:
        """The answer in sentences; ``lang`` is zh or en."""
        lines = _zh(self) if lang == "zh" else _en(self)
        return "\n".join(lines)


def _rounded(amount: Sum) -> dict[str, int]:
    return {"value": round(amount.fen), "low": round(amount.low), "high": round(amount.high)}


def _yuan(amount: Sum, to: str) -> str:
    shown = [f"{each / 100:,.0f}" for each in (amount.fen, amount.low, amount.high)]
    return f"{shown[0]} ({shown[1]} {to} {shown[2]})"


def _zh(said: WhatIf) -> list[str]:
    who = "、".join(f"{name}={value}" for name, value in said.where) or "全部客户"
    lines = [
        f"{said.month} {who}：{said.customers:,} 位客户",
        f"客户价值（{said.months} 个月，已折现，元，{said.interval:.0%} 区间）：{_yuan(said.value, '至')}",
    ]
    lines += [f"另有 {said.unknown:,} 位客户价值未知，未计入"] if said.unknown else []
    if said.answer is None:
        return lines
    changed = f"{said.horizon} 个月内离网率 {said.answer.before:.2%} → {said.answer.after:.2%}"
    what = f"忠诚客户增加 {said.points:g} 个百分点" if said.kind == "more_loyal" else f"少离网 {said.points:g} 个百分点"
    assumed = (
        "假设：变为忠诚的客户今后与现有忠诚客户一样少离网。这是相关，不是实测的因果"
        if said.kind == "more_loyal"
        else "假设：每位客户离网的可能按同一比例（对数几率）下降，并一直保持"
    )
    return [
        *lines,
        f"{what}，值（元）：{_yuan(said.answer.gain, '至')}",
        f"  {changed}",
        f"  {assumed}；不含实现它的成本",
    ]


def _en(said: WhatIf) -> list[str]:
    who = ", ".join(f"{name}={value}" for name, value in said.where) or "all customers"
    lines = [
        f"{said.month}, {who}: {said.customers:,} customers",
        f"value ({said.months} months, discounted, yuan, {said.interval:.0%} interval): {_yuan(said.value, 'to')}",
    ]
    lines += [f"{said.unknown:,} more have no known value and are not counted"] if said.unknown else []
    if said.answer is None:
        return lines
    changed = f"leaving within {said.horizon} months: {said.answer.before:.2%} → {said.answer.after:.2%}"
    loyal = said.kind == "more_loyal"
    what = f"{said.points:g} points more loyal" if loyal else f"{said.points:g} points fewer leaving"
    assumed = (
        "assumes that who becomes loyal leaves as seldom as the loyal do now: seen together, not measured as a cause"
        if loyal
        else "assumes that everybody's odds of leaving fall by the same share, and stay so"
    )
    return [
        *lines,
        f"{what} is worth (yuan): {_yuan(said.answer.gain, 'to')}",
        f"  {changed}",
        f"  {assumed}; what it costs is not in it",
    ]


def parse_where(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``COLUMN=VALUE`` each; a column that no segment can be cut by is refused."""
    made = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in SEGMENT_BY:
            raise UsageError(
                f"{word!r} does not name a segment; write COLUMN=VALUE, the column one of {', '.join(SEGMENT_BY)}",
                f"“{word}”不能划分客户群；请写成 列名=取值，列名为 {'、'.join(SEGMENT_BY)} 之一",
                code="bad_segment",
            )
        made.append((name, value))
    return tuple(made)


def asked(*, fewer_leaving: float | None, more_loyal: float | None) -> tuple[Kind, float]:
    """The one change that was asked for, in points of a hundred."""
    said: list[tuple[Kind, float]] = []
    if fewer_leaving is not None:
        said.append(("fewer_leaving", fewer_leaving))
    if more_loyal is not None:
        said.append(("more_loyal", more_loyal))
    if len(said) != 1 or not 0 < said[0][1] < 100:
        raise UsageError(
            "ask for one change, of more than 0 and less than 100 points: --fewer-leaving 2, or --more-loyal 5",
            "请只提一种变化，大于 0 且小于 100 个百分点：--fewer-leaving 2 或 --more-loyal 5",
            code="one_change",
        )
    return said[0]


def what_if(
    site: Site,
    month: Month,
    *,
    where: Sequence[tuple[str, str]] = (),
    kind: Kind | None = None,
    points: float = 0.0,
) -> WhatIf:
    """Answer from a publication alone: nothing is trained, changed or published."""
    made = demand(site, month)
    policy = published_policy(made.folder / "policy", month)
    model = model_of(made)
    with started(site) as engine:
        alike, unknown = _alike(engine, made.folder, where, policy)
    _demand_some(alike, where)
    value = segment_value(model, policy.value, alike)
    answer = None
    if kind is not None:
        answer = (more_loyal if kind == "more_loyal" else fewer_leaving)(model, policy.value, alike, points=points)
    said = policy.value
    about = (month, tuple(where), int(alike.total), unknown, model.horizon, said.horizon_months, said.interval)
    return WhatIf(*about, value, kind, points, answer)


def model_of(made: Publication) -> ValueModel:
    """What value needs besides the scores, as the publication's model card tells it."""
    card = made.manifest["model_card"]
    said = card["value"]
    return ValueModel(
        card["horizon_months"],
        said["monthly_rate"],
        lasting=said["lasting_share"],
        spread=said["leave_spread_log_odds"],
        mean_margin_fen=said["mean_margin_fen"],
    )


def _alike(engine: Engine, folder: Path, where: Sequence[tuple[str, str]], policy: Policy) -> tuple[Alike, int]:
    """The segment's customers summed by rate and loyalty, and how many have no value or no rate."""
    for table in ("scores", "features", "classes"):
        engine.see(table, Scan(TABLES[table], (Files(parts_of(folder / table)),)))
    segment = exp.and_(exp.true(), *[_is(name, value) for name, value in where])
    query = parse_one(ALIKE, read="duckdb").transform(lambda n: segment if isinstance(n, exp.Placeholder) else n)
    rows = engine.fetch(sqlmodel.as_query(query))
    column = {name: rows.column(name).cast("double").to_numpy(zero_copy_only=False) for name in rows.column_names}
    known = column["known"] == 1
    reach = reach_of(policy.value.interval)
    names = ("monthly", "loyal", "customers", "level", "brought", "level_squares", "brought_squares")
    alike = Alike(**{name: column[name][known] for name in names}, variances=column["reaches"][known] / reach**2)
    return alike, int(column["customers"][~known].sum())


def _is(name: str, value: str) -> exp.Expr:
    column = exp.column(name, table=SEGMENT_BY[name][0])
    return exp.EQ(this=column, expression=exp.Literal.string(value))


def _demand_some(alike: Alike, where: Sequence[tuple[str, str]]) -> None:
    if alike.total:
        return
    said = ", ".join(f"{name}={value}" for name, value in where) or "-"
    raise TooFewError(
        f"no customer of the segment ({said}) has both a value and a probability of leaving; check the words of the "
        "segment in docs/tables.md, and the model card for why there is no model",
        f"该客户群（{said}）中没有同时具有客户价值与离网概率的客户；请对照 docs/tables.md 检查条件，并查看模型卡",
        code="empty_segment",
    )
