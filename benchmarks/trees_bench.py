"""Sifting customers through boosted trees, beside LightGBM's own predictor: rows a CPU second, equal to the last bit.

usage: benchmarks/trees_bench.py
"""

from __future__ import annotations

from measuring import Job, cost_table, interleaved, machine, mark, ours

JOBS = "trees_jobs.py"
SIZES = {
    "200 trees of 31 leaves": (200, 31),
    "300 of 7, the small ones": (300, 7),
    "900 of 31, the long ones": (900, 31),
}
RATE = 100_000


def main() -> None:
    print(f"## Trees\n\n{machine()}\n")
    print("30 inputs, one value in ten unknown, batches of 10,000 rows, one thread. A row is a customer.")
    rates = {}
    for title, size in SIZES.items():
        jobs = [Job("keepline", ours(JOBS, "sifted", *size)), Job("LightGBM's own", ours(JOBS, "own", *size))]
        found = interleaved(jobs)
        cost_table(title, found, shows=("rows", "rows_a_second", "sum_of_log_odds"))
        rates[title] = found["keepline"].said["rows"] / found["keepline"].job
        same = len({each.said["hashed"] for each in found.values()}) == 1
        print(f"\n- equal to the last bit: {'yes' if same else '**no**'}")
    print()
    mark("rows a CPU second through 200 trees of 31 leaves", found=next(iter(rates.values())), least=RATE)


if __name__ == "__main__":
    main()
