"""The jobs of cluster_bench.py: one month by the command line, and all that the processes it needed have cost.

usage: cluster_jobs.py duckdb SITE RANGE_CUSTOMERS      by DuckDB, two threads
       cluster_jobs.py spark SITE RANGE_CUSTOMERS       by a cluster that is started for it and stopped
       cluster_jobs.py killed SITE RANGE_CUSTOMERS      the same, and a worker is killed once the first labels are there

Spark's driver and executors outlive who started them, so this process takes in every orphan (Linux), to count it.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from measuring import ROOT, job
from scale_operator import LAST

sys.path.insert(0, str(ROOT / "tools"))

import spark_cluster

TAKE_IN_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
SPARK = {
    "spark.driver.memory": "512m",
    "spark.driver.maxResultSize": "64m",
    "spark.executor.memory": "1g",
}


def main(way: str, site: Path, range_customers: int) -> None:
    ctypes.CDLL(None).prctl(TAKE_IN_ORPHANS, 1, 0, 0, 0)
    began = time.perf_counter()
    with job() as said:
        if way == "duckdb":
            settings(site, engine="duckdb", range_customers=range_customers)
            ended = month(site).wait()
        else:
            ended = on_cluster(site, range_customers, kills=way == "killed")
        take_in()
    if ended:
        sys.exit(f"keepline run ended with {ended}")
    manifest = json.loads((site / "published" / str(LAST) / "manifest.json").read_text(encoding="utf-8"))
    said(wall=time.perf_counter() - began, tables=manifest["tables"])


def on_cluster(site: Path, range_customers: int, *, kills: bool) -> int:
    folder = site / "cluster"
    cluster = spark_cluster.start(folder, spark_cluster.Size(workers=2, cores=1, memory="2g"))
    try:
        settings(site, engine="spark", spark_master=cluster.url, range_customers=range_customers)
        run = month(site)
        if kills:
            while run.poll() is None and not list(site.glob("work/*/labels-*/part-*.parquet")):
                time.sleep(0.1)
            spark_cluster.kill(cluster.workers[0])
        return run.wait()
    finally:
        spark_cluster.stop(folder)


def settings(site: Path, **mine: object) -> None:
    file = site / "keepline.toml"
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if line.split(" ")[0] not in mine]
    lines = [f"{name} = {json.dumps(value)}" for name, value in mine.items()]
    table = [f'"{name}" = {json.dumps(value)}' for name, value in SPARK.items()]
    file.unlink()  # it may be one file with that of another site
    file.write_text("\n".join([*kept, *lines, "[spark]", *table]) + "\n", encoding="utf-8")


def month(site: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from keepline.cli import main; main()", "run"]
    words = ["--site", str(site), "--month", str(LAST)]
    return subprocess.Popen([*command, *words], stdin=subprocess.DEVNULL, stdout=sys.stderr)


def take_in() -> None:
    """Wait for whatever is left, so that its seconds are told."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
