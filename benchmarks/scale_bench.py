"""What a month costs as the base grows: everything made anew, the month closed, and the same bytes merely read.

usage: benchmarks/scale_bench.py [CUSTOMERS …]      default: 100000 300000; a site of twelve months is made and deleted

Simulated operators (scale_operator.py): for cost alone. *Anew* is a run that finds nothing of past months; *closed* one
that finds all but its own month and the outcomes it brings, and what the month before left to carry, as after the first
every run does. Training learns from a lot of customers, so its share falls as the base grows. Bytes are what a process
read from files, on disk or in memory.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table
from scale_operator import LAST

JOBS, MAKER = "scale_jobs.py", "scale_operator.py"
SIZES = (100_000, 300_000)
MONTHS = 12
FIXED = ("training", "measurement", "niches", "report")  # what hardly grows with the base, or is told by a lot of it
LESS, MEMORY_MB = 6.0, 4096


def main(sizes: list[int]) -> None:
    print(
        f"## Scale\n\n{machine()}\n\nSimulated operators of {MONTHS} months; one thread, ranges of 500,000 customers."
    )
    each = {}
    for customers in sizes:
        with tempfile.TemporaryDirectory() as folder:
            each[customers] = of(Path(folder) / "site", customers)
    rows = [said for customers, found in each.items() for said in lines(customers, found)]
    head = [
        "customers",
        "run",
        "CPU s",
        "µs a customer",
        "but for what is fixed",
        "features, CPU s",
        "features, GB read",
    ]
    table([*head, "peak MB"], rows)
    print()
    for customers, found in each.items():
        anew, closed, read = found["anew"], found["closed"], found["scan"]
        less = gigabytes(anew) / gigabytes(closed)
        mark(f"{customers:,}: bytes that features and labels read, anew ÷ closed", found=less, least=LESS)
        cheaper = features(anew) / features(closed)
        print(f"- {customers:,}: CPU of features and labels, anew ÷ closed: {cheaper:.1f}")
        own = closed.said["steps"]["features"]["cpu"]
        print(f"- {customers:,}: CPU of the month's features ÷ a plain scan of the same columns: {own / read.job:.1f}")
        whole = found["obvious"]
        print(
            f"- {customers:,}: CPU of the month's features as one query over everybody ÷ closed: {whole.job / own:.1f}"
        )
        print(f"- {customers:,}: peak memory of that one query ÷ closed: {whole.peak_mb / closed.peak_mb:.1f}")
        held_by = ", ".join(f"{name} {size / customers:.0f}" for name, size in closed.said["disk"].items())
        print(f"- {customers:,}: bytes a customer on disk: {held_by}")
        mark(f"{customers:,}: peak MB", found=max(anew.peak_mb, closed.peak_mb), most=MEMORY_MB)


def of(site: Path, customers: int) -> dict[str, Measured]:
    subprocess.run(ours(MAKER, site, customers, MONTHS), check=True)
    settings = site / "keepline.toml"
    text = settings.read_text(encoding="utf-8").replace("threads = 2", "threads = 1")
    settings.write_text(text, encoding="utf-8")
    found = {}
    for name in ("anew", "closed"):
        if name == "closed":
            once("former", "former", site)
        found[name] = once(name, "month", site)
        found[name].said["disk"] = {folder: held(site / folder) for folder in ("lake", "kept", "published")}
        shutil.rmtree(site / "published")
        for own in [*(site / "kept").glob(f"*-{LAST}-*"), *newest_labels(site)]:
            shutil.rmtree(own)
    return found | {name: once(name, name, site) for name in ("scan", "obvious")}


def newest_labels(site: Path) -> list[Path]:
    """What became of the latest past base is known only since the month that is closed."""
    return sorted((site / "kept").glob("labels-*"))[-1:]


def once(who: str, job: str, site: Path) -> Measured:
    made = interleaved([Job(who, ours(JOBS, job, site))], rounds=1)[who]
    if made.failed:
        sys.exit(f"{who}: {made.failed}")
    return made


def held(folder: Path) -> float:
    """Bytes of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def lines(customers: int, found: dict[str, Measured]) -> list[list[object]]:
    made = []
    for name in ("anew", "closed"):
        run = found[name]
        rest = sum(step["cpu"] for step_name, step in run.said["steps"].items() if step_name not in FIXED)
        cpu = [f"{run.job:.1f}", f"{1e6 * run.job / customers:.0f}", f"{1e6 * rest / customers:.0f}"]
        made.append(
            [f"{customers:,}", name, *cpu, f"{features(run):.2f}", f"{gigabytes(run):.3f}", f"{run.peak_mb:.0f}"]
        )
    return made


def of_features(run: Measured) -> list[dict[str, float]]:
    return [step for name, step in run.said["steps"].items() if name.startswith(("features", "outcomes"))]


def features(run: Measured) -> float:
    return sum(step["cpu"] for step in of_features(run))


def gigabytes(run: Measured) -> float:
    return sum(step["read"] for step in of_features(run)) / 1e9


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
