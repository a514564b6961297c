"""How a sheet of plan.xlsx looks and is written: banner, headings, paper, and text that can never be a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keepline.report.numbers import Money
from keepline.report.words import Words

A4 = 9
TEXT_MAX = 32_767
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Styles:
    """The formats of a workbook by name."""

    def __init__(self, file: Any, currency: str) -> None:
        base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
        cell = base | {"text_wrap": True, "bottom": 1, "bottom_color": "#D9DDE2"}
        symbol = Money(currency).symbol.replace('"', "")
        fill = cell | {"bg_color": "#FFFBEA", "border": 1, "border_color": "#E3D9B5"}
        said: dict[str, dict[str, Any]] = {
            "text": cell | {"num_format": "@"},
            "bold": cell | {"bold": True},
            "whole": cell | {"num_format": "#,##0"},
            "share": cell | {"num_format": "0.0%"},
            "money": cell | {"num_format": f'"{symbol}"#,##0.00'},
            "fill": fill,
            "fill_date": fill | {"num_format": "yyyy-mm-dd"},
            "head": base
            | {"bold": True, "text_wrap": True, "bg_color": "#0A5EA8", "font_color": "#FFFFFF", "border": 1},
            "title": base | {"bold": True, "font_size": 14},
            "banner": base | {"bold": True, "bg_color": "#FFD34D", "font_color": "#3A2500", "font_size": 12},
        }
        self.by_name = {name: file.add_format(options) for name, options in said.items()}

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]


@dataclass(frozen=True)
class Sheet:
    """A sheet whose banner and title stand; ``next_row`` is where its content begins."""

    page: Any
    styles: Styles
    next_row: int


def open_sheet(file: Any, name: str, *, about: Words, banner: Words | None, styles: Styles) -> Sheet:
    """A new sheet for A4 across, with its title and, on simulated data, the banner."""
    page = file.add_worksheet(name)
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.hide_gridlines(2)
    warned = both_lines(banner, " ") if banner else ""
    page.set_footer(f"&L{_footer(warned)}&C{_footer(about['zh'])}&R&P / &N")
    page.set_row(0, 22 if banner else 4)  # always there, so that a filled-in plan has its headings in one row
    if banner:
        page.write_string(0, 0, warned, styles["banner"])
        for column in range(1, 8):
            page.write_blank(0, column, None, styles["banner"])
    row = 1
    page.set_row(row, 24)
    page.write_string(row, 0, safe(both_lines(about, " · ")), styles["title"])
    return Sheet(page, styles, row + 1)


def _footer(text: str) -> str:
    return text.replace("&", "&&")


def head(sheet: Sheet, columns: Sequence[tuple[Words, int]], *, freeze_columns: int) -> int:
    """Headings in both languages, frozen and repeated on paper; returns the first row below them."""
    row = sheet.next_row
    sheet.page.set_row(row, 34)
    for place, (name, width) in enumerate(columns):
        sheet.page.set_column(place, place, width)
        sheet.page.write_string(row, place, both_lines(name), sheet.styles["head"])
    sheet.page.freeze_panes(row + 1, freeze_columns)
    sheet.page.repeat_rows(row)
    return row + 1


def write_cells(sheet: Sheet, row: int, cells: Sequence[tuple[Any, str]]) -> None:
    """A row; text goes in as text whatever it looks like, and nothing known leaves the cell empty."""
    for place, (value, style) in enumerate(cells):
        look = sheet.styles[style]
        if value is None or value == "":
            sheet.page.write_blank(row, place, None, look)
        elif isinstance(value, int | float):
            sheet.page.write_number(row, place, value, look)
        else:
            sheet.page.write_string(row, place, safe(both_lines(value))[:TEXT_MAX], look)


def both_lines(value: str | Words, between: str = "\n") -> str:
    """Chinese above English; once where they are the same."""
    if isinstance(value, str):
        return value
    return between.join(dict.fromkeys(text for text in (value["zh"], value["en"]) if text))


def safe(text: str) -> str:
    """Text that a spreadsheet would take for a formula is given an apostrophe, also for whoever saves it as CSV."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
