"""Who is left alone, so that we can tell what contact changed.

The lot is drawn by MD5 of the salt and the pseudonym, so that it is the same on every
engine and every day, and nobody can choose it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlglot import exp

from keepline.lots import first_bytes

LOT_SPACE = 16**8


@dataclass(frozen=True)
class Lot:
    """Whom a plan leaves alone, by its ``limits.toml``."""

    salt: str
    share: float

    def tree(self, customer_id: exp.Expr) -> exp.Expr:
        return held_out_tree(self.salt, self.share, customer_id)


NOBODY = Lot("", 0.0)


def is_held_out(customer_id: int, *, salt: str, share: float) -> bool:
    """The lot of one customer; equal to :func:`held_out_tree` on both engines."""
    digest = hashlib.md5(f"{salt}:{customer_id}".encode(), usedforsecurity=False).hexdigest()
    return digest[:8] < threshold(share)


def held_out(customer_id: npt.NDArray[np.integer], *, salt: str, share: float) -> npt.NDArray[np.bool_]:
    """The lots of many customers at once; equal to :func:`is_held_out` of each."""
    return np.asarray(first_bytes(customer_id, f"{salt}:") < int(threshold(share), 16))


def threshold(share: float) -> str:
    """The first eight hexadecimal digits below which a customer is held out."""
    return f"{min(round(share * LOT_SPACE), LOT_SPACE - 1):08x}"


def held_out_tree(salt: str, share: float, customer_id: exp.Expr) -> exp.Expr:
    """The lot as SQL: text comparison of the digest's first eight digits."""
    text = exp.DPipe(this=exp.Literal.string(f"{salt}:"), expression=exp.cast(customer_id.copy(), "VARCHAR"))
    start = exp.Substring(this=exp.MD5(this=text), start=exp.Literal.number(1), length=exp.Literal.number(8))
    return exp.LT(this=start, expression=exp.Literal.string(threshold(share)))
