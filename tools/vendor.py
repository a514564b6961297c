"""Brings in, or refreshes, the few foreign files the workbench's pages use: pinned, with licences and checksums.

They come as packages of the npm registry, by the user's own npm. Apache ECharts alone is built, of the parts that are
drawn with, and lies once: in the core's report, from where the workbench serves it too.

usage: tools/vendor.py
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
FRAME = SOURCE / "keepline_web" / "frame"
CHARTS = SOURCE / "keepline" / "report" / "vendor"
BUILD = ("--bundle", "--minify", "--format=iife", "--global-name=echarts", "--target=es2018", "--outfile=built.js")
STATIC = FRAME / "static" / "vendor"
ICONS = (
    "address-book", "alert-triangle", "arrow-left", "arrow-right", "building", "cake", "calendar-event", "check",
    "checklist", "chevron-right", "clock", "command", "device-mobile", "discount", "download", "eye", "file-import",
    "heart-handshake", "history", "language", "logout", "mail", "map-pin", "message", "moon", "notebook", "phone",
    "phone-off", "plus", "search", "shield-check", "sun", "user", "users", "users-group", "walk", "x", "chart-bar",
    "gift", "flame", "file-text", "list-details", "arrow-back-up", "key", "hand-stop", "bookmark", "columns-3", "copy",
    "printer", "info-circle", "filter", "menu-2", "trash", "chevron-down", "bulb", "briefcase", "headset",
    "shopping-bag", "speakerphone", "chart-dots", "database", "rubber-stamp", "keyboard", "settings", "stairs-up",
)  # fmt: skip
ECHARTS = ("echarts@6.1.0", "esbuild@0.25.12")
# package and version: file in it → place here
WANTED = {
    "htmx.org@2.0.11": {"dist/htmx.min.js": STATIC / "htmx" / "htmx.min.js", "LICENSE": STATIC / "htmx" / "LICENSE"},
    "@tabler/icons@3.51.0": {f"icons/outline/{name}.svg": FRAME / "icons" / f"{name}.svg" for name in ICONS}
    | {"LICENSE": FRAME / "icons" / "LICENSE"},
}


def main() -> None:
    said = {}
    for package, files in WANTED.items():
        with tempfile.TemporaryDirectory() as folder:
            packed = subprocess.run(
                ["npm", "pack", package, "--silent", "--pack-destination", folder],
                capture_output=True, text=True, check=True,
            ).stdout.strip()  # fmt: skip
            with tarfile.open(Path(folder) / packed) as archive:
                said[package] = {name: _take(archive, name, to) for name, to in files.items() if to.suffix != ".svg"}
                for name, to in files.items():
                    _take(archive, name, to)
    said[ECHARTS[0]] = {"../../report/vendor/echarts.min.js": _charts()}
    (STATIC / "vendored.json").write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{sum(map(len, WANTED.values()))} files")


def _charts() -> str:
    """Build what entry.js lists, behind the notices of the present file; returns its checksum."""
    there = CHARTS / "echarts.min.js"
    notices = there.read_text(encoding="utf-8").partition("*/")[0] + "*/\n"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(CHARTS / "entry.js", folder)
        subprocess.run(["npm", "install", *ECHARTS, "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        subprocess.run(["npx", "esbuild", "entry.js", *BUILD], cwd=folder, check=True)
        built = (Path(folder) / "built.js").read_text(encoding="utf-8")
    there.write_text(notices + built, encoding="utf-8")
    return hashlib.sha256(there.read_bytes()).hexdigest()


def _take(archive: tarfile.TarFile, name: str, to: Path) -> str:
    """Put one file in its place; returns its checksum."""
    found = archive.extractfile(f"package/{name}")
    assert found is not None, name
    data = found.read()
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
