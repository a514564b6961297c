"""What a close costs where deliveries or means are others: late, everybody every month, and a plan that treats many.

usage: benchmarks/scale_manners_bench.py [CUSTOMERS]      default: 1000000

The same simulated operator of twelve months (scale_operator.py), as *Scale* has it; with a bill of three months ago
that comes after the month before was closed; with customers and lines delivered whole every month; and with means that
grow with the base and offers that are assumed to earn, so that a fifth of the customers may be contacted. Each close
finds what the month before left to carry.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Measured, machine, table
from scale_bench import features, gigabytes, growing, of
from scale_jobs import CAME_LATE
from scale_sites import MONTHS, site_of

CUSTOMERS = 1_000_000
MANNERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # options of the operator, and what is done since
    "as in *Scale*": ((), ()),
    "a bill of three months ago comes late": ((), ("late",)),
    "everybody delivered every month": (("--whole",), ()),
    "a plan that treats many": (("--means",), ()),
}


def main(customers: int) -> None:
    print(f"## Scale: other deliveries and means\n\n{machine()}\n")
    print(f"{customers:,} simulated customers, {MONTHS} months, one thread.\n")
    found = {}
    for name, (options, since) in MANNERS.items():
        with site_of(customers, *options) as site, _as_it_was(site / "lake"):
            found[name] = of(site, ["closed"], since)["closed"]
    head = ["", "CPU s", "µs a customer", "but for what is fixed", "features, CPU s", "features, GB read", "peak MB"]
    table(
        [*head, "lake, bytes a customer", "candidates", "treated"], [cells(n, r, customers) for n, r in found.items()]
    )
    plain = next(iter(found.values()))
    print()
    for name, run in found.items():
        print(f"- {name}: closing costs {run.job / plain.job:.2f} times the CPU")


@contextmanager
def _as_it_was(lake: Path) -> Iterator[None]:
    """What came late goes again, for other benchmarks of a site that is kept."""
    manifest = (lake / "manifest.json").read_bytes()
    yield
    (lake / "manifest.json").write_bytes(manifest)
    for late in lake.rglob(CAME_LATE):
        late.unlink()


def cells(name: str, run: Measured, customers: int) -> list[str]:
    cost = [f"{run.job:.1f}", f"{1e6 * run.job / customers:.0f}", f"{1e6 * growing(run) / customers:.0f}"]
    read = [f"{features(run):.2f}", f"{gigabytes(run):.3f}", f"{run.peak_mb:.0f}"]
    plan = [f"{run.said[each]:,}" for each in ("candidates", "treated")]
    return [name, *cost, *read, f"{run.said['disk']['lake'] / customers:.0f}", *plan]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
