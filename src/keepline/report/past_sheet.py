"""The sheet of plan.xlsx that sets what past plans expected beside what they earned."""

from __future__ import annotations

from keepline.report.book import Book, yuan
from keepline.report.pictures.past import MOST, NOTE
from keepline.report.sheets import head, write_cells
from keepline.report.words import both

COLUMNS = [
    (both("方案账期", "Plan"), 12),
    (both("方案客户", "In the plan"), 12),
    (both("全程预期净增毛利", "Expected in all"), 16),
    (both("区间下限", "From"), 14),
    (both("区间上限", "To"), 14),
    (both("已测月数", "Months measured"), 12),
    (both("可比较的客户", "Customers compared"), 14),
    (both("至今应得", "Expected by now"), 14),
    (both("至今实得", "Earned so far"), 14),
    (both("90% 区间下限", "90% interval from"), 16),
    (both("90% 区间上限", "To"), 14),
    (both("结果", "How they stand"), 60),
]
MONEY = ("by_now_fen", "earned_fen", "earned_low_fen", "earned_high_fen")


def write_past(book: Book) -> None:
    """Nothing while there is no past plan."""
    rows = (book.figures.get("past") or [])[:MOST]
    if not rows:
        return
    sheet = book.sheet("成效 Results", both("以往账期：预期与实测", "Past months: expected beside earned"))
    first = head(sheet, COLUMNS, freeze_columns=1)
    for place, row in enumerate(rows, start=first):
        expected = [(yuan(row[name]), "money") for name in ("gain_fen", "gain_low_fen", "gain_high_fen")]
        earned = [(yuan(row[name]), "money") for name in MONEY]
        cells = [(row["plan_month"], "text"), (row["customers"], "whole"), *expected]
        cells += [(row["months"], "whole"), (row["compared"], "whole"), *earned, (row["said"], "text")]
        write_cells(sheet, place, cells)
    sheet.page.set_row(first + len(rows), 60)
    sheet.page.set_column(0, 0, COLUMNS[0][1])
    write_cells(sheet, first + len(rows) + 1, [(NOTE, "text")])
