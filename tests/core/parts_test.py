"""The bill of materials says what the locks say, and an audit of parts that skips one does not pass for clean."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import audit_parts
import make_bill

ROOT = Path(__file__).parents[2]


def test_the_bill_is_what_the_locks_say() -> None:
    assert make_bill.main(["--check"]) == 0


def test_every_locked_part_stands_in_the_bill_once_with_its_version() -> None:
    said = json.loads((ROOT / "requirements" / "bill.cdx.json").read_text(encoding="utf-8"))
    parts = [part["bom-ref"] for part in said["components"]]
    pins = re.findall(
        r"^([a-z0-9._-]+)==([^ ;\\\\\n]+)", (ROOT / "requirements/run.txt").read_text(encoding="utf-8"), re.M
    )
    assert len(pins) > 30
    assert {f"pkg:pypi/{name}@{version}" for name, version in pins} <= set(parts)
    assert len(parts) == len(set(parts))
    assert (said["bomFormat"], said["specVersion"]) == ("CycloneDX", "1.5")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", said["serialNumber"])
    known = {*parts, said["metadata"]["component"]["bom-ref"]}
    assert all({row["ref"], *row["dependsOn"]} <= known for row in said["dependencies"])
    ours = next(row for row in said["dependencies"] if row["ref"] == "keepline")
    assert any(ref.startswith("pkg:pypi/django@") for ref in ours["dependsOn"])
    assert any(ref.startswith("pkg:npm/htmx.org@") for ref in ours["dependsOn"])


def test_a_pin_is_read_with_those_who_need_it() -> None:
    text = """\
a-b==1.0 ; sys_platform == 'linux' \\
    --hash=sha256:aa
    # via keepline (pyproject.toml)
c==2 \\
    --hash=sha256:bb
    # via
    #   -c requirements/build.txt
    #   a-b
    #   keepline (pyproject.toml)
"""
    assert list(make_bill.locked(text)) == [("a-b", "1.0", ["keepline"]), ("c", "2", ["a-b", "keepline"])]


FAKE = """#!{python}
import json
print(json.dumps({answer}))
"""
LOCK = "a==1 \\\n    --hash=sha256:00\nb==2 \\\n    --hash=sha256:00\n"
CLEAN = {"name": "a", "version": "1", "vulns": []}
FAULT = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "b", "skip_reason": "not found"}


@pytest.mark.parametrize(("answer", "code"), [
    ({"dependencies": [CLEAN, CLEAN | {"name": "b"}]}, 0), ({"dependencies": [CLEAN, FAULT]}, 1),
    ({"dependencies": [CLEAN, SKIPPED]}, 2), ({"dependencies": [CLEAN]}, 2), ({"error": "no network"}, 2), ([], 2),
])  # fmt: skip
def test_only_an_audit_that_looked_at_every_part_is_clean(tmp_path: Path, answer: object, code: int) -> None:
    program, lock = tmp_path / "pip-audit", tmp_path / "run.txt"
    program.write_text(FAKE.format(python=sys.executable, answer=answer), encoding="utf-8")
    program.chmod(0o755)
    lock.write_text(LOCK, encoding="utf-8")
    assert audit_parts.audit(str(program), lock) == code


def test_without_the_program_nothing_passes_for_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_AUDIT", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert audit_parts.main([]) == 2
