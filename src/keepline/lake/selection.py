"""Which of their rows count for a section: the tests of ``when`` and ``when_any``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keepline.lake.sections import SLOT, TableMap, When
from keepline.lake.values import as_text, tidy, trimmed

if TYPE_CHECKING:
    from keepline.lake.convert import Theirs

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def passing(said: TableMap, slot: str, theirs: Theirs, everyone: Mask) -> Mask:
    """Rows that pass all of ``when`` and any of ``when_any``."""
    keep = everyone
    for test in said.when:
        keep = keep & _passes(test, slot, theirs, keep)
    if said.when_any:
        keep = keep & np.logical_or.reduce([_passes(test, slot, theirs, keep) for test in said.when_any])
    return keep


def _passes(test: When, slot: str, theirs: Theirs, asked: Mask) -> Mask:
    index = theirs.header.need([test.column.replace(SLOT, slot)])
    passed = asked
    if test.empty is not None or test.equals is not None or test.differs is not None:
        passed = passed & _words(test, theirs, index)
    limits = (test.above, test.below, test.at_least, test.at_most)
    if test.zero or any(limit is not None for limit in limits):
        parsed = theirs.number(index)
        theirs.mark(parsed, test.column.replace(SLOT, slot), asked)
        passed = passed & _numbers(test, parsed.values)
    return passed


def _words(test: When, theirs: Theirs, index: int) -> Mask:
    texts = trimmed(as_text(theirs.column(index)), theirs.empty)
    absent = texts.is_null().to_numpy(zero_copy_only=False)
    passed = np.ones(len(texts), dtype=np.bool_)
    if test.empty is not None:
        passed &= absent if test.empty else ~absent
    if test.equals is not None:
        passed &= _among(texts, test.equals)
    if test.differs is not None:
        passed &= ~_among(texts, test.differs)
    return passed


def _among(texts: pa.Array, said: Any) -> Mask:
    """Equal to one of the given words, whatever the width of the characters."""
    wanted = {_word(word) for word in (said if isinstance(said, tuple) else (said,))}
    encoded = texts.dictionary_encode()
    hits = [number for number, text in enumerate(encoded.dictionary.to_pylist()) if tidy(text) in wanted]
    indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    found: Mask = np.isin(indices, hits)
    return found


def _word(said: Any) -> str:
    return ("true" if said else "false") if isinstance(said, bool) else tidy(str(said))


def _numbers(test: When, doubles: pa.Array) -> Mask:
    """An empty value passes no test of numbers."""
    pairs = ((test.above, pc.greater), (test.below, pc.less), (test.at_least, pc.greater_equal),
             (test.at_most, pc.less_equal), (0.0 if test.zero else None, pc.equal))  # fmt: skip
    passed = np.ones(len(doubles), dtype=np.bool_)
    for limit, compare in pairs:
        if limit is not None:
            passed &= pc.fill_null(compare(doubles, limit), False).to_numpy(zero_copy_only=False)
    return passed
