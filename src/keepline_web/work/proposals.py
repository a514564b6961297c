"""Offers asked for and decided: floor and authority from policy, up the chain beyond it, one decision at a time."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import Http404

from keepline.front import Month, numbers, read_published, read_service
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers.models import Account, PlanRow
from keepline_web.customers.queries import access_account, latest_month, visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work.authority import held_authority
from keepline_web.work.models import Proposal, Ruling

OPEN = ("asked", "raised")
RULINGS = ("approved", "returned", "refused", "raised")
HOLDING = ("approved", "restored")  # may be taken up, until the last day
TOP_LEVEL = 5
REASON_LEAST, REASON_MAX = 4, 200


def proposals_of(person: Person) -> QuerySet[Proposal]:
    """What one may see: of the accounts one sees, and what one asked oneself; each with its state."""
    seen = Proposal.objects.filter(account__in=visible_to(person)) | Proposal.objects.filter(made_by=person)
    return with_state(seen).select_related("account", "made_by__unit", "plan_row").order_by("-pk")


def with_state(proposals: QuerySet[Proposal]) -> QuerySet[Proposal]:
    """Each with where it stands: the last step, unless an approved one was left unused beyond its last day."""
    last = Ruling.objects.filter(proposal=OuterRef("pk")).order_by("-number")
    said = proposals.annotate(
        step=Subquery(last.values("what")[:1]), needs_level=Subquery(last.values("needs_level")[:1]),
        last_on=Subquery(last.values("last_on")[:1]),
    )  # fmt: skip
    over = When(Q(step__in=HOLDING, last_on__lt=clock.today()), then=Value("expired"))
    return said.annotate(state=Case(over, When(step="restored", then=Value("approved")), default=F("step"))).distinct()


def waiting_for(person: Person) -> QuerySet[Proposal]:
    """What waits for this person's decision: of their accounts, at their level or below, never their own."""
    if not person.may(Act.APPROVE):
        return Proposal.objects.none()
    open_ones = proposals_of(person).filter(state__in=OPEN, needs_level__lte=person.rights.level)
    return open_ones.exclude(made_by=person)


def net_fen(made: Proposal) -> int | None:
    """Expected margin less cost at the price asked: the plan's own, less what the price is below the plan's."""
    if made.gain_fen is None or made.plan_row is None:
        return None
    return made.gain_fen - max(0, made.plan_row.price_fen - made.price_fen)


@transaction.atomic
def propose(*, by: Person, customer_id: int, key: uuid.UUID, offer_id: str, price_fen: int, reason: str) -> Proposal:
    """Ask for an offer at a price. Within one's own authority it is approved at once; beyond, it goes up the chain."""
    account = access_account(by, customer_id)
    Person.objects.select_for_update(no_key=True).get(pk=by.pk)  # of one sent twice at once the second finds the first
    before = Proposal.objects.filter(key=key).first()
    if before is not None:
        return _same(before, by, account)
    gates(account)
    month = _month()
    offer = next(
        (o for o in read_published(settings.SITE, Month.parse(month)).offers if o["offer_id"] == offer_id), None
    )
    if offer is None:
        raise Http404
    _price(price_fen, offer["floor_price_fen"], offer["list_price_fen"])
    _reason(reason)
    row = PlanRow.objects.filter(account=account, month=month, offer_id=offer_id).first()
    policy = read_service(settings.SITE.policy)
    made = Proposal.objects.create(
        key=key, account=account, plan_row=row, month=month, offer_id=offer_id,
        name={"zh": offer["zh"], "en": offer["en"]},
        price_fen=price_fen, list_price_fen=offer["list_price_fen"], floor_price_fen=offer["floor_price_fen"],
        cost_fen=offer["unit_cost_fen"] + max(0, offer["price_fen"] - price_fen),
        gain_fen=row.gain_fen if row else None, reason=reason.strip()[:REASON_MAX], policy_version=policy.version,
        made_by=by, made_at=clock.now(), made_on=clock.today(),
    )  # fmt: skip
    if by.rights.level and held_authority(by).covers(made.cost_fen):
        rule(made, "approved", by, last_on=_last_day())
    else:
        rule(made, "asked", by, needs_level=max(level_for(made.cost_fen, by), by.rights.level + 1))
    return made


def _last_day() -> dt.date:
    """The last day an offer approved today may be taken up."""
    return clock.today() + dt.timedelta(days=read_service(settings.SITE.policy).proposal_days)


def level_for(cost_fen: int, by: Person) -> int:
    """The lowest level that may give so much alone; one's own limit stands before that of one's level."""
    policy = read_service(settings.SITE.policy)
    own = by.authority_fen if by.authority_fen is not None else policy.authority_fen(by.rights.level)
    if cost_fen <= own:
        return by.rights.level
    above = [level for level in range(by.rights.level + 1, TOP_LEVEL + 1) if policy.authority_fen(level) >= cost_fen]
    if not above:
        most = numbers.fixed(policy.authority_fen(TOP_LEVEL) / 100, 0)
        raise Refused(
            f"成本超出最高一级的权限（{most} 元），不能提交；请提高价格或另选优惠。",
            f"It costs more than the highest level may give ({most} yuan); raise the price or choose another offer.",
            code="beyond_everyone",
            status=422,
        )
    return above[0]


@transaction.atomic
def decide(*, by: Person, proposal_id: int, what: str, reason: str) -> Ruling:
    """Approve, send back, refuse or pass up. Nobody decides their own; of two at once the second is told so."""
    if not Proposal.objects.select_for_update().filter(pk=proposal_id).exists():
        raise Http404
    made = proposals_of(by).filter(pk=proposal_id).first()
    if made is None or not by.may(Act.APPROVE):
        raise Http404
    if what not in RULINGS:
        raise Refused(f"没有这个选项：{what}。", f"There is no such choice: {what}.", code="unknown_choice", status=422)
    if made.made_by_id == by.pk:
        raise Refused(
            "不能审批自己提交的申请。", "Nobody decides what they asked for.", code="own_proposal", status=403
        )
    _still_open(made)
    if made.needs_level > by.rights.level:
        raise Refused(
            "金额超出您的审批权限，须由上级审批。", "It is beyond your authority; a higher level decides.",
            code="beyond_authority", status=403,
        )  # fmt: skip
    said = reason.strip()[:REASON_MAX]
    if what == "raised":
        return rule(made, what, by, reason=said, needs_level=_above(by))
    if what == "approved":
        _within_own(by, made.cost_fen)
        return rule(made, what, by, reason=said, last_on=_last_day())
    _reason(reason)
    return rule(made, what, by, reason=said)


def _within_own(by: Person, cost_fen: int) -> None:
    """Approving is paid from the month's authority of whoever approves, and is within what they may give alone."""
    mine = held_authority(by)
    if cost_fen > mine.each_fen:
        most, cost = numbers.fixed(mine.each_fen / 100, 2), numbers.fixed(cost_fen / 100, 2)
        raise Refused(
            f"您单笔最多可批 {most} 元，这份申请需要 {cost} 元；请上报，或退回修改。",
            f"You may give {most} yuan in one offer alone, and this costs {cost}; pass it up, or send it back.",
            code="beyond_own_limit",
        )
    if not mine.lasts_for(cost_fen):
        left, cost = numbers.fixed((mine.left_fen or 0) / 100, 2), numbers.fixed(cost_fen / 100, 2)
        raise Refused(
            f"您本月的优惠权限只剩 {left} 元，不够这份申请的 {cost} 元；请上报，或退回修改。",
            f"Your authority of this month has {left} yuan left, and this costs {cost}; pass it up, or send it back.",
            code="month_used_up",
        )


def _above(by: Person) -> int:
    if by.rights.level >= TOP_LEVEL:
        raise Refused(
            "您已是最高一级，不能再上报；请批准、退回或不批准。",
            "There is no level above yours; approve it, send it back or refuse it.",
            code="no_level_above",
        )
    return by.rights.level + 1


@transaction.atomic
def withdraw(*, by: Person, proposal_id: int) -> Ruling:
    """Take back what one asked, while nobody has decided."""
    made = Proposal.objects.select_for_update().filter(pk=proposal_id, made_by=by).first()
    if made is None:
        raise Http404
    made = with_state(Proposal.objects.filter(pk=made.pk)).get()
    _still_open(made)
    return rule(made, "withdrawn", by)


def rule(made: Proposal, what: str, by: Person, *, reason: str = "", needs_level: int = 0,
         last_on: dt.date | None = None) -> Ruling:  # fmt: skip
    """The next step in the life of a proposal, with its entry of the audit."""
    number = made.rulings.count() + 1
    ruling = Ruling.objects.create(
        proposal=made, number=number, what=what, needs_level=needs_level, reason=reason, person=by,
        level=by.rights.level, last_on=last_on, at=clock.now(), on_day=clock.today(),
    )  # fmt: skip
    detail = {"proposal": made.pk, "what": what, "price_fen": made.price_fen, "cost_fen": made.cost_fen}
    write(Stream.DECISIONS, act=f"proposal_{what}", by=by, object=f"account:{made.account_id}", detail=detail)
    return ruling


def _still_open(made: Proposal) -> None:
    if made.state not in OPEN:
        raise Refused(
            "这份申请已有结果，不能再次处理；刷新页面可见。",
            "This was decided already; reload the page to see how.",
            code="decided_already",
        )


def gates(account: Account) -> None:
    """Arrears and the blacklist stand before every offer, visibly (P6)."""
    if account.blacklisted:
        raise Refused(
            "客户在黑名单中，不能申请优惠；解除须由欠费责任人按流程办理。",
            "The customer is on the blacklist; no offer may be asked for.",
            code="blacklisted",
        )
    standing = account.standings.order_by("-month").first()
    if standing is not None and standing.arrears_fen:
        owed = numbers.fixed(standing.arrears_fen / 100, 2)
        raise Refused(
            f"客户欠费 {owed} 元，缴清后才能申请优惠。",
            f"The customer owes {owed} yuan; offers wait until it is paid.",
            code="in_arrears",
        )


def _price(price_fen: int, floor_fen: int, list_fen: int) -> None:
    if not floor_fen <= price_fen <= list_fen:
        low, high = numbers.fixed(floor_fen / 100, 2), numbers.fixed(list_fen / 100, 2)
        raise Refused(
            f"价格须在底价 {low} 元与目录价 {high} 元之间。",
            f"The price must lie between the floor, {low}, and the list price, {high} yuan.",
            code="price_out_of_bounds",
            status=422,
        )


def _reason(reason: str) -> None:
    if len(reason.strip()) < REASON_LEAST:
        raise Refused(
            f"请写明理由（至少 {REASON_LEAST} 个字）。", f"Give a reason of {REASON_LEAST} signs or more.",
            code="reason_needed", status=422,
        )  # fmt: skip


def _same(before: Proposal, by: Person, account: Account) -> Proposal:
    if before.made_by_id != by.pk or before.account_id != account.pk:
        raise Refused("编号已被使用，请刷新页面。", "The number is taken; reload the page.", code="key_taken")
    return before


def _month() -> str:
    month = latest_month()
    if month is None:
        raise Refused("尚无已发布的账期。", "No month has been brought in yet.", code="no_month")
    return month
