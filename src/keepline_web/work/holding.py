"""What becomes of an approved offer: it holds until its last day and is taken up once."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from keepline_web.customers.models import PlanRow
from keepline_web.customers.queries import access_account
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.work.models import Contact, Proposal, Ruling
from keepline_web.work.proposals import HOLDING, gates, rule, with_state


def granted_offers() -> QuerySet[Proposal]:
    """Approved, not taken up, not expired, and not refused by the customer."""
    no = Contact.objects.filter(proposal=OuterRef("pk"), outcome="refused", withdrawn=False, corrected_by__isnull=True)
    return with_state(Proposal.objects.all()).filter(~Exists(no), state="approved")


@transaction.atomic
def take_up(*, by: Person, proposal_id: int, on_day: dt.date | None = None) -> Ruling:
    """The customer takes the offer up, once, by its last day; ``on_day`` where it happened before it was logged."""
    made = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
    if made is None or not by.may(Act.OWN_DAY):
        raise Http404
    account = access_account(by, made.account_id)
    last = Ruling.objects.filter(proposal=made).order_by("-number")[0]
    if last.what == "used":
        raise Refused(
            "这项优惠已经使用过，不能再次使用；刷新页面可见。",
            "This offer was taken up already; reload the page to see when.",
            code="used_already",
        )
    if last.what not in HOLDING:
        raise Refused(
            "这份申请没有获批，不能使用；请先等待审批，或重新申请。",
            "This offer was not approved; wait for the decision, or ask again.",
            code="not_approved",
        )
    _not_before(made, on_day or clock.today())
    _not_over(last, on_day or clock.today())
    gates(account)
    return rule(made, "used", by, last_on=last.last_on)


def _not_before(made: Proposal, day: dt.date) -> None:
    """What was not granted yet, no customer can have taken: a line dated back takes up nothing of a later day."""
    granted_on = made.rulings.filter(what="approved").order_by("number").values_list("on_day", flat=True)[0]
    if day < granted_on:
        raise Refused(
            f"这项优惠 {granted_on.isoformat()} 才获批，客户不可能在 {day.isoformat()} 使用；请核对日期后重新记录。",
            f"This offer was approved on {granted_on.isoformat()} and cannot have been taken up on {day.isoformat()}; "
            "check the day and log it again.",
            code="before_approval",
            status=422,
        )


def _not_over(last: Ruling, day: dt.date) -> None:
    if last.last_on is not None and day > last.last_on:
        raise Refused(
            f"优惠已于 {last.last_on.isoformat()} 到期，不能使用；如客户仍有需要，请重新申请。",
            f"The offer could be used until {last.last_on.isoformat()}; ask again if the customer still needs it.",
            code="expired",
        )


def agreed_to(*, by: Person, contact: Contact) -> None:
    """A contact in which the customer agreed takes up the offer that was granted."""
    if contact.outcome == "agreed" and contact.proposal_id is not None:
        take_up(by=by, proposal_id=contact.proposal_id, on_day=contact.on_day)


def granted_for(row: PlanRow, day: dt.date) -> Proposal | None:
    """What was granted for a row of the plan and may be taken up on the day."""
    approved = Ruling.objects.filter(proposal=OuterRef("pk"), what="approved", on_day__lte=day)
    return granted_offers().filter(Exists(approved), plan_row=row, last_on__gte=day).order_by("-pk").first()


@transaction.atomic
def give_back(*, by: Person, contact: Contact) -> None:
    """The line that took the offer up is taken back: the offer holds again, as long as it would have."""
    if contact.outcome != "agreed" or contact.proposal_id is None:
        return
    made = Proposal.objects.select_for_update().get(pk=contact.proposal_id)
    last = Ruling.objects.filter(proposal=made).order_by("-number")[0]
    if last.what == "used":
        rule(made, "restored", by, last_on=last.last_on)
