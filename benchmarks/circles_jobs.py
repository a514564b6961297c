"""The jobs of circles_bench.py, ours and the peers', each run in a child process.

usage: circles_jobs.py WHAT FOLDER [TIES]
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from measuring import job

MEAN_TIES, OUTSIDE, SMALLEST, LARGEST = 10, 0.2, 5, 60
PARTS = 8


def make(folder: Path, ties: int) -> None:
    """Calls of planted circles of 5 to 60: one in five goes to somebody anywhere. Seen from both ends, by customer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with job() as said:
        random, size = np.random.default_rng(7), 2 * ties // MEAN_TIES
        circle = np.repeat(np.arange(size), random.integers(SMALLEST, LARGEST + 1, size))[:size]
        starts, sizes = np.searchsorted(circle, circle), np.bincount(circle)[circle]
        place = random.permutation(size)  # pseudonyms tell nothing of who belongs together
        a = random.integers(0, size, ties)
        inside = starts[a] + (random.random(ties) * sizes[a]).astype(np.int64)
        b = np.where(random.random(ties) < OUTSIDE, random.integers(0, size, ties), inside)
        low, high = np.minimum(place[a], place[b]), np.maximum(place[a], place[b])
        key = np.unique((low * size + high)[a != b])
        low, high = key // size, key % size
        out, back = random.integers(1, 9, len(key)), random.integers(0, 9, len(key))
        truth = np.empty(size, dtype=np.int64)
        truth[place] = circle
        np.save(folder / "truth.npy", truth)
        np.save(folder / "ties.npy", np.stack([low, high]).astype(np.int32))
        np.save(folder / "calls.npy", np.stack([out, back]).astype(np.int16))
        who, peer = np.r_[low, high], np.r_[high, low]
        order = np.lexsort((peer, who))
        columns = {"customer_id": who, "peer_id": peer, "calls": np.r_[out, back], "called": np.r_[back, out]}
        table = pa.table({name: values[order] for name, values in columns.items()})
        for part in range(PARTS):
            first, last = len(table) * part // PARTS, len(table) * (part + 1) // PARTS
            pq.write_table(table.slice(first, last - first), folder / f"part-{part:05d}.parquet")
    said(ties=len(key), customers=size)


def ours(folder: Path, ties: int) -> None:
    """From the parts of TIES to groups, influence, leaders and gatekeepers of everybody."""
    import pyarrow as pa

    from keepline.insight.circles.finding import find, groups
    from keepline.insight.circles.graph import read

    _ = ties
    parts = sorted(folder.glob("part-*.parquet"))
    ids = np.arange(len(np.load(folder / "truth.npy")))
    pa.array([0]).to_numpy()  # at its first array Arrow imports pandas where there is one
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with job() as said:
        graph = read(parts, ids)
        found = find(graph)
    _tell(said, folder, found.group, before, len(graph.indices) // 2, leaders=int(found.leader.sum()))
    begun = process_time()
    groups(graph)  # again, to tell what part of the job is the library's Louvain
    said(louvain_seconds=process_time() - begun)


def igraph(folder: Path, ties: int) -> None:
    """PageRank, and Louvain as igraph has it; its resolution is set alike."""
    import igraph as ig

    _ = ties
    pairs, calls, truth = _arrays(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with job() as said:
        both = ig.Graph(n=len(truth), edges=pairs.T, directed=False)
        weight = calls.sum(axis=0).astype(float)
        group = both.community_multilevel(weights=weight, resolution=len(truth) / 150, return_levels=False).membership
        directed = ig.Graph(n=len(truth), edges=np.c_[pairs, pairs[::-1]].T, directed=True)
        directed.pagerank(weights=calls.ravel().tolist())
    _tell(said, folder, group, before, pairs.shape[1])


def networkx(folder: Path, ties: int) -> None:
    """The same with networkx."""
    import networkx as nx

    _ = ties
    pairs, calls, truth = _arrays(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with job() as said:
        both = nx.Graph()
        both.add_weighted_edges_from(zip(*pairs.tolist(), calls.sum(axis=0).tolist(), strict=True))
        found = nx.community.louvain_communities(both, resolution=len(truth) / 150, seed=1)
        directed = nx.DiGraph()
        ends = np.c_[pairs, pairs[::-1]]
        directed.add_weighted_edges_from(zip(*ends.tolist(), calls.ravel().tolist(), strict=True))
        nx.pagerank(directed)
    group = np.full(len(truth), -1)
    for number, members in enumerate(found):
        group[list(members)] = number
    _tell(said, folder, group, before, pairs.shape[1])


def _arrays(folder: Path) -> tuple[Any, Any, Any]:
    pairs, calls, truth = (np.load(folder / f"{name}.npy") for name in ("ties", "calls", "truth"))
    return pairs, calls, truth


def _tell(said: Any, folder: Path, group: Any, before: int, ties: int, **more: Any) -> None:
    """Agreement with what was planted (adjusted Rand index), and bytes a tie above what was there before."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from sklearn.metrics import adjusted_rand_score

    rand = float(adjusted_rand_score(np.load(folder / "truth.npy"), group))
    said(
        rand=round(rand, 4),
        groups=len(set(np.asarray(group).tolist())),
        ties=ties,
        bytes_a_tie=round((peak - before) * 1024 / ties),
        **more,
    )


JOBS = {each.__name__: each for each in (make, ours, igraph, networkx)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), int(float(sys.argv[3])) if len(sys.argv) > 3 else 0)
