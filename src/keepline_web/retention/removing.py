"""Counting what is due and removing it, batch by batch, each in one transaction with its entry of the audit."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from keepline.front import Retention, Site, read_retention
from keepline_web.audit import actions as audit
from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.exchange.models import Upload
from keepline_web.exchange.uploads import FOLDER
from keepline_web.frame import clock
from keepline_web.frame.append_only import REMOVED, is_only_added, remove_due_rows
from keepline_web.frame.words import Text
from keepline_web.retention.families import FAMILIES, MONTH_DAYS, Family

BATCH = 2_000
FILES = Text("上传的文件", "dropped files")
CHAIN = Text("审计记录", "entries of the audit")


@dataclass(frozen=True)
class Due:
    """So many of one kind, older than a day."""

    name: str
    words: Text
    before: dt.date
    rows: int


def count_due(site: Site) -> list[Due]:
    """What would be removed now; a policy whose day has not come removes nothing."""
    policy = read_retention(site.policy)
    found = []
    for family in FAMILIES:
        before = _moment(family.days(policy))
        found.append(Due(family.name, family.words, before.date(), family.due(before).count()))
    before = _moment(policy.audit_months * MONTH_DAYS)
    entries = sum(max(0, until - head.cut_number) for head, until in _chains(before))
    files = _moment(policy.upload_files_days)
    found += [Due("audit", CHAIN, before.date(), entries), Due("files", FILES, files.date(), len(_files(site, files)))]
    return found if policy.valid_from <= clock.real_day() else []


def remove_due(site: Site) -> dict[str, int]:
    """Remove it; killed, the next time goes on. What was removed, by kind."""
    policy = read_retention(site.policy)
    if policy.valid_from > clock.real_day():
        return {}
    gone: dict[str, int] = {}
    for family in FAMILIES:
        before = _moment(family.days(policy))
        while count := _some(family, before, policy):
            gone[family.name] = gone.get(family.name, 0) + count
    before = _moment(policy.audit_months * MONTH_DAYS)
    for head, _ in _chains(before):
        while count := _links(head.stream, before, policy):
            gone["audit"] = gone.get("audit", 0) + count
    if count := _remove_files(site, _moment(policy.upload_files_days), policy):
        gone["files"] = count
    return gone


def _moment(days: int) -> dt.datetime:
    """Ages are of the real calendar, also in a demo."""
    return clock.now() - dt.timedelta(days=days)


@transaction.atomic
def _some(family: Family, before: dt.datetime, policy: Retention) -> int:
    """One batch: the parts first, then the rows they told of."""
    ids = list(family.due(before).values_list("pk", flat=True)[:BATCH])
    if not ids:
        return 0
    going: list[tuple[Any, list[Any]]] = [
        (model, list(model._default_manager.filter(**{f"{column}__in": ids}).values_list("pk", flat=True)))
        for model, column in family.parts
    ]
    going.append((family.root, ids + (family.earlier(ids) if family.earlier else [])))
    rows = {model._meta.db_table: len(keys) for model, keys in going if keys}
    entry = _tell(family.name, rows, before, policy)
    for model, keys in going:
        if is_only_added(model._meta.db_table):
            remove_due_rows(model._meta.db_table, keys, entry.pk)
        else:
            model._default_manager.filter(pk__in=keys).delete()
    return len(ids)


def _tell(name: str, rows: dict[str, int], before: dt.datetime, policy: Retention) -> Entry:
    detail = {"rows": rows, "before": before.date().isoformat(), "policy": policy.version}
    return audit.write(Stream.EXCHANGE, act=REMOVED, by=None, object=f"retention:{name}", detail=detail)


def _chains(before: dt.datetime) -> list[tuple[Head, int]]:
    """Each chain with the last number of its beginning that is older."""
    found = []
    for head in Head.objects.order_by("stream"):
        kept = Entry.objects.filter(stream=head.stream, at__gte=before).order_by("number").first()
        found.append((head, kept.number - 1 if kept else head.number))
    return found


@transaction.atomic
def _links(stream: str, before: dt.datetime, policy: Retention) -> int:
    head, until = next((head, until) for head, until in _chains(before) if head.stream == stream)
    until = min(until, head.cut_number + BATCH)
    if until <= head.cut_number:
        return 0
    entry = _tell("audit", {"audit_entry": until - head.cut_number}, before, policy)
    return audit.cut(stream, until, entry.pk)


def _files(site: Site, before: dt.datetime) -> list[Upload]:
    old = Upload.objects.filter(at__lt=before)
    return [one for one in old if (site.root / FOLDER / one.place).is_dir()]


def _remove_files(site: Site, before: dt.datetime, policy: Retention) -> int:
    """The files; that they were there stays told. Told first: killed between, the next time removes the rest."""
    going = _files(site, before)
    if going:
        _tell("files", {"files": len(going)}, before, policy)
    for one in going:
        shutil.rmtree(site.root / FOLDER / one.place, ignore_errors=True)
    return len(going)
