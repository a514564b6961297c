"""Circles of a calling graph beside igraph and networkx: ties a CPU second, memory a tie, agreement with the truth.

usage: benchmarks/circles_bench.py [TIES]      default: 10000000 for us and igraph; a tenth for networkx as well

Peers' environment: see benchmarks/measuring.py. igraph is under the GPL and is compared with, never used.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from measuring import Job, Measured, cost_table, interleaved, machine, mark, missing_peers, ours, peer

JOBS = "circles_jobs.py"
TIES, TENTH = 10_000_000, 10
RATE, MEMORY_MB = 1e6, 4000
FIGURES = ("ties", "bytes_a_tie", "groups", "rand")


def main(ties: int) -> None:
    print(f"## Circles\n\n{machine()}\n\n{missing_peers()}")
    print(
        "A tie is two customers who called, told from both ends; planted circles of 5 to 60, one call in five to "
        "anybody. rand: adjusted Rand index with the planted circles. Ours also finds leaders and gatekeepers and "
        "reads its ties from Parquet; the peers get arrays."
    )
    small = compared(ties // TENTH, rounds=3, slow=True)
    large = compared(ties, rounds=1, slow=False)
    print()
    for found in (small, large):
        mine = found["keepline"]
        ties, library = mine.said["ties"], mine.said["louvain_seconds"]
        mark(f"{ties:,} ties: ties a CPU second", found=ties / mine.job, least=RATE)
        rest = ties / (mine.job - library)
        print(
            f"- of it scikit-network's Louvain takes {library / mine.job:.0%}; all else does {rest:,.0f} ties a second"
        )
    each = large["keepline"].said["bytes_a_tie"]
    print(
        f"- {MEMORY_MB:,} MB hold {MEMORY_MB / each:.0f} million ties at {each} bytes each; larger graphs are refused"
    )


def compared(ties: int, *, rounds: int, slow: bool) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(ours(JOBS, "make", folder, ties), check=True, stdout=subprocess.DEVNULL)
        jobs = [Job("keepline", ours(JOBS, "ours", folder)), Job("igraph", peer(JOBS, "igraph", folder))]
        jobs += [Job("networkx", peer(JOBS, "networkx", folder), rounds=1)] if slow else []
        found = interleaved(jobs, rounds=rounds)
    cost_table(f"{ties:,} calls drawn between customers: groups and influence", found, shows=FIGURES)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TIES)
