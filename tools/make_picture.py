"""Takes the README's picture: the top of a demonstration's report, in Chromium.

usage: tools/make_picture.py [SITE] [MONTH]      default: demo-site 2026-10; writes docs/report.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
TO = ROOT / "docs" / "report.png"
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main(site: Path, month: str) -> None:
    page_file = (site / "published" / month / "report.html").resolve()
    with sync_playwright() as drive:
        browser = drive.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1200, "height": 1000}, reduced_motion="reduce")
        page.goto(page_file.as_uri())
        page.wait_for_timeout(1500)
        page.screenshot(path=TO)
        browser.close()
    print(f"wrote {TO}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(Path(words[0] if words else "demo-site"), words[1] if len(words) > 1 else "2026-10")
