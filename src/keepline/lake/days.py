"""Days and billing months as operators write them, the day numbers of spreadsheets among them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keepline.errors import IntakeError
from keepline.lake.sections import Ago
from keepline.lake.values import One, Parsed, Unfit, by_unique, tidy, trimmed

FIRST_YEAR, LAST_YEAR = 1901, 2100
LAST_MONTH = "2050-01"  # nobody bills from here on yet
SERIAL_MOST = 73_050  # 31 December 2099
LEAP_BUG = 60  # spreadsheets believe in 29 February 1900, which was not

_YMD = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]\s*\d{1,2}[:时].*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\s+\d{1,2}:?\d{2}.*|\d{6})?")
AMBIGUOUS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:\s.*)?")
_SERIAL = re.compile(r"\d{1,5}(\.\d+)?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(\d{4})\s*[-/.年]?\s*(0[1-9]|1[0-2]|[1-9])\s*月?")


def serial_day(number: int) -> dt.date:
    """The day of a spreadsheet's day number; 60 is a day that never was."""
    if number == LEAP_BUG:
        raise Unfit("not_a_date")
    return dt.date(1899, 12, 31 if number < LEAP_BUG else 30) + dt.timedelta(days=number)


def days(values: pa.Array, empty: pa.Array, *, formats: tuple[str, ...]) -> Parsed:
    """Dates from dates, timestamps or text."""
    if pa.types.is_temporal(values.type):
        return _in_range(values.cast(pa.timestamp("us"), safe=False).cast(pa.date32(), safe=False))
    return by_unique(trimmed(values, empty), pa.date32(), day_reader(formats))


def _in_range(found: pa.Array) -> Parsed:
    years = pc.year(found)
    odd = pc.or_(pc.less(years, FIRST_YEAR), pc.greater(years, LAST_YEAR))
    rows = np.flatnonzero(pc.fill_null(odd, False).to_numpy(zero_copy_only=False))
    return Parsed(found, {int(row): "date_out_of_range" for row in rows})


def day_reader(formats: tuple[str, ...]) -> One:
    """A function from one text to its day: by the given formats first, else as nobody can mistake it."""

    def one(text: str) -> tuple[Any, str]:
        said = tidy(text)
        day = _by_formats(said, formats)
        note = "" if day or _ISO.fullmatch(said) else "serial_day" if _SERIAL.fullmatch(said) else "day_form"
        if day is None:
            day = _unmistakable(said, formats)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise Unfit("date_out_of_range")
        return day, note

    return one


def _by_formats(said: str, formats: tuple[str, ...]) -> dt.date | None:
    for form in formats:
        try:
            return dt.datetime.strptime(said, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None


def _unmistakable(said: str, formats: tuple[str, ...]) -> dt.date:
    found = _YMD.fullmatch(said) or _COMPACT.fullmatch(said)
    if found:
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if _SERIAL.fullmatch(said) and 0 < float(said) <= SERIAL_MOST:
        return serial_day(int(float(said)))
    if AMBIGUOUS.fullmatch(said) and not formats:
        raise ambiguous(said)
    raise Unfit("not_a_date")


def _day(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise Unfit("not_a_date") from error


def ambiguous(said: str) -> IntakeError:
    """Nobody can know whether day or month comes first, so the file waits for a word."""
    return IntakeError(
        f'the date {said} could be day/month or month/day; say which in the mapping: dates = ["%d/%m/%Y"] '
        f'or dates = ["%m/%d/%Y"]',
        f'日期 {said} 无法区分日/月与月/日；请在映射中写明：dates = ["%d/%m/%Y"] 或 dates = ["%m/%d/%Y"]',
        code="ambiguous_dates",
    )


def months(values: pa.Array, empty: pa.Array, *, formats: tuple[str, ...], first: str) -> Parsed:
    """Billing months YYYY-MM from months or days in any unmistakable form."""
    if pa.types.is_temporal(values.type):
        text = pc.strftime(values.cast(pa.timestamp("us"), safe=False), format="%Y-%m-%d")
        return by_unique(text, pa.string(), month_reader((), first))
    return by_unique(trimmed(values, empty), pa.string(), month_reader(formats, first))


def month_reader(formats: tuple[str, ...], first: str) -> One:
    """A function from one text to its billing month, not before ``first``."""
    read_day = day_reader(formats)

    def one(text: str) -> tuple[str, str]:
        said = tidy(text)
        found, day, note = _MONTH.fullmatch(said.removesuffix(".0")), _by_formats(said, formats), ""
        if day is None and found:
            day = dt.date(int(found[1]), int(found[2]), 1)
        elif day is None:
            day, note = _month_day(said, read_day)
        month = f"{day.year:04d}-{day.month:02d}"
        if not first <= month < LAST_MONTH:
            raise Unfit("month_out_of_range")
        return month, note

    return one


def _month_day(said: str, read_day: One) -> tuple[dt.date, str]:
    try:
        day, note = read_day(said)
    except Unfit as unfit:
        raise Unfit("month_out_of_range" if str(unfit) == "date_out_of_range" else "not_a_month") from unfit
    return day, note


def day_before(lengths: Parsed, ago: Ago) -> Parsed:
    """The day that lies so many days, months or years before the stated one."""
    end = np.datetime64(ago.before, "D")
    known = lengths.values.is_valid().to_numpy(zero_copy_only=False)
    count = np.rint(pc.fill_null(lengths.values, 0.0).to_numpy(zero_copy_only=False)).astype(np.int64)
    odd = known & ((count < 0) | (count > 200 * 366))
    count = np.where(odd, 0, count)
    found = end - count if ago.unit == "days" else _months_before(end, count * (12 if ago.unit == "years" else 1))
    bad = lengths.bad | {int(row): "date_out_of_range" for row in np.flatnonzero(odd)}
    return Parsed(pa.array(found.astype("datetime64[D]"), pa.date32(), mask=~known | odd), bad, lengths.notes)


def _months_before(end: np.datetime64, months: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same day of an earlier month; the last day where that month is shorter."""
    first = end.astype("datetime64[M]") - months
    day = int((end - end.astype("datetime64[M]").astype("datetime64[D]")).astype(int))
    last = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int) - 1
    starts: np.ndarray[Any, Any] = first.astype("datetime64[D]") + np.minimum(day, last)
    return starts
