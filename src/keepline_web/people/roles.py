"""Who may do what: one table of roles, which every page, count, export and answer asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from django.db import models

from keepline_web.frame.words import Text


class Scope(StrEnum):
    """Whose customers a role sees."""

    OWN = "own"  # assigned to the person, or covered for a colleague
    TEAM = "team"  # of the people of the person's own unit
    SUBTREE = "subtree"  # of everyone at or below the person's unit
    ALL = "all"
    NONE = "none"


class Face(StrEnum):
    """How a customer is shown."""

    MASKED = "masked"  # names of persons and all numbers masked; may be unmasked by those who may
    PSEUDONYM = "pseudonym"  # no name at all
    NOTHING = "nothing"


class Act(StrEnum):
    """Things a role may do; each view names the one it needs."""

    OWN_DAY = "own_day"  # today, log, promise, propose
    SEE_ACCOUNTS = "see_accounts"
    SEE_ARREARS = "see_arrears"  # who owes, and who answers for it
    UNMASK = "unmask"
    APPROVE = "approve"
    ASSIGN = "assign"  # owners, cover, handover
    SEE_TEAM = "see_team"  # board of a unit
    SEE_FIGURES = "see_figures"  # aggregates of the month
    LOAD = "load"
    EXPORT = "export"
    APPROVE_EXPORT = "approve_export"
    CONFIGURE = "configure"  # units and people
    READ_AUDIT = "read_audit"
    SIGNED_IN = "signed_in"  # everyone


class Role(models.TextChoices):
    ACCOUNT_MANAGER = "account_manager"
    AGENT = "agent"
    TEAM_LEAD = "team_lead"
    DISTRICT_CHIEF = "district_chief"
    CITY_CHIEF = "city_chief"
    PROVINCE_CHIEF = "province_chief"
    MARKETER = "marketer"
    CAMPAIGN_APPROVER = "campaign_approver"
    COMPLAINT_HANDLER = "complaint_handler"
    MALL_OPERATOR = "mall_operator"
    ANALYST = "analyst"
    IMPORTER = "importer"
    ADMIN = "admin"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Rights:
    """What a role may do, whom it sees and how; ``level`` is its place in the chain of approval, 0 for none."""

    words: Text
    scope: Scope = Scope.NONE
    face: Face = Face.NOTHING
    acts: frozenset[Act] = field(default_factory=frozenset)
    level: int = 0

    @property
    def aggregates_only(self) -> bool:
        """Who sees figures of many and no account: no count in them is so small that it tells of one."""
        return Act.SEE_FIGURES in self.acts and Act.SEE_ACCOUNTS not in self.acts


def _acts(*names: Act) -> frozenset[Act]:
    return frozenset({Act.SIGNED_IN, *names})


SELLS = (Act.OWN_DAY, Act.SEE_ACCOUNTS, Act.SEE_ARREARS)
LEADS = (
    Act.SEE_ACCOUNTS, Act.SEE_ARREARS, Act.APPROVE, Act.ASSIGN, Act.SEE_TEAM, Act.SEE_FIGURES, Act.EXPORT,
    Act.APPROVE_EXPORT,
)  # fmt: skip

RIGHTS: dict[str, Rights] = {
    Role.ACCOUNT_MANAGER: Rights(
        Text("客户经理", "account manager"), Scope.OWN, Face.MASKED, _acts(*SELLS, Act.UNMASK, Act.EXPORT), 1
    ),
    Role.AGENT: Rights(Text("代理商", "agent"), Scope.OWN, Face.MASKED, _acts(*SELLS), 0),
    Role.TEAM_LEAD: Rights(Text("班组长", "team lead"), Scope.TEAM, Face.MASKED, _acts(*LEADS, Act.UNMASK), 2),
    Role.DISTRICT_CHIEF: Rights(Text("区县主管", "district chief"), Scope.SUBTREE, Face.MASKED, _acts(*LEADS), 3),
    Role.CITY_CHIEF: Rights(Text("地市主管", "city chief"), Scope.SUBTREE, Face.MASKED, _acts(*LEADS), 4),
    Role.PROVINCE_CHIEF: Rights(Text("省公司主管", "province chief"), Scope.SUBTREE, Face.MASKED, _acts(*LEADS), 5),
    Role.MARKETER: Rights(Text("营销策划", "marketer"), acts=_acts(Act.SEE_FIGURES)),
    Role.CAMPAIGN_APPROVER: Rights(Text("营销审批", "campaign approver"), acts=_acts(Act.SEE_FIGURES)),
    Role.COMPLAINT_HANDLER: Rights(Text("投诉处理", "complaint handler"), acts=_acts()),
    Role.MALL_OPERATOR: Rights(Text("商城运营", "mall operator"), acts=_acts()),
    Role.ANALYST: Rights(
        Text("分析师", "analyst"), Scope.ALL, Face.PSEUDONYM, _acts(Act.SEE_ACCOUNTS, Act.SEE_FIGURES, Act.EXPORT)
    ),
    Role.IMPORTER: Rights(Text("数据接入", "data importer"), acts=_acts(Act.LOAD)),
    Role.ADMIN: Rights(
        Text("系统管理员", "administrator"), Scope.ALL, Face.MASKED, _acts(Act.SEE_ACCOUNTS, Act.CONFIGURE)
    ),
    Role.AUDITOR: Rights(Text("审计", "auditor"), acts=_acts(Act.READ_AUDIT)),
}
assert set(RIGHTS) == set(Role)
