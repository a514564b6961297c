"""The loads of a site, the last first: those that stand and those that were undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from keepline.lake.staging import ALWAYS
from keepline.lake.store import Lake, reading
from keepline.site import Site


@dataclass(frozen=True)
class Load:
    """One file as it was loaded."""

    number: int
    path: str
    mapping: str
    at: int | None  # seconds since 1970; unknown of loads long ago
    rows: dict[str, int]  # read, loaded, updated, unchanged, ignored, set_aside
    months: dict[str, dict[str, int]]  # rows of ours by table and month
    state: str  # "stands", "past" (can be undone no more) or "undone"
    reason: str = ""  # why it was undone
    with_load: int = 0  # load it was undone with, or that brought the customers its rows waited for

    def to_dict(self) -> dict[str, Any]:
        return vars(self)

    def text(self, lang: str) -> str:
        """One line for people."""
        states = {"stands": ("", ""), "past": ("不能再撤销", "can be undone no more"), "undone": ("已撤销", "undone")}
        zh = lang == "zh"
        when = dt.datetime.fromtimestamp(self.at, tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC") if self.at else "—"
        counts = (
            f"读取 {self.rows['read']:,}，新增 {self.rows['loaded']:,}，更新 {self.rows['updated']:,}"
            if zh
            else f"read {self.rows['read']:,}, loaded {self.rows['loaded']:,}, updated {self.rows['updated']:,}"
        )
        tables = ", ".join(f"{table} {_span(months)}".strip() for table, months in sorted(self.months.items()))
        told = [f"{self.number}", self.path, when, counts, tables, states[self.state][not zh], self.reason]
        return " · ".join(part for part in told if part)


def _span(months: dict[str, int]) -> str:
    found = sorted(month for month in months if month != ALWAYS)
    return "" if not found else found[0] if len(found) == 1 else f"{found[0]}…{found[-1]}"


def loads(site: Site) -> list[Load]:
    """Every load there was, the last first."""
    with reading(site.lake) as lake:
        return sorted(_loads(lake), key=lambda load: -load.number)


def _loads(lake: Lake) -> Iterable[Load]:
    traces = {trace.load: trace for trace in lake.traces}
    for source in lake.sources:
        trace = traces.get(source["load"])
        state = "past" if trace is None or trace.past else "stands"
        yield _load(source, at=trace.at if trace else None, state=state, with_load=trace.because if trace else 0)
    for source in lake.undone:
        yield _load(source, at=source.get("at"), state="undone", with_load=source["undone_with"])


def _load(source: dict[str, Any], *, at: int | None, state: str, with_load: int) -> Load:
    rows = {name: int(source.get(name, 0)) for name in COUNTED}
    return Load(
        number=source["load"],
        path=source["path"],
        mapping=source.get("mapping", ""),
        at=at,
        rows=rows,
        months=source.get("months", {}),
        state=state,
        reason=source.get("reason", ""),
        with_load=with_load,
    )


COUNTED = ("read", "loaded", "updated", "unchanged", "ignored", "set_aside")
