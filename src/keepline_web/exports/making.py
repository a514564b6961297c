"""Making an export's file: the rows the asker may see now, as the page shows them, with who, when and how many."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import translation

from keepline_web.customers.models import Account
from keepline_web.customers.queries import latest_month, shown, with_standing
from keepline_web.customers.words import CLASSES, LOYALTY, RISKS
from keepline_web.exports.actions import KIND, check_rows, put_step
from keepline_web.exports.cells import Cell, Csv, yuan
from keepline_web.exports.models import Export, Made, Step
from keepline_web.exports.queries import asked_of, folder, rows_of
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.frame.templatetags.frame import moment
from keepline_web.frame.words import LANGUAGES, say, told
from keepline_web.jobs.kinds import chore, register
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

HOURS = 24
EACH = 500


def make(asked: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file under a name nobody knows, then say that it is there; killed before, it is written anew."""
    export = Export.objects.select_related("person__unit").get(pk=asked["export"])
    before = Made.objects.filter(export=export).first()
    if before is not None:  # killed after it was made and before the task was ended
        return _result(before)
    _still_may(export)
    name = f"{secrets.token_urlsafe(24)}.csv"
    path = folder() / name
    with ExitStack() as undo:
        undo.callback(path.unlink, missing_ok=True)
        with translation.override(LANGUAGES[export.person.language]):
            rows, table = _write(path, export, progress)
        made = _tell(export, progress, name=name, rows=rows, size=table.size, sha256=table.sha256)
        undo.pop_all()
    return _result(made)


def _result(made: Made) -> dict[str, Any]:
    return {"export": made.export_id, "rows": made.rows, "sha256": made.sha256}


def _still_may(export: Export) -> None:
    """Neither the asker nor who consented has lost the right since."""
    consent = Step.objects.filter(export=export, what="approved").select_related("person").first()
    asker, second = export.person.may(Act.EXPORT), consent is not None and consent.person.may(Act.APPROVE_EXPORT)
    if not asker or (export.needs_second and not second):
        raise Refused(
            "申请人或审批人已不再有导出权限，没有生成文件；请由有权的同事重新申请。",
            "Who asked or who consented may no longer do so; no file was made. Somebody who may has to ask anew.",
            code="export_right_lost",
            status=403,
        )


def _write(path: Path, export: Export, progress: Progress) -> tuple[int, Csv]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        rows, table = _table(file, export, progress)
        file.flush()
        os.fsync(file.fileno())
    return rows, table


def _table(file: BinaryIO, export: Export, progress: Progress) -> tuple[int, Csv]:
    """Whose it is, the heading, the rows in the page's order, and the number of rows with the sum of what is above."""
    listed, month = rows_of(export), asked_of(export).month or latest_month() or ""
    total = listed.order_by().count()
    check_rows(export, total)
    table, count = Csv(file), 0
    table.line([watermark(export)])
    table.line(_heading())
    for account in with_standing(listed, month).iterator(chunk_size=EACH):
        if count % EACH == 0:
            progress.step(count, total, zh="写入客户", en="writing customers")
        table.line(line_of(account, export.person))
        count += 1
    check_rows(export, count)
    progress.step(count, count)
    table.line([say("共 {n} 行；以上内容 SHA-256：{s}", "{n} rows; SHA-256 of what is above: {s}", n=count,
                    s=table.sha256)])  # fmt: skip
    return count, table


def watermark(export: Export) -> str:
    """Who took it out, when, under which number; and that it is simulated, where it is."""
    said = say(
        "{o} · {p}（{u}）· {t} · 导出申请 {n} · 仅限申请用途，不得外传",
        "{o} · {p} ({u}) · {t} · export {n} · for the purpose stated only, not to be passed on",
        o=settings.SITE.settings.name, p=export.person.name, u=export.person.username, t=moment(clock.now()),
        n=export.pk,
    )  # fmt: skip
    if not settings.SITE.settings.simulated:
        return said
    return said + " · " + say("模拟数据，不是真实经营结果", "simulated data, not real results")


def _heading() -> list[Cell]:
    return [
        say("客户", "Customer"), say("客户编号", "Number"), say("区县", "District"), say("分类", "Class"),
        say("风险", "Risk"), say("忠诚", "Loyalty"), say("价值（元）", "Value (yuan)"),
        say("近三月收入（元）", "Revenue, 3 months (yuan)"), say("欠费（元）", "Arrears (yuan)"),
        say("本月安排", "This month"), say("负责人", "Owner"),
    ]  # fmt: skip


def line_of(account: Account, person: Person) -> list[Cell]:
    """An account as the person's page shows it; the state of the month is the seller's, which names nobody held out."""
    one = shown(account, person)
    known = [one.name, one.number, account.district]
    owner = account.owner_name or ""  # type: ignore[attr-defined]
    standing = next(iter(account.of_month), None)  # type: ignore[attr-defined]
    plan = next(iter(account.plan_of_month), None)  # type: ignore[attr-defined]
    if standing is None:
        return [*known, "", "", "", None, None, None, "", owner]
    words = [table.get(code, "") for table, code in ((CLASSES, standing.class_code), (RISKS, standing.risk_band),
                                                     (LOYALTY, standing.loyalty))]  # fmt: skip
    money = [yuan(fen) for fen in (standing.value_fen, standing.revenue_3m_fen, standing.arrears_fen)]
    return [*known, *map(str, words), *money, told(plan.name if plan else standing.state_words), owner]


@transaction.atomic
def _tell(export: Export, progress: Progress, **values: Any) -> Made:
    """The file, its step and its entry of the audit are there together, or none of them."""
    progress.hold()
    at = clock.now()
    made = Made.objects.create(export=export, at=at, expires_at=at + dt.timedelta(hours=HOURS), **values)
    detail = {name: values[name] for name in ("rows", "size", "sha256")}
    put_step(export, "made", export.person, detail=detail)
    return made


def sweep() -> int:
    """Remove files whose day is over, those half written by a killed worker too; returns how many were."""
    count, since = 0, time.time() - HOURS * 3600
    for path in folder().iterdir():
        with suppress(FileNotFoundError):  # another worker was quicker
            if path.stat().st_mtime < since:
                path.unlink()
                count += 1
    return count


register(
    KIND, "导出客户列表", "export of the customer list", run=make, address=lambda asked: f"/exports/{asked['export']}"
)
chore(sweep, every_seconds=600)
