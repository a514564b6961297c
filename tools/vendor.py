"""Brings in, or refreshes, the few foreign files the workbench's pages use: pinned, with licences and checksums.

They come as packages of the npm registry, by the user's own npm; nothing is built.

usage: tools/vendor.py
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

FRAME = Path(__file__).parents[1] / "src" / "keepline_web" / "frame"
STATIC = FRAME / "static" / "vendor"
ICONS = (
    "address-book", "alert-triangle", "arrow-left", "arrow-right", "building", "cake", "calendar-event", "check",
    "checklist", "chevron-right", "clock", "command", "device-mobile", "discount", "download", "eye", "file-import",
    "heart-handshake", "history", "language", "logout", "mail", "map-pin", "message", "moon", "notebook", "phone",
    "phone-off", "plus", "search", "shield-check", "sun", "user", "users", "users-group", "walk", "x", "chart-bar",
    "gift", "flame", "file-text", "list-details", "arrow-back-up", "key", "hand-stop",
)  # fmt: skip
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
    (STATIC / "vendored.json").write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{sum(map(len, WANTED.values()))} files")


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
