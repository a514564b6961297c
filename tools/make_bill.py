"""Makes requirements/bill.cdx.json, the bill of materials, from the locks; --check says if it is up to date.

usage: tools/make_bill.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements/run.txt", "requirements/build.txt")
VENDORED = "src/keepline_web/frame/static/vendor/vendored.json"
TO = ROOT / "requirements" / "bill.cdx.json"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
SPACE = uuid.UUID("5d1c2d5e-7d8a-5b0e-9c43-6f1f0c0a9a11")  # of our bills; each has the number of its content


def bill(root: Path = ROOT) -> dict[str, Any]:
    """Every part with its version and where it is locked; who needs it is told by the lock."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = _version(root, project)
    ours = {"type": "application", "name": project["name"], "version": version, "bom-ref": project["name"],
            "licenses": [{"license": {"id": "Apache-2.0"}}]}  # fmt: skip
    parts: dict[str, dict[str, Any]] = {}
    needs: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, number, parents in locked((root / lock).read_text(encoding="utf-8")):
            one = parts.setdefault(f"pkg:pypi/{name}@{number}", _part(name, number, scope=lock))
            for parent in parents:
                needs.setdefault(parent, set()).add(one["bom-ref"])
    for package, files in json.loads((root / VENDORED).read_text(encoding="utf-8")).items():
        one = _vendored(package, files)
        parts[one["bom-ref"]] = one
        needs.setdefault(project["name"], set()).add(one["bom-ref"])
    by_name = {part["name"]: part["bom-ref"] for part in parts.values()} | {project["name"]: project["name"]}
    tree = [{"ref": by_name[name], "dependsOn": sorted(needs[name])} for name in sorted(needs) if name in by_name]
    said = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": ours},
        "components": [parts[ref] for ref in sorted(parts)], "dependencies": tree,
    }  # fmt: skip
    number = uuid.uuid5(SPACE, json.dumps(said, sort_keys=True))
    return {"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "serialNumber": f"urn:uuid:{number}"} | said


def _version(root: Path, project: dict[str, Any]) -> str:
    """The project's own; from its source where the project's file says that it lies there."""
    if "version" in project:
        return str(project["version"])
    text = (root / "src/keepline/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    return found.group(1) if found else "0"


def locked(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version, and by whom it is needed, of each pin of a lock."""
    for block in re.split(r"\n(?=[A-Za-z0-9])", text.strip()):
        pin = PIN.match(block)
        if pin is None:
            continue
        via = block.partition("# via")[2].replace("#", " ").replace("\n", " ")
        parents = re.findall(
            r"[a-z0-9][a-z0-9._-]*(?= \(pyproject\.toml\))|(?<![\w/(.-])[a-z0-9][a-z0-9-]*(?![\w/.])", via
        )
        yield pin.group(1).lower(), pin.group(2), sorted({name for name in parents if name not in ("r", "c")})


def _part(name: str, number: str, *, scope: str) -> dict[str, Any]:
    ref = f"pkg:pypi/{name}@{number}"
    return {"type": "library", "bom-ref": ref, "name": name, "version": number, "purl": ref,
            "scope": "required" if scope == LOCKS[0] else "excluded",
            "properties": [{"name": "keepline:lock", "value": scope}]}  # fmt: skip


def _vendored(package: str, files: dict[str, str]) -> dict[str, Any]:
    """A foreign part of the pages, by the checksums of the files that were taken."""
    name, _, number = package.rpartition("@")
    ref = f"pkg:npm/{name.replace('@', '%40')}@{number}"
    held = [{"type": "file", "name": path, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for path, digest in sorted(files.items())]  # fmt: skip
    return {"type": "library", "bom-ref": ref, "name": name, "version": number, "purl": ref, "scope": "required",
            "components": held}  # fmt: skip


def main(words: list[str]) -> int:
    text = json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"
    if "--check" not in words:
        TO.write_text(text, encoding="utf-8")
    elif not TO.exists() or TO.read_text(encoding="utf-8") != text:
        print(f"{TO.relative_to(ROOT)} is not what the locks say; run make lock or tools/make_bill.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
