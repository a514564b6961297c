"""Asking for an export, consenting to it, taking it back, fetching it; each is an entry of the audit."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from pathlib import Path

from django.db import transaction
from django.http import Http404

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers import sealed
from keepline_web.customers.listing import Listing, listed
from keepline_web.exports.models import Export, Step
from keepline_web.exports.queries import SECOND_ABOVE, access_export, exports_of, file_of, rows_of, state_of
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.actions import ask as ask_task
from keepline_web.jobs.models import Task
from keepline_web.people.models import Person

KIND = "export"
REASON_LEAST, REASON_MOST = 4, 200
A_DAY = 20
NUL = "\x00"  # which no text of the database may hold


@transaction.atomic
def ask(*, by: Person, asked: Listing, reason: str, key: uuid.UUID) -> Export:
    """Ask for the list behind a page, with its filters. The same key again gives the export that is there."""
    Person.objects.select_for_update().get(pk=by.pk)  # two requests at once count one after the other
    before = Export.objects.filter(key=key).first()
    if before is not None:
        return _same(before, by)
    said = _reason(reason)
    _not_too_many(by)
    filters = _plain(asked)
    text = str(filters.pop("text"))
    rows = listed(by, Listing(**filters, text=text)).order_by().count()  # type: ignore[arg-type]
    if not rows:
        raise Refused(
            "列表是空的，没有可导出的客户；请放宽条件。",
            "The list is empty, there is nothing to export; widen the filters.",
            code="nothing_to_export",
            status=422,
        )
    export = Export.objects.create(
        key=key, person=by, reason=said, filters=filters, text_sealed=sealed.seal(text, customer_id=key.int),
        rows=rows, needs_second=rows > SECOND_ABOVE, asked_at=clock.now(), asked_on=clock.today(),
    )  # fmt: skip
    task = None if export.needs_second else _make(export)
    detail = {"rows": rows, "filters": {**filters, "text": bool(text)}, "needs_second": export.needs_second}
    put_step(export, "asked", by, reason=said, task=task, detail=detail)
    return export


def _plain(asked: Listing) -> dict[str, object]:
    said = asdict(asked)
    clean = {name: value.replace(NUL, "") if isinstance(value, str) else value for name, value in said.items()}
    return {**clean, "codes": {name: code.replace(NUL, "") for name, code in asked.codes.items()}}


def _same(before: Export, by: Person) -> Export:
    if before.person_id != by.pk:
        raise Refused("编号已被使用，请刷新页面。", "The number is taken; reload the page.", code="key_taken")
    return before


def _not_too_many(by: Person) -> None:
    if Export.objects.filter(person=by, asked_on=clock.today()).count() >= A_DAY:
        raise Refused(
            f"今天已申请导出 {A_DAY} 次，达到每日上限；请明天再来，或合并为一次导出。",
            f"You have asked for {A_DAY} exports today, which is the limit; come back tomorrow, or take them as one.",
            code="export_limit",
            status=429,
        )


@transaction.atomic
def decide(*, by: Person, export_id: int, what: str, reason: str) -> Step:
    """Consent or refuse; never to one's own, and only to as many rows as were asked for."""
    if not Export.objects.select_for_update().filter(pk=export_id).exists():
        raise Http404
    export = access_export(by, export_id)
    if what not in ("approved", "refused"):
        raise Refused(f"没有这个选项：{what}。", f"There is no such choice: {what}.", code="unknown_choice", status=422)
    if export.person_id == by.pk:
        raise Refused(
            "不能审批自己申请的导出，须由另一位有权的同事审批。",
            "Nobody consents to their own export; another who may do so has to.",
            code="own_export",
            status=403,
        )
    if state_of(export) != "waiting":
        raise Refused(
            "这份导出不在待审批状态，不能处理；刷新页面可见。",
            "This export is not waiting for consent; reload the page to see where it stands.",
            code="decided_already",
        )
    if what == "refused":
        return put_step(export, what, by, reason=_reason(reason), detail={})
    rows = rows_of(export).order_by().count()
    if rows > export.rows:
        raise _grown(export.rows, rows)
    return put_step(export, what, by, reason=_short(reason), task=_make(export), detail={"rows": rows})


@transaction.atomic
def withdraw(*, by: Person, export_id: int) -> Step:
    """Take back what one asked, while nobody has decided."""
    if not Export.objects.select_for_update().filter(pk=export_id, person=by).exists():
        raise Http404
    export = exports_of(by).get(pk=export_id)
    if state_of(export) != "waiting":
        raise Refused(
            "只有待审批的导出可以撤回。", "Only an export that waits for consent is taken back.", code="decided_already"
        )
    return put_step(export, "withdrawn", by, detail={})


@transaction.atomic
def fetch(*, by: Person, export_id: int) -> tuple[Export, Path]:
    """The file, for the one who asked; that it was fetched is kept."""
    export, path = file_of(by, export_id)
    Export.objects.select_for_update().get(pk=export.pk)  # two downloads at once are two steps
    put_step(export, "downloaded", by, detail={"rows": export.made.rows, "sha256": export.made.sha256})
    return export, path


@transaction.atomic
def tell_attempt(*, by: Person, export_id: int, code: str) -> None:
    """That somebody tried what was refused, such as consenting to their own."""
    detail = {"refused": code}
    write(Stream.EXPORTS, act="export_decision_refused", by=by, object=f"export:{export_id}", detail=detail)


def put_step(
    export: Export,
    what: str,
    by: Person,
    *,
    detail: dict[str, object],
    reason: str = "",
    task: Task | None = None,
) -> Step:
    """Add a step and its entry of the audit; the caller holds the export or has just made it."""
    step = Step.objects.create(
        export=export, number=export.steps.count() + 1, what=what, person=by, reason=reason, task=task, at=clock.now()
    )
    said = {**detail, "reason": reason} if reason else detail
    write(Stream.EXPORTS, act=f"export_{what}", by=by, object=f"export:{export.pk}", detail=said)
    return step


def _make(export: Export) -> Task:
    return ask_task(kind=KIND, asked={"export": export.pk}, by=export.person)


def _grown(asked: int, now: int) -> Refused:
    return Refused(
        f"申请时为 {asked:,} 户，现在已有 {now:,} 户，超出申请的数量；请申请人重新提交。",
        f"It was {asked:,} customers when asked and is {now:,} now, more than was asked for; it has to be asked anew.",
        code="export_grown",
    )


def check_rows(export: Export, rows: int) -> None:
    """No more rows leave than were consented to, or than need no consent."""
    most = export.rows if export.needs_second else max(export.rows, SECOND_ABOVE)
    if rows > most:
        raise _grown(most, rows)


def _reason(reason: str) -> str:
    said = _short(reason)
    if len(said) < REASON_LEAST:
        raise Refused(
            f"请写明原因（至少 {REASON_LEAST} 个字），便于审计。",
            f"Say why, in {REASON_LEAST} signs or more; it is kept for the audit.",
            code="reason_needed", status=422,
        )  # fmt: skip
    return said


def _short(reason: str) -> str:
    return reason.replace(NUL, "").strip()[:REASON_MOST]
