"""win-back.xlsx: who left lately, may be spoken to and brought margin, the most valuable first; nobody of the base."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline.policy.documents import Policy
from keepline.report.book import Book, Field, Names, named, open_book, whole_list, yuan
from keepline.report.past import reason_names
from keepline.report.sheets import head, write_cells
from keepline.report.tally import Row, Shelf
from keepline.report.words import KINDS_OF_LEAVING, Words, both, word
from keepline.tables import WIN_BACK

LISTED = 5_000  # more than anybody calls in a month


def write_win_back(shelf: Shelf, *, figures: dict[str, Any], policy: Policy, names: Names | None, to: Path) -> None:
    """Write the list; ``names`` turns pseudonyms into the operator's own numbers where the site wants them shown."""
    reasons = reason_names(policy)
    columns = [
        Field(both("客户", "Customer"), 22, "text", lambda r: r["customer"]),
        Field(both("原客户经理", "Former manager"), 14, "text", lambda r: r["manager_id"]),
        Field(both("区县", "District"), 14, "text", lambda r: r["district"]),
        Field(both("离网账期", "Left in"), 12, "text", lambda r: r["left_month"]),
        Field(both("方式", "How"), 14, "text", lambda r: word(KINDS_OF_LEAVING, r["kind"])),
        Field(both("记录的原因", "Recorded reason"), 24, "text", lambda r: word(reasons, r["reason"])),
        Field(both("离网前三月毛利", "Margin of three months before"), 18, "money", lambda r: yuan(r["margin_3m_fen"])),
        Field(both("备注", "Note"), 28, "fill", lambda _: None),
    ]
    with open_book(to, figures) as book:
        title = _title(_count(shelf), figures["head"]["month"])
        _list(book, columns, title, named(_best(shelf), names))


def worth_winning(*columns: exp.Expr | str) -> exp.Select:
    """Those of the view ``win_back`` who may be contacted and brought margin."""
    brought = exp.column("margin_3m_fen") > exp.Literal.number(0)
    return exp.select(*columns).from_(WIN_BACK.name).where(exp.and_(exp.column("may_contact"), brought))


def see_win_back(shelf: Shelf) -> None:
    shelf.see({WIN_BACK.name: tuple(sorted((shelf.folder / WIN_BACK.name).glob("*.parquet")))})


def _count(shelf: Shelf) -> int:
    see_win_back(shelf)
    found = shelf.engine.fetch(worth_winning(exp.alias_(exp.Count(this=exp.Star()), "customers")))
    return int(found["customers"][0].as_py())


def _best(shelf: Shelf) -> Iterator[list[Row]]:
    """The most valuable first."""
    most_first = exp.Ordered(this=exp.column("margin_3m_fen"), desc=True)
    query = worth_winning(*WIN_BACK.names).order_by(most_first, exp.column("customer_id")).limit(LISTED)
    rows = shelf.engine.fetch(query).to_pylist()
    yield sorted(rows, key=lambda row: (-row["margin_3m_fen"], row["customer_id"]))


def _list(book: Book, columns: list[Field], title: Words, rows: Iterator[Row]) -> None:
    sheet = book.sheet("赢回 Win-back", title)
    first = head(sheet, [(c.name, c.width) for c in columns], freeze_columns=1)
    last = first
    for last, row in enumerate(rows, start=first):
        write_cells(sheet, last, [(c.value(row), c.style) for c in columns])
    sheet.page.autofilter(first - 1, 0, last, len(columns) - 1)


def _title(count: int, month: str) -> Words:
    """What the list is; where it holds a part, how many there are and where all of them are to be had."""
    zh = "赢回名单：近三月离网、可联系、离网前有毛利的客户，价值高的在前"
    en = "Win-back: left in three months, may be contacted, brought margin; the most valuable first"
    if count <= LISTED:
        return both(zh, en)
    whole = whole_list("win-back", month)
    return both(
        f"{zh}（共 {count:,} 户，此处列出前 {LISTED:,} 户；{whole['zh']}）",
        f"{en} ({LISTED:,} of {count:,}; {whole['en']})",
    )
