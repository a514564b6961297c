"""Loads of the lake: who made them, what undoing one would take out, and undoing it by the worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import Http404

from keepline.front import KeeplineError, foresee_undo, loads, undo_load
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.exchange.models import Trial, Undoing
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.actions import ask as ask_task
from keepline_web.jobs.models import OPEN
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person

LOCK = 7_340  # of advisory locks; the second number is the load's
REOPEN = "reopen"
REASON_LEAST, REASON_MOST = 2, 200


@dataclass(frozen=True)
class Loaded:
    """A load with whom the workbench knows to have made it and undone it."""

    said: dict[str, Any]
    trial: Trial | None
    undoing: Undoing | None

    @property
    def runs(self) -> bool:
        task = self.undoing.task if self.undoing else None
        return bool(task and task.state in OPEN)

    @property
    def when(self) -> dt.datetime | None:
        """By the file system's clock, for loads nobody asked for on a page."""
        at = self.said["at"]
        return dt.datetime.fromtimestamp(at, tz=dt.UTC) if at else None

    @property
    def may(self) -> bool:
        """Whether it can be asked for; what stands in the way is found when it is."""
        return self.said["state"] == "stands" and not self.said["handed_back"] and not self.runs


def all_loads() -> list[dict[str, Any]]:
    return loads(settings.SITE)


def with_people(said: Sequence[dict[str, Any]]) -> list[Loaded]:
    numbers = [load["number"] for load in said]
    trials = Trial.objects.filter(verb="load", report__load__in=numbers).select_related("person", "upload")
    by_load: dict[int, Trial] = {}
    for trial in trials.exclude(report__verdict="ignored").defer("mapping").order_by("-pk"):
        by_load[(trial.report or {})["load"]] = trial
    undoings = Undoing.objects.filter(load__in=numbers).select_related("person", "task").order_by("pk")
    last = {undoing.load: undoing for undoing in undoings}
    return [Loaded(load, by_load.get(load["number"]), last.get(load["number"])) for load in said]


def access_load(number: int) -> Loaded:
    """One load, or none such."""
    found = [load for load in all_loads() if load["number"] == number]
    if not found:
        raise Http404
    return with_people(found)[0]


def foreseen(number: int) -> dict[str, Any]:
    """What undoing it would take out; what stands in the way is refused in the core's own words."""
    try:
        return foresee_undo(settings.SITE, number)
    except KeeplineError as error:
        raise Refused(error.zh, error.en, code=error.code) from error


@transaction.atomic
def ask(*, by: Person, number: int, reason: str, accept: Iterable[str]) -> Undoing:
    """Ask the worker to undo a load: once, for a reason, and knowing what was published from it."""
    said, accepted = reason.strip(), [code for code in accept if code == REOPEN]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, number % 2**31])
    load = access_load(number)
    _possible(load, said)
    found = foreseen(number)
    if found["published"] and REOPEN not in accepted:
        months = "、".join(found["published"])
        raise Refused(
            f"账期 {months} 已用这份数据发布；如确要撤销，请勾选知悉后再提交。",
            f"{months} was published from these data; if it shall be undone all the same, tick that you know.",
            code="published", status=422,
        )  # fmt: skip
    made = Undoing.objects.create(
        load=number, name=load.said["name"][:120], reason=said[:REASON_MOST], accept=accepted, foreseen=found,
        person=by, at=clock.now(),
    )  # fmt: skip
    made.task = ask_task(kind="undo", asked={"undoing": made.pk}, by=by)
    made.save(update_fields=["task"])
    detail = {"name": made.name, "reason": made.reason, "accept": accepted, "places": found["places"]}
    write(Stream.EXCHANGE, act="load_undo_asked", by=by, object=f"load:{number}", detail=detail)
    return made


def _possible(load: Loaded, reason: str) -> None:
    if load.runs:
        raise Refused(
            "这次载入正在撤销，请等它完成。", "This load is being undone; wait until that is done.", code="undo_runs"
        )
    if load.said["state"] == "undone":
        raise Refused(
            "这次载入此前已撤销，没有可再撤销的内容；如需要，可重新载入该文件。",
            "This load was undone before, and nothing of it is left; load the file again if you need it.",
            code="undone_before",
        )
    if load.said["handed_back"]:
        raise Refused(
            "这是工作台自己交回的记录，撤销后会再次交回；请在日志中撤回有误的那一条。",
            "The workbench handed this back itself and would do so again; take the wrong entry of the log back there.",
            code="handed_back",
        )
    if len(reason) < REASON_LEAST:
        raise Refused("请写明撤销的原因。", "Say why it shall be undone.", code="no_reason", status=422)


def carry_out(asked: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The worker's part. One that was killed behind the switch finds the load undone, as was foreseen."""
    undoing = Undoing.objects.select_related("person").get(pk=asked["undoing"])
    progress.step(0, zh=f"撤销载入 {undoing.load}", en=f"undoing load {undoing.load}")
    try:
        result = undo_load(settings.SITE, undoing.load, accept=undoing.accept, reason=undoing.reason)
    except KeeplineError as error:
        if error.code != "undone_before":
            raise
        result = undoing.foreseen
    with transaction.atomic():
        Undoing.objects.filter(pk=undoing.pk).update(result=result)
        detail = {"name": undoing.name, "reason": undoing.reason, "with": list(result["with_it"])}
        write(Stream.EXCHANGE, act="load_undone", by=undoing.person, object=f"load:{undoing.load}", detail=detail)
    return {"load": undoing.load}


def address(asked: dict[str, Any]) -> str:
    undoing = Undoing.objects.filter(pk=asked["undoing"]).first()
    return f"/data/loads/{undoing.load}" if undoing else "/data"
