"""What a token may be made for: a few words that people understand, each narrower than what a role may do."""

from __future__ import annotations

from keepline_web.frame.words import listed
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

SCOPES = listed("""
read | 查看客户、日程与数字 | read customers, the day and figures
work | 记日志、安排、承诺、申请优惠 | log, plan, promise, ask for offers
decide | 审批优惠与导出 | decide offers and exports
arrange | 移交、代管、设定目标 | hand over, cover, set targets
export | 申请并下载导出 | ask for exports and fetch them
data | 接入文件、接入账期、交回记录 | take files and months in, hand back what was done
configure | 管理组织与人员 | look after units and people
audit | 查阅审计 | read the audit
""")
ACTS = {
    "read": {Act.SIGNED_IN}, "work": {Act.OWN_DAY}, "decide": {Act.APPROVE, Act.APPROVE_EXPORT},
    "arrange": {Act.ASSIGN, Act.SEE_TEAM}, "export": {Act.EXPORT}, "data": {Act.LOAD}, "configure": {Act.CONFIGURE},
    "audit": {Act.READ_AUDIT},
}  # fmt: skip


def scopes_of(person: Person) -> list[str]:
    """The scopes that mean anything for the person's role."""
    return [scope for scope in SCOPES if any(person.may(act) for act in ACTS[scope])]
