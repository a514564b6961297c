"""Files of the operator dropped on a page: kept apart under a random name, tried, and loaded by the worker."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404

from keepline.front import (
    KeeplineError,
    Month,
    keep_mapping,
    load_file,
    mapping_for,
    month_is_open,
    redraw_mapping,
    try_file,
    with_month_said,
)
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.exchange.models import Trial, Upload
from keepline_web.exchange.scanning import scan
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.actions import ask
from keepline_web.jobs.models import OPEN
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person

MOST_BYTES = 500_000_000
KINDS = (".csv", ".txt", ".xlsx", ".xls", ".xlsb", ".ods", ".parquet", ".zip", ".gz", ".tsv", ".dat")
FOLDER = "workbench/uploads"
LEFT_SECONDS = 86_400  # a folder of no file that is known stays so long: its transaction may still be open
MAPPING_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
NAME_SIGNS, STEM_BYTES = 120, 180  # a file system takes 255 bytes, a Chinese sign three; rows set aside add some
ENDING = re.compile(r"(\.set-aside\.[0-9a-f]{8})?\.\w{1,8}(\.gz|\.zip)?$")
MENDED = re.compile(r"\.set-aside\.([0-9a-f]{8})")
VERBS = {"check": "upload_checked", "load": "upload_loaded"}


def receive(*, by: Person, file: UploadedFile) -> Upload:
    """Keep the file as it came, readable by its owner alone; its name is kept as words, never as a path.

    It goes again where anything breaks before it is written down.
    """
    name = clean_name(file.name or "")
    if Path(name).suffix.lower() not in KINDS:
        raise Refused(
            f"不接收这种文件：{name}。可接收 CSV、Excel、Parquet，或其压缩包。",
            f"Files like {name} are not taken; CSV, Excel, Parquet are, packed or not.",
            code="file_kind", status=422,
        )  # fmt: skip
    if (file.size or 0) > MOST_BYTES:
        raise Refused(
            f"文件超过 {MOST_BYTES // 1_000_000} MB；请拆分，或用命令行 keepline intake load 载入。",
            f"The file is larger than {MOST_BYTES // 1_000_000} MB; split it, or load it with keepline intake load.",
            code="file_size", status=422,
        )  # fmt: skip
    place = secrets.token_urlsafe(18)
    folder = settings.SITE.root / FOLDER / place
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        size, digest = _keep(folder, name, file)
        scan(folder, name)
        made = _enter(by, name=name, place=place, size=size, sha256=digest)
        undo.pop_all()
    return made


@transaction.atomic
def _enter(by: Person, **said: Any) -> Upload:
    made = Upload.objects.create(person=by, at=clock.now(), **said)
    detail = {name: said[name] for name in ("name", "sha256")}
    write(Stream.EXCHANGE, act="upload_received", by=by, object=f"upload:{made.pk}", detail=detail)
    return made


def sweep() -> int:
    """Remove what a process that died, or a transaction taken back, left a day ago; how many folders these were."""
    root, since = settings.SITE.root / FOLDER, time.time() - LEFT_SECONDS
    old = []
    for path in root.iterdir() if root.is_dir() else ():
        with suppress(FileNotFoundError):  # another worker was quicker
            if path.is_dir() and path.stat().st_mtime < since:
                old.append(path)
    known = set(Upload.objects.filter(place__in=[path.name for path in old]).values_list("place", flat=True))
    left = [path for path in old if path.name not in known]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def clean_name(said: str) -> str:
    """The last part of a name, without signs that mean something to a file system; a long one keeps its ending."""
    last = re.split(r"[\\/]", said)[-1]
    clean = re.sub(r"[^\w.\- ()（）\u4e00-\u9fff]", "_", last).strip(". ") or "file"
    found = ENDING.search(clean)
    ending = found[0] if found else ""
    stem = clean.removesuffix(ending)[: NAME_SIGNS - len(ending)]
    return stem.encode()[:STEM_BYTES].decode(errors="ignore") + ending


def _keep(folder: Path, name: str, file: UploadedFile) -> tuple[int, str]:
    folder.mkdir(parents=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
        for chunk in file.chunks():
            to.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def path_of(upload: Upload) -> Path:
    return settings.SITE.root / FOLDER / upload.place / upload.name


def proposed_mapping(upload: Upload) -> tuple[str, str]:
    """The mapping last tried with this file, else the site's own by its name, else a draft."""
    last = upload.trials.order_by("-pk").first() or _of_rows_mended(upload)
    return (last.mapping, last.mapping_name) if last else mapping_for(settings.SITE, path_of(upload))


def _of_rows_mended(upload: Upload) -> Trial | None:
    """The trial of the file from which rows were set aside that now come back mended, known by their file's name."""
    found = MENDED.search(upload.name)
    if found is None:
        return None
    trials = Trial.objects.filter(upload__sha256__startswith=found[1]).exclude(report=None)
    return trials.order_by("-pk").first()


@transaction.atomic
def try_or_load(
    *,
    by: Person,
    upload_id: int,
    verb: str,
    mapping: str,
    mapping_name: str,
    accept: list[str],
    month: str = "",
    chosen: dict[str, str] | None = None,
) -> Trial:
    """Ask the worker to say what loading would do, or to do it; one at a time for a file."""
    upload = Upload.objects.select_for_update().filter(pk=upload_id).first()
    if upload is None or verb not in VERBS:
        raise Http404
    if upload.trials.filter(task__state__in=OPEN).exists():
        raise Refused(
            "这个文件正在处理，请等它完成。", "This file is being worked on; wait until that is done.", code="busy"
        )
    mapping = _with_month(_redrawn(mapping.replace("\r\n", "\n"), chosen or {}), month)
    if mapping_name and not MAPPING_NAME.fullmatch(mapping_name.removesuffix(".toml")):
        raise Refused(
            "映射名称只能用小写字母、数字和连字符。", "A mapping's name is small letters, digits and hyphens.",
            code="mapping_name", status=422,
        )  # fmt: skip
    trial = Trial.objects.create(
        upload=upload, verb=verb, mapping=mapping,
        mapping_name=mapping_name.removesuffix(".toml"),
        accept=accept, person=by, at=clock.now(),
    )  # fmt: skip
    trial.task = ask(kind="intake", asked={"trial": trial.pk}, by=by)
    trial.save(update_fields=["task"])
    detail = {"trial": trial.pk, "accept": accept}
    write(Stream.EXCHANGE, act=VERBS[verb], by=by, object=f"upload:{upload.pk}", detail=detail)
    return trial


def _redrawn(mapping: str, chosen: dict[str, str]) -> str:
    """The mapping with the columns that were chosen anew."""
    try:
        return redraw_mapping(mapping, chosen)
    except KeeplineError as error:
        raise Refused(error.zh, error.en, code=error.code, status=422) from error


def _with_month(mapping: str, month: str) -> str:
    """The mapping with the billing month that its draft asked for."""
    if not month_is_open(mapping):
        return mapping
    try:
        return with_month_said(mapping, Month.parse(month.strip()))
    except KeeplineError as error:
        raise Refused(
            "请填写这份文件的账期，例如 2026-10。", "Say of which billing month the file is, for example 2026-10.",
            code="month", status=422,
        ) from error  # fmt: skip


def carry_out(asked: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The worker's part. A load done before a kill is found in the lake: the file counts as loaded before."""
    trial = Trial.objects.select_related("upload").get(pk=asked["trial"])
    path, said = path_of(trial.upload), {"mapping": trial.mapping, "accept": trial.accept, "name": trial.mapping_name}
    if trial.verb == "load":
        report = load_file(settings.SITE, path, progress=_Told(progress), **said)
    else:
        keep = path.parent / f"trial-{trial.pk}"
        report = try_file(settings.SITE, path, keep=keep, progress=_Told(progress), **said)
    if trial.verb == "load" and trial.mapping_name and report["verdict"] not in ("refused", "held"):
        keep_mapping(settings.SITE, trial.mapping_name, trial.mapping)
    trial.report = report
    trial.save(update_fields=["report"])
    return {"trial": trial.pk, "verdict": report["verdict"]}


def address(asked: dict[str, Any]) -> str:
    trial = Trial.objects.filter(pk=asked["trial"]).first()
    return f"/data/uploads/{trial.upload_id}" if trial else "/data"


class _Told:
    """The core's progress, told to the task."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done, self._total = progress, 0, None

    def begin(self, zh: str, en: str, total: int | None = None) -> None:
        self._done, self._total = 0, total
        self._progress.step(0, total, zh=zh, en=en)

    def advance(self, done: int = 1) -> None:
        self._done += done
        self._progress.step(self._done, self._total)


def set_aside_file(upload: Upload, number: int) -> Path:
    """One of the files of rows set aside by the last trial; only what the report itself names, under the site."""
    trial = upload.trials.exclude(report=None).order_by("-pk").first()
    names = (trial.report or {}).get("set_aside_files", []) if trial else []
    if not 0 <= number < len(names):
        raise Http404
    path = Path(names[number])
    if not path.is_file() or settings.SITE.root.resolve() not in path.resolve().parents:
        raise Http404
    return path
