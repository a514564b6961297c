"""Price elasticities by segment beside a mixed model: error against the truth, cost, and how honest the interval is.

usage: benchmarks/price_bench.py [SETS]      default: 20 simulated sets of 300 segments × 30 observations

The world: log use = level + elasticity × log price + noise; elasticities −1.6 ± 0.5, prices ± 12 % by lot. And a second
one, in which discounts went to those about to leave. Peers' environment: see benchmarks/measuring.py.
"""

from __future__ import annotations

import sys
import tempfile

from measuring import Job, cost_table, interleaved, machine, mark, missing_peers, ours, peer

JOBS = "price_jobs.py"
SETS = 20
SHOWS = ("rmse", "rmse_own", "rmse_pooled", "wrong_sign", "covered", "milliseconds_a_set")


def main(sets: int) -> None:
    print(f"## Price\n\n{machine()}\n\n{missing_peers()}")
    with tempfile.TemporaryDirectory() as folder:
        found = interleaved(
            [
                Job("keepline", ours(JOBS, "shrunk", folder, sets)),
                Job("statsmodels MixedLM", peer(JOBS, "mixed", folder, sets), rounds=1),
            ]
        )
        cost_table(f"{sets} sets of 300 segments × 30 observations", found, shows=SHOWS)
        mine, other = found.values()
        print()
        mark("milliseconds of one set, CPU", found=mine.said["milliseconds_a_set"], most=5)
        many = interleaved([Job("keepline", ours(JOBS, "shrunk", folder, 10 * sets))], rounds=1)["keepline"]
        held = many.said["covered"]
        mark(f"share of 90 % intervals that hold the truth, {10 * sets} such sets", found=held, least=0.88)
        if other.failed:
            print(f"- RMSE beside MixedLM's: not compared, {other.failed}")
        else:
            mark("RMSE ÷ MixedLM's on the same sets", found=mine.said["rmse"] / other.said["rmse"], most=1.0)
        large = interleaved([Job("keepline", ours(JOBS, "large", folder, 1))])
        cost_table("20,000 segments × 60 observations", large, shows=SHOWS)
        bought = interleaved([Job("keepline", ours(JOBS, "bought", folder, sets))])
    cost_table(
        "Purchases with many zeros, prices by lot and aimed at leavers", bought, shows=("lot", "aimed", "adjusted")
    )
    said = bought["keepline"].said
    print()
    mark("bias of the mean elasticity, prices by lot", found=abs(said["lot"]), most=0.05)
    mark("bias where discounts were aimed, adjusted by the old score", found=abs(said["adjusted"]), most=0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SETS)
