"""Past use billed under a planned tariff: months a second, to the fen, beside a plain biller and pandas.

usage: benchmarks/tariff_bench.py [MONTHS [TARIFFS]]      default: 1000000 customer-months, 10000 random tariffs

The plain biller takes a fiftieth of the months. Peers' environment: see benchmarks/measuring.py; pandas is needed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from measuring import Job, Measured, cost_table, interleaved, machine, mark, missing_peers, ours, peer

JOBS = "tariff_jobs.py"
MONTHS, TARIFFS, PLAIN_SHARE = 1_000_000, 10_000, 50


def main(months: int, tariffs: int) -> None:
    print(f"## Tariffs\n\n{machine()}\n\n{missing_peers()}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(ours(JOBS, "make", folder, months), check=True, stdout=subprocess.DEVNULL)
        found = interleaved(
            [
                Job("keepline", ours(JOBS, "bill", folder, months)),
                Job("pandas", peer(JOBS, "pandas", folder, months)),
                Job(f"plain biller, 1 in {PLAIN_SHARE}", ours(JOBS, "plain", folder, months // PLAIN_SHARE), rounds=1),
            ]
        )
        cost_table(f"{months:,} customer-months of use in memory", found, shows=("months_a_second", "total_fen"))
        told(found)
        whole = interleaved([Job("keepline tariff try", ours(JOBS, "whole", folder, months))])
        shows = ("months_a_second", "customers")
        cost_table(f"{months:,} customer-months from a lake to the answer", whole, shows=shows)
        agreed = interleaved([Job("keepline", ours(JOBS, "agree", folder, tariffs))], rounds=1)
    said = agreed["keepline"].said
    print()
    mark(
        f"months of {tariffs:,} random tariffs that differ by a fen, of {said['months']:,}",
        found=said["differ"],
        most=0,
    )


def told(found: dict[str, Measured]) -> None:
    mine = found["keepline"]
    print()
    for who, other in found.items():
        if who != "keepline" and not other.failed:
            share = 1 if who == "pandas" else PLAIN_SHARE
            print(f"- months a CPU second, keepline ÷ {who.split(',')[0]}: {share * other.job / mine.job:.1f}")
    if not found["pandas"].failed:
        mark(
            "fen by which pandas' total differs",
            found=abs(mine.said["total_fen"] - found["pandas"].said["total_fen"]),
            most=0,
        )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(MONTHS, TARIFFS)[len(given) :])
