"""One workbench for all tests that look at its pages, so that a demo is made once; a browser for each file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from acceptance.serving_test import PATIENCE, Served, start
from keepline.demo import Asked, run_demo
from keepline.progress import Silent

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    site = tmp_path_factory.mktemp("workbench") / "site"
    run_demo(site, Asked(1000, 8, 1), engine="duckdb", progress=Silent())
    started = start(site)
    yield started
    started.process.terminate()
    started.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """While it is open this thread runs a loop, and Django's tests would take its connections for another's."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed; apt-get install chromium")
    words = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        yield found
        found.close()
