"""Undoing a load: one more switch, after which the lake is as if the file had never been loaded.

What later loads build on is refused and named; what was published stays as it was published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from keepline.canonical import file_hash
from keepline.errors import HeldError
from keepline.lake import setaside
from keepline.lake.alone import alone, settle
from keepline.lake.late import MUST_BE_KNOWN
from keepline.lake.pieces import Filters, ranges, read_rows
from keepline.lake.refusals import refusal
from keepline.lake.staging import ALWAYS
from keepline.lake.store import Lake, LakeFile, Trace, open_lake, reading, switch
from keepline.periods import Month
from keepline.site import Site

REOPEN = "reopen"  # accept code: also what a published month was made of


@dataclass(frozen=True)
class Place:
    """Rows of one table and month, before and after."""

    table: str
    month: str  # empty for a table that has none
    rows: int
    rows_after: int


@dataclass(frozen=True)
class Undoing:
    """What undoing a load takes out, and what it leaves alone."""

    load: int
    path: str
    with_it: tuple[int, ...]  # loads of waiting rows, which go with it
    places: tuple[Place, ...]
    waits_again: int  # files whose rows wait for their customers again
    published: tuple[str, ...]  # months that were published from it, and stay

    def to_dict(self) -> dict[str, Any]:
        return vars(self) | {"places": [vars(place) for place in self.places]}

    def text(self, lang: str) -> str:
        """For people; ``lang`` is zh or en."""
        zh, name = lang == "zh", PurePath(self.path).name
        lines = [f"已撤销载入 {self.load}（{name}）" if zh else f"load {self.load} ({name}) is undone"]
        if self.with_it:
            also = ", ".join(map(str, self.with_it))
            lines.append(
                f"  一并撤销因它而载入的等待行：{also}" if zh else f"  with the waiting rows it let in: {also}"
            )
        for place in self.places:
            rows = f"{place.rows:,} → {place.rows_after:,}"
            lines.append(f"  {place.table} {place.month}: {rows} {'行' if zh else 'rows'}")
        if self.waits_again:
            lines.append(
                f"  重新等待客户的文件：{self.waits_again}" if zh else f"  files that wait again: {self.waits_again}"
            )
        if self.published:
            said = ", ".join(self.published)
            lines.append(
                f"  已发布的账期保持不变：{said}。更正后的文件请加 --accept reopen 载入（否则自下一账期起才计入），"
                "再用 keepline run --replace 重新发布"
                if zh
                else f"  published months stay as they are: {said}. Load the mended file with --accept {REOPEN}, "
                "or its rows count from the next month on; then run --replace publishes anew"
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class _Plan:
    told: Undoing
    gone: tuple[Trace, ...]
    files: tuple[LakeFile, ...]


def foresee(site: Site, load: int) -> Undoing:
    """What undoing a load would do; raises where it cannot be undone."""
    with reading(site.lake) as lake:
        return _plan(site, lake, load).told


def undo(site: Site, load: int, *, accept: Sequence[str] = (), reason: str = "") -> Undoing:
    """Undo a load whole or not at all; its file may be loaded again."""
    with alone(site):
        lake = open_lake(site.lake)
        plan = _plan(site, lake, load)
        if plan.told.published and REOPEN not in accept:
            raise _published(plan.told)
        at = {trace.load: trace.at for trace in plan.gone}
        why = {"reason": reason, "undone_with": load}
        switch(
            lake,
            plan.files,
            [s for s in lake.sources if s["load"] not in at],
            traces=tuple(trace for trace in lake.traces if trace.load not in at),
            undone=(*lake.undone, *(s | why | {"at": at[s["load"]]} for s in lake.sources if s["load"] in at)),
            moves=tuple(_moves(lake, plan.gone)),
        )
        settle(site)
        return plan.told


def _plan(site: Site, lake: Lake, load: int) -> _Plan:
    path = _path_of(lake, load)
    gone = _together(lake, load)
    if not gone or any(trace.past for trace in gone):
        raise refusal("too_late", file=PurePath(path).name, said=load)
    files = tuple(lake.files)
    _nothing_later(lake, gone, path)
    for trace in reversed(gone):
        files = (*(f for f in files if f not in trace.came), *trace.went)
    after = Lake(lake.root, files)
    _all_there(lake, after, load=load, path=path)
    _nobody_unknown(lake, after, gone, path)
    told = Undoing(
        load=load,
        path=path,
        with_it=tuple(trace.load for trace in gone if trace.load != load),
        places=tuple(_places(lake, after, gone)),
        waits_again=len({trace.took for trace in gone if trace.took and not _within(trace.of, gone)}),
        published=tuple(_published_from(site, lake, after)),
    )
    return _Plan(told, gone, files)


def _path_of(lake: Lake, load: int) -> str:
    for source in lake.sources:
        if source["load"] == load:
            return str(source["path"])
    for source in lake.undone:
        if source["load"] == load:
            raise refusal("undone_before", file=PurePath(source["path"]).name, said=load)
    raise refusal("no_load", file="", said=load)


def _together(lake: Lake, load: int) -> tuple[Trace, ...]:
    """The load and, with it, loads of its own waiting rows and of rows that waited for its customers."""
    numbers = {load}
    for trace in lake.traces:  # in the order they were loaded, so that what hangs on one comes after it
        if trace.because in numbers or trace.of in numbers:
            numbers.add(trace.load)
    found = tuple(trace for trace in lake.traces if trace.load in numbers)
    return found if any(trace.load == load for trace in found) else ()


def _within(load: int, gone: Iterable[Trace]) -> bool:
    return any(trace.load == load for trace in gone)


def _nothing_later(lake: Lake, gone: Sequence[Trace], path: str) -> None:
    """Later loads of a table and month were merged onto this one's rows."""
    later: dict[int, set[tuple[str, str]]] = {}
    for trace in gone:
        for other in lake.traces:
            both = trace.places & other.places
            if other.load > trace.load and both and not _within(other.load, gone):
                later.setdefault(other.load, set()).update(both)
    if later:
        raise _later(lake, gone, later, path)


def _nobody_unknown(lake: Lake, after: Lake, gone: Sequence[Trace], path: str) -> None:
    """Bills, usage and payments came in because their customers were known; they must stay so."""
    brought = [trace.load for trace in gone if {"customers", "contact_details"} & {table for table, _ in trace.places}]
    if not brought:
        return
    came = [
        (other.load, f)
        for other in lake.traces
        if other.load >= min(brought) and not _within(other.load, gone)
        for f in other.came
        if f.table in MUST_BE_KNOWN and f in lake.files
    ]
    later: dict[int, set[tuple[str, str]]] = {}
    cut = {lake.root / f.path: f.rows for f in [*_telling(lake), *_telling(after), *(f for _, f in came)]}
    for only in ranges("customer_id", cut) if came else ():
        unknown = np.setdiff1d(_customers(lake, _telling(lake), only), _customers(after, _telling(after), only))
        for load, f in came if unknown.size else ():
            if np.isin(_customers(lake, [f], only), unknown).any():
                later.setdefault(load, set()).add((f.table, f.month))
    if later:
        raise _later(lake, gone, later, path)


def _telling(lake: Lake) -> list[LakeFile]:
    """The files that tell who is known."""
    by_table = {t: [f for f in lake.versions() if f.table == t] for t in ("contact_details", "customers")}
    return by_table["contact_details"] or by_table["customers"]


def _customers(lake: Lake, files: Sequence[LakeFile], only: Filters) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Those of some files whose pseudonyms lie in a range."""
    found = [read_rows(lake.root / f.path, ["customer_id"], only=only)["customer_id"].to_numpy() for f in files]
    return np.unique(np.concatenate([np.array([], dtype=np.int64), *found]))


def _later(lake: Lake, gone: Sequence[Trace], later: dict[int, set[tuple[str, str]]], path: str) -> Exception:
    names = {source["load"]: PurePath(source["path"]).name for source in lake.sources}
    told = [
        f"{load} ({names.get(load, '')}: {', '.join(_named(*place) for place in sorted(places)[:3])})"
        for load, places in sorted(later.items(), reverse=True)[:5]
    ]
    return refusal("later_load", file=PurePath(path).name, said=gone[0].load, limit="; ".join(told))


def _named(table: str, month: str) -> str:
    return table if month == ALWAYS else f"{table} {month}"


def _all_there(lake: Lake, after: Lake, *, load: int, path: str) -> None:
    """What comes back is whole; nothing is switched to a file that is not."""
    for f in after.files:
        if f not in lake.files:
            place = lake.root / f.path
            if not place.is_file() or file_hash(place) != f.sha256:
                raise refusal("former_gone", file=PurePath(path).name, said=load, limit=f.path)


def _places(lake: Lake, after: Lake, gone: Sequence[Trace]) -> Iterable[Place]:
    for table, month in sorted(set().union(*(trace.places for trace in gone))):
        rows, rows_after = (_rows(each, table, month) for each in (lake, after))
        yield Place(table, "" if month == ALWAYS else month, rows, rows_after)


def _rows(lake: Lake, table: str, month: str) -> int:
    return sum(f.rows for f in lake.versions() if (f.table, f.month) == (table, month))


def _published_from(site: Site, lake: Lake, after: Lake) -> Iterable[str]:
    """Published months that a run would see otherwise afterwards."""
    for folder in sorted((site.root / "published").glob("????-??")):
        month = Month.parse(folder.name)
        if folder.is_dir() and lake.identity(month) != after.identity(month):
            yield str(month)


def _published(told: Undoing) -> HeldError:
    months = ", ".join(told.published)
    return HeldError(
        f"{months} was published from load {told.load}. What is published stays as it is, but running it again would "
        f"give another plan. If that is what you want, add: --accept {REOPEN}; then load the mended file with "
        f"--accept {REOPEN} too, and publish anew with --replace",
        f"账期 {months} 已用载入 {told.load} 的数据发布。已发布的内容不变，但重新运行会得到不同的方案；"
        f"确要撤销，请加 --accept {REOPEN}；之后载入更正后的文件也请加 --accept {REOPEN}，再用 --replace 重新发布",
        code=REOPEN,
    )


def _moves(lake: Lake, gone: Sequence[Trace]) -> Iterable[tuple[str, str]]:
    """Rows that waited for these customers wait again; rows of these files wait no more, and stay to be looked at."""
    taken = {trace.took for trace in gone}
    still = {trace.waits for trace in lake.traces if trace not in gone}
    for trace in gone:
        if trace.took:
            to = _withdrawn(trace.took) if _within(trace.of, gone) else trace.took
            yield from setaside.moved(f"{setaside.LOADED}/{trace.took}", f"{setaside.FOLDER}/{to}")
        if trace.waits and trace.waits not in taken | still:
            was = f"{setaside.FOLDER}/{trace.waits}"
            yield from setaside.moved(was, f"{setaside.FOLDER}/{_withdrawn(trace.waits)}")


def _withdrawn(name: str) -> str:
    return name.removesuffix(setaside.WAITING) + setaside.UNDONE
