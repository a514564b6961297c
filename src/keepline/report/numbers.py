"""Numbers as people read them: 万 and 亿 in Chinese, K and M in English, ``--`` for what is not known."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from keepline.report.words import Words, both

EMPTY = "--"
JOINED = "\u2060"  # keeps a minus and the sign of the currency on one line
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "HKD": "HK$"}
NAMES_ZH = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "INR": "卢比", "HKD": "港元"}
ZH_STEPS = ((10**8, "亿"), (10**4, "万"))
EXACT_BELOW = 10_000
EN_STEPS = ((10**9, "B"), (10**6, "M"), (10**3, "K"))

Number = int | float | None


def fixed(value: float | Decimal, places: int) -> str:
    """With thousands separators; halves away from zero, as people round; never a negative zero."""
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded + 0:,}" if rounded else f"{abs(rounded):,}"


def count(value: Number) -> str:
    """A whole number in a table."""
    return EMPTY if value is None else fixed(value, 0)


def short_count(value: Number) -> Words:
    """A count in a sentence or on a card: 356.24万, 3.56M."""
    return both(_short(value, ZH_STEPS, 2), _short(value, EN_STEPS, 2))


def _short(value: Number, steps: tuple[tuple[int, str], ...], places: int) -> str:
    if value is None:
        return EMPTY
    for size, mark in steps:
        if abs(value) >= max(size, EXACT_BELOW):
            return _trim(fixed(Decimal(str(value)) / size, places)) + mark
    return fixed(value, 0)


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: Number, places: int = 1) -> str:
    return EMPTY if share is None else fixed(Decimal(str(share)) * 100, places) + "%"


def decimal(value: Number, places: int = 2) -> str:
    return EMPTY if value is None else fixed(value, places)


class Money:
    """Amounts of one currency, given in fen (hundredths)."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.symbol = SYMBOLS.get(currency, f"{currency} ")
        self.unit = both(NAMES_ZH.get(currency, currency), "yuan" if currency == "CNY" else currency)

    def exact(self, fen: Number, places: int = 0) -> str:
        """In a table: ¥1,235, the same in both languages."""
        return EMPTY if fen is None else self._signed(fixed(Decimal(str(fen)) / 100, places))

    def short(self, fen: Number) -> Words:
        """In a sentence: 3.11万元, ¥31.1K; under ten thousand whole yuan."""
        if fen is None:
            return both(EMPTY, EMPTY)
        yuan = Decimal(str(fen)) / 100
        places = 0 if abs(yuan) >= 100 or yuan == yuan.to_integral() else 2
        small = abs(yuan) < 1000
        zh = fixed(yuan, places) if small else _short(float(yuan), ZH_STEPS, 2)
        en = fixed(yuan, places) if small else _short(float(yuan), EN_STEPS, 2)
        return both(zh + self.unit["zh"], self._signed(en))

    def _signed(self, text: str) -> str:
        return f"-{JOINED}{self.symbol}{text[1:]}" if text.startswith("-") else self.symbol + text
