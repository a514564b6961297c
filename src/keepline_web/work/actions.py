"""Logging, stepping, promising: each sent again is there once, each is an entry of the audit."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404

from keepline.front import read_service
from keepline_web.audit.actions import write
from keepline_web.audit.limits import at_most
from keepline_web.audit.models import Stream
from keepline_web.customers.models import PlanRow
from keepline_web.customers.queries import access_account, covered_by
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.work.holding import agreed_to, give_back, granted_for
from keepline_web.work.models import Contact, Promise, PromiseEnd, Proposal, Step, StepEnd
from keepline_web.work.words import CHANNELS, OUTCOMES, PURPOSES

NOTE_MAX = 200
LINES_AN_HOUR = 1_000  # what waited on the road for a week comes in at once
WITHDRAW_MINUTES = 30


@transaction.atomic
def log_contact(
    *,
    by: Person,
    customer_id: int,
    key: uuid.UUID,
    outcome: str,
    channel: str = "manager_call",
    note: str = "",
    purpose: str = "care",
    plan_row: int | None = None,
    proposal: int | None = None,
    happened_at: dt.datetime | None = None,
) -> Contact:
    """Put one line into the log, and end the steps it carries out. The same key again gives the line that is there.

    Where the customer agreed, a granted offer is taken up: the one named, or the one granted for the plan's row.
    """
    account = access_account(by, customer_id)
    _known(outcome, OUTCOMES)
    _known(channel, CHANNELS)
    _known(purpose, PURPOSES)
    row, asked, moment = _own_row(customer_id, plan_row), _own_proposal(customer_id, proposal), _moment(happened_at)
    if outcome == "agreed" and asked is None:
        asked = _granted(row, clock.day_of(moment))
    values = {
        "account": account, "person": by, "at": moment, "on_day": clock.day_of(moment), "channel": channel,
        "outcome": outcome, "purpose": "marketing" if row or asked else purpose, "note": note[:NOTE_MAX],
        "plan_row": row, "proposal": asked,
    }  # fmt: skip
    contact, new = _once(Contact, key, by, values)
    if new:
        at_most(LINES_AN_HOUR, by=by, what="log", seconds=3600)
        agreed_to(by=by, contact=contact)
        _end_steps(contact)
        detail = {"contact": contact.pk, "outcome": outcome, "channel": channel}
        write(Stream.WORK, act="contact_logged", by=by, object=f"account:{customer_id}", detail=detail)
    return contact


def _moment(said: dt.datetime | None) -> dt.datetime:
    """When it happened: now, or earlier where a line waited for the network; never ahead, at most a week ago."""
    now = clock.now()
    if said is None or said > now:
        return now
    return max(said, now - dt.timedelta(days=7))


def _own_row(customer_id: int, plan_row: int | None) -> PlanRow | None:
    if plan_row is None:
        return None
    row = PlanRow.objects.filter(pk=plan_row, account_id=customer_id).first()
    if row is None:
        raise Http404
    return row


def _granted(row: PlanRow | None, day: dt.date) -> Proposal | None:
    """What was granted for the plan's row; without a row there is nothing a customer could have agreed to."""
    if row is None:
        raise Refused(
            "没有方案中的优惠可供接受；请改选“接通”，或先提交优惠申请。",
            "There is no offer of the plan to take; choose 'reached', or ask for an offer first.",
            code="nothing_to_agree",
            status=422,
        )
    return granted_for(row, day)


def _own_proposal(customer_id: int, proposal: int | None) -> Proposal | None:
    if proposal is None:
        return None
    made = Proposal.objects.filter(pk=proposal, account_id=customer_id).first()
    if made is None:
        raise Http404
    return made


@transaction.atomic
def _end_steps(contact: Contact) -> None:
    """A contact that reached the customer, or tried to, carries out what was due until that day."""
    due = Step.objects.filter(account=contact.account_id, end__isnull=True, due_on__lte=contact.on_day)
    for step in due.select_for_update(of=("self",)):
        StepEnd.objects.get_or_create(
            step=step, defaults={"person": contact.person, "at": contact.at, "contact": contact}
        )


@transaction.atomic
def withdraw_contact(*, by: Person, contact_id: int) -> Contact:
    """Take a line of one's own back within half an hour: it stays, with a line beside it that says so."""
    contact = Contact.objects.select_for_update().filter(pk=contact_id, person=by, withdrawn=False).first()
    if contact is None:
        raise Http404
    late = clock.now() - contact.at > dt.timedelta(minutes=WITHDRAW_MINUTES)
    if late or hasattr(contact, "corrected_by"):
        raise Refused(
            f"只能撤回 {WITHDRAW_MINUTES} 分钟内记录的、尚未撤回的日志；如有误，请补记一条说明。",
            f"Only a line of the last {WITHDRAW_MINUTES} minutes can be taken back, and only once; add a line that "
            "puts it right.",
            code="too_late",
        )
    taken = Contact.objects.create(
        account_id=contact.account_id, person=by, at=clock.now(), on_day=clock.today(), channel=contact.channel,
        outcome=contact.outcome, purpose=contact.purpose, corrects=contact, withdrawn=True,
    )  # fmt: skip
    give_back(by=by, contact=contact)
    write(
        Stream.WORK,
        act="contact_withdrawn",
        by=by,
        object=f"account:{contact.account_id}",
        detail={"contact": contact.pk},
    )
    return taken


@transaction.atomic
def plan_step(*, by: Person, customer_id: int, key: uuid.UUID, due_on: dt.date, channel: str, note: str = "",
              after: int | None = None) -> Step:  # fmt: skip
    """Say what is to be done next, and when."""
    account = access_account(by, customer_id)
    _known(channel, CHANNELS)
    _not_past(due_on)
    if after is not None and not Contact.objects.filter(pk=after, account=account).exists():
        raise Http404
    values = {"account": account, "person": by, "due_on": due_on, "channel": channel, "note": note[:NOTE_MAX],
              "made_at": clock.now(), "after_id": after}  # fmt: skip
    step, new = _once(Step, key, by, values)
    if new:
        detail = {"step": step.pk, "due_on": due_on.isoformat()}
        write(Stream.WORK, act="step_planned", by=by, object=f"account:{customer_id}", detail=detail)
    return step


@transaction.atomic
def promise(*, by: Person, customer_id: int, key: uuid.UUID, what: str, due_on: dt.date) -> Promise:
    """A promise made is a promise recorded."""
    account = access_account(by, customer_id)
    _not_past(due_on)
    if not what.strip():
        raise Refused("请写明承诺了什么。", "Say what was promised.", code="empty_promise", status=422)
    values = {"account": account, "person": by, "what": what.strip()[:NOTE_MAX], "due_on": due_on,
              "made_at": clock.now(), "made_on": clock.today()}  # fmt: skip
    made, new = _once(Promise, key, by, values)
    if new:
        detail = {"promise": made.pk, "due_on": due_on.isoformat()}
        write(Stream.WORK, act="promised", by=by, object=f"account:{customer_id}", detail=detail)
    return made


@transaction.atomic
def end_promise(*, by: Person, promise_id: int, kept: bool | None, note: str = "") -> PromiseEnd:
    """Say whether it was kept; once said it stays."""
    made = Promise.objects.select_for_update().filter(pk=promise_id).first()
    if made is None:
        raise Http404
    access_account(by, made.account_id)
    if kept is None:
        raise Refused("请选择是否兑现。", "Say whether it was kept.", code="kept_or_not", status=422)
    if PromiseEnd.objects.filter(promise=made).exists():
        raise Refused(
            "这项承诺已有结果，不能更改；如有后续，请补记日志。",
            "What became of this promise was said already and stays; add a line to the log.",
            code="promise_ended",
        )
    end = PromiseEnd.objects.create(
        promise=made, person=by, kept=kept, on_day=clock.today(), note=note[:NOTE_MAX], at=clock.now()
    )
    detail = {"promise": made.pk, "kept": kept}
    write(Stream.WORK, act="promise_ended", by=by, object=f"account:{made.account_id}", detail=detail)
    return end


def proposed_for(contact: Contact) -> dt.date:
    """When to turn to the customer next, by the class of the last month that tells one."""
    standing = contact.account.standings.order_by("-month").first()
    return proposed_step(contact, standing.class_code if standing else "ordinary")


def proposed_step(contact: Contact, class_code: str) -> dt.date:
    """When to turn to the customer next, by what came of this contact and the rhythm of the class or their own."""
    policy = read_service(settings.SITE.policy)
    own = contact.account.contact_gap_days or 0
    days = {
        "not_reached": policy.not_reached_days,
        "refused": max(policy.refused_days, own),
        "agreed": policy.agreed_days,
        "reached": max(policy.of_class(class_code or "ordinary").contact_days_max, own),
    }[contact.outcome]
    return clock.today() + dt.timedelta(days=days)


def _once(model: Any, key: uuid.UUID, by: Person, values: dict[str, Any]) -> tuple[Any, bool]:
    """The row of a key: made now, or there already from the same person; another's key is refused."""
    try:
        with transaction.atomic():
            return model.objects.create(key=key, **values), True
    except IntegrityError:
        row = model.objects.filter(key=key).first()
    if row is None or row.person_id != by.pk or row.account_id != values["account"].pk:
        raise Refused(
            "这条记录的编号已被使用，请刷新页面后重填。",
            "The number of this entry is taken; reload the page and enter it again.",
            code="key_taken",
        )
    return row, False


def _known(code: str, words: dict[str, Any]) -> None:
    if code not in words:
        raise Refused(f"没有这个选项：{code}。", f"There is no such choice: {code}.", code="unknown_choice", status=422)


def _not_past(day: dt.date) -> None:
    if day < clock.today():
        raise Refused(
            "日期不能早于今天；请改为今天或以后。", "The day lies in the past; choose today or later.",
            code="in_the_past", status=422,
        )  # fmt: skip


def works_for(person: Person) -> list[int]:
    """The people whose day this is: oneself and those one covers."""
    return [person.pk, *covered_by(person)]
