"""The invented people of a demo, who may be entered as from the same machine alone."""

from __future__ import annotations

import csv
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from keepline_web.frame.words import listed
from keepline_web.people.models import Person

FILE = "demo-logins.csv"
HEADER = ("role", "user", "password", "second_factor_secret", "name", "unit")
# What each role can try first, and the drawing beside it.
ABOUT = listed("""
account_manager | 今天该联系谁，一点即记；客户全貌 | whom to turn to today, one tap to log; the whole customer
team_lead | 班组看板、审批、移交与代管、例会 | board of the team, approvals, handover, weekly meeting
district_chief | 区县的客户、欠费与目标 | customers, arrears and targets of a district
city_chief | 本月最大的问题，逐级看到名单 | the largest problems of the month, down to each list
province_chief | 全省的本月、通报与目标 | the month, bulletin and targets of the province
agent | 只看到自己发展的客户 | only the leads that are theirs
marketer | 本月的方案、代价与效果 | the month's plan, what it costs and does
campaign_approver | 审看本月的数字 | reads the figures of the month
analyst | 不显示姓名的客户群，带水印导出 | groups without names, export with a watermark
importer | 拖入文件，试装，看哪几行要改 | drop a file, try it, see which rows to mend
auditor | 谁在什么时候看过谁的号码 | who saw whose number, and when
admin | 组织、人员与权限 | units, people and posts
complaint_handler | 投诉处理（下一阶段） | complaints (the next stage)
mall_operator | 积分商城（下一阶段） | the points mall (the next stage)
""")
ICONS = {
    "account_manager": "briefcase", "team_lead": "users-group", "district_chief": "map-pin", "city_chief": "building",
    "province_chief": "chart-bar", "agent": "walk", "marketer": "speakerphone", "campaign_approver": "rubber-stamp",
    "analyst": "chart-dots", "importer": "file-import", "auditor": "shield-check", "admin": "settings",
    "complaint_handler": "headset", "mall_operator": "shopping-bag",
}  # fmt: skip
LOOPBACK = ("127.0.0.1", "::1")


def open_here(request: HttpRequest) -> bool:
    """Only a demo, and only from this machine, without a proxy in between."""
    near = request.META.get("REMOTE_ADDR") in LOOPBACK and "HTTP_X_FORWARDED_FOR" not in request.META
    return settings.DEMO and not settings.PUBLIC.hostname and near


def hints(request: HttpRequest) -> list[dict[str, Any]]:
    """One person a role, to choose from on the sign-in page of a demo."""
    if not open_here(request):
        return []
    names = {row["user"] for row in written()}
    found: dict[str, Person] = {}
    for person in Person.objects.filter(username__in=names, is_active=True).select_related("unit").order_by("pk"):
        found.setdefault(person.role, person)
    shown = [found[role] for role in ABOUT if role in found]
    return [
        {"username": p.username, "words": p.rights.words, "name": p.name, "unit": p.unit.name,
         "about": ABOUT[p.role], "icon": ICONS[p.role]}
        for p in shown
    ]  # fmt: skip


def person_of(request: HttpRequest) -> Person | None:
    """The invented person asked for, if this request may go in as them."""
    if not open_here(request):
        return None
    said = request.POST.get("username", "")
    return Person.objects.filter(username=said, is_active=True).first() if said in _names() else None


def may_enter(request: HttpRequest, person: Person) -> bool:
    """Whether this request may go in as the person without a code."""
    return open_here(request) and person.username in _names()


def _names() -> set[str]:
    return {row["user"] for row in written()}


def written() -> list[dict[str, str]]:
    """The rows of ``SITE/demo-logins.csv``."""
    path = settings.SITE.root / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))
