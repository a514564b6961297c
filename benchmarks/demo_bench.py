"""How long the demonstration takes and how much memory it needs, at several sizes.

usage: benchmarks/demo_bench.py [CUSTOMERS …]      default: 5000 20000
Prints one line a size: customers, seconds by the clock, seconds of processor, peak memory of the largest process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (5_000, 20_000)


def measured(customers: int) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of processor and peak megabytes of one demonstration."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("keepline")), "demo", "--customers", str(customers)]
        started = time.perf_counter()
        with subprocess.Popen([*command, "--site", f"{folder}/site"], stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"keepline demo --customers {customers} ended with {process.returncode}")
        return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(sizes: list[int]) -> None:
    print("| customers | seconds | CPU seconds | peak MB |\n|---|---|---|---|")
    for customers in sizes:
        clock, processor, memory = measured(customers)
        print(f"| {customers:,} | {clock:.0f} | {processor:.0f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
