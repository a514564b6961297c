"""Simulated sites for benchmarks of scale: made and deleted, or kept in the folder that KEEPLINE_BENCH_SITES names."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import ours

MONTHS = 12
KEPT = "KEEPLINE_BENCH_SITES"  # a folder with room; sites stay there from one benchmark to the next


@contextmanager
def site_of(customers: int, *made: str) -> Iterator[Path]:
    """A site of so many customers and a year of months, which runs with one thread; ``made``: how, by options."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(os.environ.get(KEPT, folder)) / "".join([str(customers), *made])
        if not (site / "lake" / "manifest.json").exists():
            subprocess.run(ours("scale_operator.py", site, customers, MONTHS, *made), check=True)
        threads(site, 1)
        yield site


def threads(site: Path, count: int) -> None:
    settings = site / "keepline.toml"
    lines = settings.read_text(encoding="utf-8").splitlines()
    kept = [f"threads = {count}" if line.startswith("threads = ") else line for line in lines]
    settings.write_text("\n".join(kept) + "\n", encoding="utf-8")
