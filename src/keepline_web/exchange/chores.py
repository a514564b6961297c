"""What the worker does of itself or is asked to: publications come in, what people did goes out, files are taken in."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings

from keepline.front import KeeplineError
from keepline_web.audit.forwarding import forward
from keepline_web.exchange import undoing, uploads
from keepline_web.exchange.arriving import bring_in_all, waiting
from keepline_web.exchange.handing import hand_back, hand_back_again, something_new
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.kinds import chore, register
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person

log = logging.getLogger("keepline")
LOOK_SECONDS = 60
HAND_SECONDS = 3600
FORWARD_SECONDS = 5
SWEEP_SECONDS = 3600


def bring_in(asked: dict[str, Any], progress: Progress) -> dict[str, Any]:  # noqa: ARG001
    progress.step(0, zh="接入已发布的账期", en="bringing in what is published")
    arrivals, left = bring_in_all(settings.SITE)
    if left:
        raise Refused(
            "有账期未能接入，其余账期照常使用。" + " ".join(f"{month}：{why.zh}" for month, why in left.items()),
            "Not every month could be brought in; those that were are in use. "
            + " ".join(f"{month}: {why.en}" for month, why in left.items()),
            code="not_brought_in",
        )
    return {"months": [arrival.month for arrival in arrivals]}


def hand(asked: dict[str, Any], progress: Progress) -> dict[str, Any]:
    progress.step(0, zh="交回工作台的记录", en="handing back what was done")
    by = Person.objects.get(pk=asked["person"])
    handing = hand_back_again(by=by) if asked.get("again") else hand_back(by=by)
    return {"files": handing.files if handing else []}


def look_for_publications() -> None:
    """A month published while the workbench runs comes in by itself."""
    if waiting():
        bring_in_all(settings.SITE)


def hand_back_hourly() -> None:
    """What was done since the last time; a lake that is busy is tried again in an hour."""
    if something_new():
        try:
            hand_back(by=None)
        except KeeplineError as error:
            log.error("what was done could not be handed back, tried again in an hour: %s", error)


def send_audit_on() -> None:
    """Each entry of the audit to where the operator keeps logs; what cannot be sent now is sent later."""
    try:
        forward()
    except (KeeplineError, OSError) as error:
        log.error("the audit could not be sent to KEEPLINE_AUDIT_SINK, tried again: %s", error)


def _data(_: dict[str, Any]) -> str:
    return "/data"


register("bring_in", "接入账期", "publications in", run=bring_in, address=_data)
register("hand_back", "交回记录", "handing back", run=hand, address=_data)
register("intake", "数据接入", "file taken in", run=uploads.carry_out, address=uploads.address)
register("undo", "撤销载入", "load undone", run=undoing.carry_out, address=undoing.address)
chore(look_for_publications, every_seconds=LOOK_SECONDS)
chore(hand_back_hourly, every_seconds=HAND_SECONDS)
chore(send_audit_on, every_seconds=FORWARD_SECONDS)
chore(uploads.sweep, every_seconds=SWEEP_SECONDS)
