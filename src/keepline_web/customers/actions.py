"""Who owns, covers and unmasks: each act checks itself, writes the audit, and happens whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import Exists, Q

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers.models import Account, Assignment, ContactPerson, Cover, Unmasking
from keepline_web.customers.queries import access_account, details, on_day, owned_now, visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.people.queries import people_of
from keepline_web.people.roles import Act, Face

UNMASK_A_DAY = 30
UNMASK_SECONDS = 30
REASON_LEAST, REASON_MOST = 2, 200


@transaction.atomic
def assign(*, account: Account, to: Person, reason: str, by: Person | None, on: dt.date | None = None) -> Assignment:
    """Let ``to`` own the account from a day on (today when none is said); who owned it until then no longer does."""
    _may_own(to)
    Account.objects.select_for_update().get(pk=account.pk)
    day = on or clock.today()  # behind the lock: who waited past midnight decides on the new day
    current = Assignment.objects.filter(on_day(day), account=account).first()
    if current is not None and current.person_id == to.pk:
        return current
    _make_room(account, day, current)
    made = _put(account, to, day, reason, by)
    detail = {"to": to.pk, "from": current.person_id if current else None, "reason": reason, "on": day.isoformat()}
    write(Stream.CUSTOMERS, act="assigned", by=by, object=f"account:{account.pk}", detail=detail)
    return made


def _make_room(account: Account, day: dt.date, current: Assignment | None) -> None:
    """End what holds on the day, and take back what was to begin later."""
    Assignment.objects.filter(account=account, starts_on__gt=day).delete()
    if current is None:
        return
    if current.starts_on == day:
        current.delete()
    else:
        current.ends_on = day
        current.save(update_fields=["ends_on"])


def _put(account: Account, to: Person, day: dt.date, reason: str, by: Person | None) -> Assignment:
    return Assignment.objects.create(account=account, person=to, starts_on=day, reason=reason, made_by=by)


@transaction.atomic
def claim(*, account: Account, by: Person) -> Assignment:
    """Take an account nobody owns; the second of two who take it at once is told who has it."""
    _may_own(by)
    Account.objects.select_for_update().get(pk=account.pk)  # two at once: the second waits, and is told
    try:
        with transaction.atomic():
            made = _put(account, by, clock.today(), "claimed", by)
    except IntegrityError as error:
        raise Refused(
            "该客户已由同事负责，一个客户同一时间只有一位负责人；页面刷新后可见。",
            "A colleague owns this account already; an account has one owner at a time. Reload to see who.",
            code="owned_already",
        ) from error
    write(Stream.CUSTOMERS, act="claimed", by=by, object=f"account:{account.pk}")
    return made


def _may_own(person: Person) -> None:
    if not person.may(Act.OWN_DAY):
        raise Refused(
            f"{person.name}不是在岗的客户经理或代理商，不能负责客户；请另选一人。",
            f"{person.name} is not an active account manager or agent and cannot own customers; choose somebody else.",
            code="cannot_own",
            status=422,
        )


@transaction.atomic
def hand_over(
    *, leaving: Person, to: Person, accounts: Iterable[int], reason: str, by: Person, on: dt.date | None = None
) -> int:
    """Give accounts of one who leaves to another, from a day on; all of them, or none when one is theirs no more."""
    _ahead(on)
    _within(by, leaving, to)
    reason = _said(reason)
    chosen = _locked(accounts)
    day = _ahead(on)  # once more, and the one that counts: midnight may have passed while others were at it
    held = Assignment.objects.filter(on_day(day), person=leaving, account__in=[account.pk for account in chosen])
    all_still(held.count() == len(chosen) and leaving.pk != to.pk)
    for account in chosen:
        assign(account=account, to=to, reason=reason, by=by, on=day)
    detail = {"from": leaving.pk, "to": to.pk, "accounts": len(chosen), "reason": reason, "on": day.isoformat()}
    write(Stream.CUSTOMERS, act="handed_over", by=by, object=f"person:{leaving.pk}", detail=detail)
    return len(chosen)


@transaction.atomic
def give_out(*, to: Person, accounts: Iterable[int], reason: str, by: Person) -> int:
    """Let somebody own accounts that nobody owns, from today; all of them, or none when one has an owner by now."""
    _within(by, to)
    reason = _said(reason)
    chosen = _locked(accounts)
    with clock.one_day() as day:
        free = visible_to(by).filter(~Exists(owned_now()), pk__in=[account.pk for account in chosen])
        all_still(free.count() == len(chosen))
        for account in chosen:
            assign(account=account, to=to, reason=reason, by=by, on=day)
    detail = {"to": to.pk, "accounts": len(chosen), "reason": reason}
    write(Stream.CUSTOMERS, act="given_out", by=by, object=f"person:{to.pk}", detail=detail)
    return len(chosen)


@transaction.atomic
def reassign(*, to: Person, held: Mapping[int, int | None], reason: str, by: Person) -> int:
    """Give accounts picked from the list to somebody, from today; ``held``: who owned each when they were picked."""
    _within(by, to)
    reason = _said(reason)
    chosen = _locked(held)
    with clock.one_day() as day:
        all_still(visible_to(by).filter(pk__in=[account.pk for account in chosen]).count() == len(chosen))
        now = dict(Assignment.objects.filter(on_day(day), account__in=chosen).values_list("account_id", "person_id"))
        all_still(all(now.get(pk) == owner for pk, owner in held.items()))
        for account in chosen:
            assign(account=account, to=to, reason=reason, by=by, on=day)
    detail = {"to": to.pk, "accounts": len(chosen), "reason": reason}
    write(Stream.CUSTOMERS, act="reassigned", by=by, object=f"person:{to.pk}", detail=detail)
    return len(chosen)


def _locked(accounts: Iterable[int]) -> list[Account]:
    """The accounts chosen, each held until the end, so that two chiefs act on them one after the other."""
    wanted = sorted(set(accounts))
    found = list(Account.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    if not found:
        raise Refused("请至少选择一户。", "Choose one account at least.", code="nothing_chosen", status=422)
    all_still(len(found) == len(wanted))
    return found


def all_still(so: bool) -> None:
    """Stop when what was chosen is no longer what it was."""
    if not so:
        raise Refused(
            "所选客户的负责人刚刚有变动，未作任何改动；请刷新名单后重选。",
            "The owner of an account chosen has just changed. Nothing was done; reload the list and choose again.",
            code="changed_meanwhile",
        )


def _ahead(on: dt.date | None) -> dt.date:
    today = clock.today()
    if on is not None and on < today:
        raise Refused(
            "日期不能早于今天；过去的归属不改写。", "The day lies in the past; what was is not rewritten.",
            code="in_the_past", status=422,
        )  # fmt: skip
    return on or today


def _said(reason: str) -> str:
    if len(reason.strip()) < REASON_LEAST:
        raise Refused(
            f"请写明原因（至少 {REASON_LEAST} 个字），便于审计。",
            f"Say why, in {REASON_LEAST} signs or more; it is kept for the audit.",
            code="reason_needed",
            status=422,
        )
    return reason.strip()[:REASON_MOST]


@transaction.atomic
def cover(*, away: Person, covered_by: Person, starts_on: dt.date, ends_on: dt.date, reason: str, by: Person) -> Cover:
    """Let a colleague look after somebody's accounts for some days; ``ends_on`` is the first day after."""
    away, covered_by = _still_there(away, covered_by)
    _within(by, away, covered_by)
    _may_own(covered_by)
    reason = _said(reason)
    people = Person.objects.select_for_update(no_key=True).filter(pk__in=[away.pk, covered_by.pk])
    list(people.order_by("pk"))  # two who arrange the same people at once do it one after the other
    _ahead(starts_on)
    if ends_on <= starts_on or away.pk == covered_by.pk:
        raise Refused(
            "代管须由另一位同事承担，且结束日期晚于开始日期。",
            "Cover is by another person, and ends after it begins.",
            code="bad_cover",
            status=422,
        )
    _here(covered_by, starts_on, ends_on)
    _not_yet(away, covered_by, starts_on, ends_on)
    made = Cover.objects.create(
        away=away, covered_by=covered_by, starts_on=starts_on, ends_on=ends_on, reason=reason, made_by=by
    )
    detail = {"by": covered_by.pk, "from": starts_on.isoformat(), "until": ends_on.isoformat(), "reason": reason}
    write(Stream.CUSTOMERS, act="covered", by=by, object=f"person:{away.pk}", detail=detail)
    return made


def _still_there(*people: Person) -> list[Person]:
    """As they are now, and nobody is moved or disabled until this is over: their move would end what begins here."""
    wanted = [person.pk for person in people]
    rows = Person.objects.select_for_update(no_key=True, of=("self",)).select_related("unit")
    found = {person.pk: person for person in rows.filter(pk__in=wanted).order_by("pk")}
    return [found[pk] for pk in wanted]


def _here(person: Person, starts_on: dt.date, ends_on: dt.date) -> None:
    """Who is away on one of the days cannot look after another's accounts."""
    away = Cover.objects.filter(away=person, starts_on__lt=ends_on, ends_on__gt=starts_on)
    if away.filter(Q(ended_early_on__isnull=True) | Q(ended_early_on__gt=starts_on)).exists():
        raise Refused(
            f"{person.name}在这些日子里也由他人代管，不能再代管别人；请另选一位。",
            f"{person.name} is covered by somebody else on one of these days; choose another person.",
            code="away_too",
        )


def _not_yet(away: Person, covered_by: Person, starts_on: dt.date, ends_on: dt.date) -> None:
    """One cover by one colleague on one day: a second would say nothing, and have to be ended for itself."""
    same = Cover.objects.filter(away=away, covered_by=covered_by, starts_on__lt=ends_on, ends_on__gt=starts_on)
    found = same.filter(Q(ended_early_on__isnull=True) | Q(ended_early_on__gt=starts_on)).first()
    if found is not None:
        raise Refused(
            f"{covered_by.name}在 {found.starts_on} 至 {found.last_day} 已代管{away.name}的客户；"
            "请先提前结束那一段，或改选日期。",
            f"{covered_by.name} covers {away.name} from {found.starts_on} to {found.last_day} already; "
            "end that first, or choose other days.",
            code="covered_already",
        )


@transaction.atomic
def end_cover(*, cover: Cover, by: Person) -> None:
    """End it today, before its time; what was done under it stays. Whose accounts they are is enough to end it."""
    _within(by, cover.away)
    cover = Cover.objects.select_for_update().get(pk=cover.pk)
    day = clock.today()
    if cover.ended_early_on is not None or cover.ends_on <= day:
        raise Refused(
            "这段代管已经结束；刷新页面可见。", "This cover has ended already; reload the page.", code="cover_over"
        )
    cover.ended_early_on = day
    cover.save(update_fields=["ended_early_on"])
    write(Stream.CUSTOMERS, act="cover_ended", by=by, object=f"person:{cover.away_id}", detail={"cover": cover.pk})


@transaction.atomic
def end_covers(person: Person, by: Person, why: str) -> None:
    """Who leaves a post looks after nobody's accounts by it, and nobody after theirs; also what was to begin later."""
    theirs = Cover.objects.filter(Q(away=person) | Q(covered_by=person), ended_early_on__isnull=True)
    rows = list(theirs.select_for_update().order_by("pk"))
    today = clock.today()  # read once nobody else holds them: midnight may have passed while waiting
    for one in (row for row in rows if row.ends_on > today):
        one.ended_early_on = today
        one.save(update_fields=["ended_early_on"])
        detail = {"cover": one.pk, "why": why}
        write(Stream.CUSTOMERS, act="cover_ended", by=by, object=f"person:{one.away_id}", detail=detail)


def _within(by: Person, *people: Person) -> None:
    """Both ends of what is arranged lie within the scope of who arranges it."""
    known = set(people_of(by).values_list("pk", flat=True))
    if not by.may(Act.ASSIGN) or not {person.pk for person in people} <= known:
        raise Refused(
            "所选人员不在您的管理范围内。", "A person chosen is not within your scope.", code="not_yours", status=403
        )


@transaction.atomic
def unmask(*, person: Person, customer_id: int, reason: str) -> tuple[str, str, str]:
    """Name, telephone and number in full, for a reason, at most so many times a day; who saw what is kept."""
    account = access_account(person, customer_id)
    note_unmasking(person=person, account=account, reason=reason)
    return details(account)


def note_unmasking(*, person: Person, account: Account, reason: str, of: ContactPerson | None = None) -> None:
    """One look at full details, of the account or of somebody who speaks for it: allowed, counted, kept."""
    if not person.may(Act.UNMASK) or person.rights.face is not Face.MASKED:
        raise Refused("您的岗位不能查看完整信息。", "Your post may not see full details.", code="no_unmask", status=403)
    if len(reason.strip()) < 4:
        raise Refused(
            "请写明查看原因（至少 4 个字），便于审计。", "Say why, in four signs or more; it is kept for the audit.",
            code="reason_needed", status=422,
        )  # fmt: skip
    reason = reason.strip()[:REASON_MOST]
    Person.objects.select_for_update().get(pk=person.pk)  # two requests at once count one after the other
    day = clock.today()
    if Unmasking.objects.filter(person=person, on_day=day).count() >= UNMASK_A_DAY:
        raise Refused(
            f"今天已查看 {UNMASK_A_DAY} 次完整信息，达到每日上限；确有需要请联系班组长。",
            f"You have seen full details {UNMASK_A_DAY} times today, which is the limit; ask your team lead.",
            code="unmask_limit",
            status=429,
        )
    Unmasking.objects.create(
        account=account, contact_person=of, person=person, reason=reason, at=clock.now(), on_day=day
    )
    detail = {"reason": reason} | ({"contact_person": of.pk} if of else {})
    write(Stream.CUSTOMERS, act="unmasked", by=person, object=f"account:{account.pk}", detail=detail)
