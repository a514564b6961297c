"""The billing month, the heartbeat of everything: always explicit, written ``2026-10``."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import total_ordering

from keepline.errors import KeeplineError

# the years a date can bear, with one to spare on the later side for the day after the last
_MONTH = re.compile(r"(?!0000|9999)([0-9]{4})-(0[1-9]|1[0-2])")


@total_ordering
@dataclass(frozen=True)
class Month:
    """One billing month; ``index`` counts months since year 0, so differences are months."""

    index: int

    @classmethod
    def parse(cls, text: str) -> Month:
        found = _MONTH.fullmatch(text)
        if found is None:
            raise KeeplineError(
                f"{text!r} is not a billing month; write it as YYYY-MM, for example 2026-10",
                f"{text!r} 不是账期；请写成 YYYY-MM，例如 2026-10",
                code="bad_month",
            )
        return cls(int(found[1]) * 12 + int(found[2]) - 1)

    @classmethod
    def of(cls, day: dt.date) -> Month:
        return cls(day.year * 12 + day.month - 1)

    def __str__(self) -> str:
        return f"{self.index // 12:04d}-{self.index % 12 + 1:02d}"

    def __lt__(self, other: Month) -> bool:
        return self.index < other.index

    def __add__(self, months: int) -> Month:
        return Month(self.index + months)

    def __sub__(self, other: Month) -> int:
        """Months from ``other`` to this one."""
        return self.index - other.index

    @property
    def first_day(self) -> dt.date:
        return dt.date(self.index // 12, self.index % 12 + 1, 1)

    @property
    def last_day(self) -> dt.date:
        return (self + 1).first_day - dt.timedelta(days=1)


def in_chinese(month: str) -> str:
    """A billing month as Chinese sentences write it: 2026-10 is 2026年10月."""
    year, of_year = month.split("-")
    return f"{year}年{int(of_year)}月"


def months_between(first: Month, last: Month) -> list[Month]:
    """All months from ``first`` to ``last``, both included; empty when ``last`` is earlier."""
    return [Month(i) for i in range(first.index, last.index + 1)]
