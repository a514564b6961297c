"""Units as operators write them, and what one of them is in ours: fen, seconds, minutes, KB."""

from __future__ import annotations

from fractions import Fraction

# unit -> kind of quantity, and how many of the smallest unit of that kind (fen, second, KB).
# yuan and fen stand for the currency of the site and its hundredth, whatever they are called.
UNIT_WORDS: dict[str, tuple[str, Fraction]] = {
    "fen": ("money", Fraction(1)),
    "cent": ("money", Fraction(1)),
    "li": ("money", Fraction(1, 10)),
    "jiao": ("money", Fraction(10)),
    "yuan": ("money", Fraction(100)),
    "major": ("money", Fraction(100)),
    "wan_yuan": ("money", Fraction(1_000_000)),
    "seconds": ("duration", Fraction(1)),
    "minutes": ("duration", Fraction(60)),
    "hours": ("duration", Fraction(3600)),
    "B": ("data", Fraction(1, 1024)),
    "KB": ("data", Fraction(1)),
    "MB": ("data", Fraction(1024)),
    "GB": ("data", Fraction(1024**2)),
    "TB": ("data", Fraction(1024**3)),
}

_DECLARED = {"fen": "fen", "s": "seconds", "minutes": "minutes", "KB": "KB"}


def dimension(declared: str) -> str:
    """The kind of quantity of a column declared in ``tables.py``; empty when it has none."""
    unit = _DECLARED.get(declared)
    return UNIT_WORDS[unit][0] if unit else ""


def factor(unit: str, declared: str) -> float:
    """What a value written in ``unit`` is multiplied by to be in the declared unit."""
    return float(UNIT_WORDS[unit][1] / UNIT_WORDS[_DECLARED[declared]][1])


def fits(unit: str, declared: str) -> bool:
    return declared in _DECLARED and UNIT_WORDS[unit][0] == dimension(declared)
