"""What is removed together: a row with the rows that tell of it, when the youngest of them is older than its term."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

from keepline.front import Retention
from keepline_web.customers.models import ContactPerson, Unmasking
from keepline_web.exchange.models import Trial, Upload
from keepline_web.exports.models import Export, Made
from keepline_web.exports.models import Step as ExportStep
from keepline_web.frame.words import Text
from keepline_web.jobs.models import Task
from keepline_web.people.models import Session, Token
from keepline_web.work.models import (
    Contact,
    Given,
    Promise,
    PromiseEnd,
    Proposal,
    Ruling,
    Step,
    StepEnd,
    Target,
)

MONTH_DAYS = 31  # a term is never shorter than it says
Condition = Callable[[dt.datetime], Q]


@dataclass(frozen=True)
class Family:
    """Rows of ``root`` that are due by ``condition``, and ``parts`` that go with them, by the column naming it."""

    name: str
    words: Text
    root: type[Model]
    days: Callable[[Retention], int]
    condition: Condition
    parts: tuple[tuple[type[Model], str], ...] = ()
    earlier: Callable[[list[int]], list[int]] | None = None  # rows of the same table that these came after

    def due(self, before: dt.datetime) -> QuerySet[Any]:
        """Those whose time is over and that nothing which stays still points to."""
        rows = self.root._default_manager.filter(self.condition(before))
        own = {self.root, *(model for model, _ in self.parts)}
        for relation in self.root._meta.get_fields(include_hidden=True):
            if isinstance(relation, ForeignObjectRel) and relation.related_model not in own:
                held = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
                rows = rows.exclude(Exists(held))
        return rows.order_by("pk")


def _months(name: str) -> Callable[[Retention], int]:
    return lambda policy: int(getattr(policy, f"{name}_months")) * MONTH_DAYS


def _days(name: str) -> Callable[[Retention], int]:
    return lambda policy: int(getattr(policy, f"{name}_days"))


def _before(column: str) -> Condition:
    return lambda before: Q(**{f"{column}__lt": before})


def _quiet(model: type[Model], column: str, own: str) -> Condition:
    """Itself older, and no row of ``model`` younger."""

    def condition(before: dt.datetime) -> Q:
        younger = model._default_manager.filter(**{column: OuterRef("pk"), "at__gte": before})
        return Q(**{f"{own}__lt": before}) & ~Q(Exists(younger))

    return condition


def _closed(before: dt.datetime) -> Q:
    """A month's target is looked at while the month lasts, however early it was set."""
    return Q(set_at__lt=before, month__lt=f"{before:%Y-%m}")


def _untouched(before: dt.datetime) -> Q:
    return Q(at__lt=before) & (Q(corrected_by__isnull=True) | Q(corrected_by__at__lt=before))


def _replaced(ids: list[int]) -> list[int]:
    """What these contact persons replaced, to the first of each chain."""
    found: list[int] = []
    while ids:
        ids = list(ContactPerson.objects.filter(replaced_by__in=ids).values_list("pk", flat=True))
        found += ids
    return found


def _gone(before: dt.datetime) -> Q:
    """The end of a chain, and that no look at anybody of it is still kept; who holds today has no end."""
    seen = ids = list(
        Unmasking.objects.exclude(contact_person=None).values_list("contact_person", flat=True).distinct()
    )
    while ids:
        ids = list(ContactPerson.objects.filter(replaces__in=ids).values_list("pk", flat=True))
        seen = seen + ids
    return Q(ended=True, at__lt=before, replaced_by__isnull=True) & ~Q(pk__in=seen)


FAMILIES = (
    Family("promises", Text("已有结果的承诺", "promises that ended"), Promise, _months("work"), _before("end__at"),
           ((PromiseEnd, "promise"),)),
    Family("steps", Text("已完成的下一步", "steps that ended"), Step, _months("work"), _before("end__at"),
           ((StepEnd, "step"),)),
    Family("proposals", Text("优惠申请", "proposals"), Proposal, _months("work"),
           _quiet(Ruling, "proposal", "made_at"), ((Ruling, "proposal"),)),
    Family("given", Text("已提供的权益", "entitlements given"), Given, _months("work"), _before("at")),
    Family("targets", Text("目标", "targets"), Target, _months("work"), _closed),
    Family("contacts", Text("营销日志", "lines of the log"), Contact, _months("work"), _untouched),
    Family("unmaskings", Text("查看完整信息的记录", "unmaskings"), Unmasking, _months("unmaskings"), _before("at")),
    Family("contact_persons", Text("已终止的联系人", "contact persons that ended"), ContactPerson,
           _months("contact_persons"), _gone, earlier=_replaced),
    Family("exports", Text("导出记录", "exports"), Export, _months("exports"),
           _quiet(ExportStep, "export", "asked_at"), ((Made, "export"), (ExportStep, "export"))),
    Family("uploads", Text("数据接入记录", "files taken in"), Upload, _months("uploads"),
           _quiet(Trial, "upload", "at"), ((Trial, "upload"),)),
    Family("tasks", Text("已结束的任务", "tasks that ended"), Task, _days("tasks"), _before("ended_at")),
    Family("sessions", Text("已过期的会话", "sessions that expired"), Session, _days("sessions"),
           _before("expire_date")),
    Family("tokens", Text("已失效的令牌", "tokens that ended"), Token, _days("tokens"), _before("expires_at")),
    Family("attempts", Text("登录失败计数", "failed sign-ins counted"), AccessAttempt, _days("failed_sign_ins"),
           _before("attempt_time")),
    Family("failures", Text("登录失败记录", "failed sign-ins"), AccessFailureLog, _days("failed_sign_ins"),
           _before("attempt_time")),
    Family("sign_ins", Text("登录记录", "sign-ins"), AccessLog, _days("failed_sign_ins"), _before("attempt_time")),
)  # fmt: skip
