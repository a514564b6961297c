"""The calling graph in memory: who talks with whom, as scipy's compressed rows, read part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from scipy import sparse

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]

MOST_PARTNERS = 500  # who talks with more is a switchboard, a shop or a courier, and in nobody's circle
COLUMNS = ["customer_id", "peer_id", "calls", "called"]
BATCH = 1_000_000
STEPS_MOST = 16  # within a drawer of the directory; crowded ones are searched


@dataclass(frozen=True)
class Graph:
    """Every tie stands in the rows of both its ends; ``calls`` go out, ``called`` came in."""

    ids: Ints  # sorted; the customers that may have ties
    indptr: Ints
    indices: Places
    calls: Floats
    called: Floats
    switchboards: int = 0

    @property
    def degree(self) -> Ints:
        """With how many others each talks."""
        return np.diff(self.indptr)

    @property
    def both_ways(self) -> Any:
        """Calls in either direction, as a symmetric matrix."""
        return self._matrix(self.calls + self.called)

    @property
    def incoming(self) -> Any:
        """Row i holds the calls i received, by caller."""
        return self._matrix(self.called)

    def _matrix(self, data: Floats) -> Any:
        size = len(self.ids)
        return sparse.csr_matrix((data, self.indices, self.indptr), shape=(size, size), copy=False)


def rows_of(parts: Sequence[Path]) -> int:
    """How many rows the parts hold, by their footers."""
    return sum(pq.read_metadata(path).num_rows for path in parts)


def read(parts: Sequence[Path], ids: Ints) -> Graph:
    """Read parts of TIES, in order of customers; ties with anybody outside ``ids`` are left out."""
    rows, at = rows_of(parts), 0
    indices, calls, called = np.empty(rows, np.int32), np.empty(rows, np.float32), np.empty(rows, np.float32)
    directory, degree = Directory(ids), np.zeros(len(ids), dtype=np.int64)
    for path in parts:
        for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=COLUMNS):
            who, peer, out, received = (column.to_numpy() for column in batch.columns)
            first, second = directory.of_runs(who), directory.places(peer)
            both = (first >= 0) & (second >= 0)
            end = at + int(both.sum())
            indices[at:end], calls[at:end], called[at:end] = second[both], out[both], received[both]
            degree += np.bincount(first[both], minlength=len(ids))
            at = end
    indptr = np.concatenate([[0], np.cumsum(degree)])
    return without_switchboards(Graph(ids, indptr, indices[:at], calls[:at], called[:at]))


class Directory:
    """Finds the places of customers. Pseudonyms lie evenly in their space, so that a table by their first bits leads to
    the place or just before it; a binary search over millions of them waits for memory at every step."""

    def __init__(self, ids: Ints) -> None:
        self.ids = ids
        bits = max(len(ids).bit_length(), 1)
        self.shift = max(int(ids.max(initial=0)).bit_length() - bits, 0)
        self.table = np.searchsorted(ids, np.arange((1 << bits) + 2) << self.shift).astype(np.int32)

    def places(self, wanted: Ints) -> Places:
        """The place of each in ``ids``, or -1."""
        if not len(self.ids):
            return np.full(len(wanted), -1, dtype=np.int32)
        drawer = np.clip(wanted >> self.shift, 0, len(self.table) - 2)
        at, end = self.table[drawer], self.table[drawer + 1]
        last = np.int32(len(self.ids) - 1)
        for _ in range(STEPS_MOST):
            before = (at < end) & (self.ids[np.minimum(at, last)] < wanted)
            if not before.any():
                break
            at = at + before
        else:
            at = np.searchsorted(self.ids, wanted).astype(np.int32)
        at = np.minimum(at, last)
        return np.where(self.ids[at] == wanted, at, np.int32(-1))

    def of_runs(self, wanted: Ints) -> Places:
        """The same where equal ones stand together."""
        starts = np.flatnonzero(np.r_[True, wanted[1:] != wanted[:-1]]) if len(wanted) else np.zeros(0, np.int64)
        return np.repeat(self.places(wanted[starts]), np.diff(np.r_[starts, len(wanted)]))


def without_switchboards(graph: Graph) -> Graph:
    """Without the ties of whoever talks with more than anybody's circle holds."""
    many = graph.degree > MOST_PARTNERS
    if not many.any():
        return graph
    keep = ~np.repeat(many, graph.degree) & ~many[graph.indices]
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return Graph(
        ids=graph.ids,
        indptr=kept_before[graph.indptr],
        indices=graph.indices[keep],
        calls=graph.calls[keep],
        called=graph.called[keep],
        switchboards=int(many.sum()),
    )
