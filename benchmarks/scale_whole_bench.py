"""What it costs a close that customers and lines are delivered whole every month, beside their changes alone.

usage: benchmarks/scale_whole_bench.py [CUSTOMERS]      default: 1000000

The same simulated operator of twelve months twice (scale_operator.py). Both closes find what the month before left to
carry, and read the month's own deliveries.
"""

from __future__ import annotations

import sys

from measuring import machine, table
from scale_bench import features, gigabytes, of
from scale_sites import MONTHS, site_of

CUSTOMERS = 1_000_000
MANNERS = {"changes alone": (), "everybody every month": ("--whole",)}


def main(customers: int) -> None:
    print(f"## Scale: whole deliveries\n\n{machine()}\n")
    print(f"{customers:,} simulated customers, {MONTHS} months, one thread.\n")
    found = {}
    for name, options in MANNERS.items():
        with site_of(customers, *options) as site:
            found[name] = of(site, ["closed"])["closed"]
    head = ["customers and lines delivered", "CPU s", "µs a customer", "features, CPU s", "features, GB read"]
    rows = []
    for name, run in found.items():
        cost = [f"{run.job:.1f}", f"{1e6 * run.job / customers:.0f}", f"{features(run):.2f}", f"{gigabytes(run):.3f}"]
        lake = f"{run.said['disk']['lake'] / customers:.0f}"
        rows.append([name, *cost, f"{run.peak_mb:.0f}", lake])
    table([*head, "peak MB", "lake, bytes a customer"], rows)
    print()
    alone, whole = found.values()
    print(f"- closing, CPU, everybody ÷ changes alone: {whole.job / alone.job:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
