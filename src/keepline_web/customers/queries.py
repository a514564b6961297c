"""Who may see which account, and how each is shown: the one place every page, count, search and export asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import Http404

from keepline_web.audit.limits import at_most
from keepline_web.customers import sealed
from keepline_web.customers.models import Account, Assignment, ContactPerson, Cover, PlanRow, Standing
from keepline_web.frame import clock
from keepline_web.frame.inputs import whole
from keepline_web.frame.refusals import Refused
from keepline_web.frame.words import say
from keepline_web.people.models import Person, Unit
from keepline_web.people.roles import Act, Face, Scope

SEARCHES_A_MINUTE = 120  # more than anybody types, far less than trying numbers one after the other needs
NAMES_AT_MOST = 5_000  # accounts whose sealed names one search opens


def visible_to(person: Person) -> QuerySet[Account]:
    """The accounts a person may know of; nothing else anywhere tells of an account."""
    if not person.may(Act.SEE_ACCOUNTS):
        return Account.objects.none()
    scope, everything = person.rights.scope, Account.objects.all()
    if scope is Scope.ALL:
        return everything
    if scope is Scope.OWN:
        return everything.filter(pk__in=owned_by(Q(person__in=[person.pk, *covered_by(person)])))
    if scope is Scope.TEAM:
        return everything.filter(pk__in=owned_by(Q(person__unit=person.unit_id)))
    if scope is Scope.SUBTREE:
        below = owned_by(Q(person__unit__path__startswith=person.unit.path))
        unowned = ~Q(pk__in=owned_by(Q())) & Q(unit__path__startswith=person.unit.path)
        return everything.filter(Q(pk__in=below) | unowned)
    return everything.none()


def claimable_by(person: Person) -> QuerySet[Account]:
    """Accounts that nobody owns, nor is to own, in the district of who may serve them; told in a list of its own."""
    district = _district_of(person) if person.may(Act.OWN_DAY) else None
    if district is None:
        return Account.objects.none()
    taken = Assignment.objects.filter(_not_over(clock.today()))
    return Account.objects.filter(~Q(pk__in=taken.values("account")), unit__path__startswith=district.path)


def _district_of(person: Person) -> Unit | None:
    """The nearest district at or above the person's own unit."""
    above = [int(part) for part in person.unit.path.split("/") if part]
    return Unit.objects.filter(pk__in=above, kind=Unit.Kind.DISTRICT).order_by("-path").first()


def _not_over(day: dt.date) -> Q:
    """Ranges of days that hold on ``day`` or begin later."""
    return Q(ends_on__isnull=True) | Q(ends_on__gt=day)


def access_account(person: Person, customer_id: int) -> Account:
    """Fetching and permission in one step: who may not know of the account is told it is not there."""
    account = visible_to(person).filter(pk=customer_id).first()
    if account is None:
        raise Http404
    return account


def on_day(day: dt.date) -> Q:
    """Ranges of days that hold on ``day``."""
    return Q(starts_on__lte=day) & (Q(ends_on__isnull=True) | Q(ends_on__gt=day))


def owned_by(whom: Q) -> QuerySet[Assignment]:
    """The accounts that people like ``whom`` own today; the database reads it once, not once an account."""
    return Assignment.objects.filter(on_day(clock.today()), whom).values("account")


def owned_now() -> QuerySet[Assignment]:
    """Today's owner of the account of an outer query."""
    return Assignment.objects.filter(on_day(clock.today()), account=OuterRef("pk"))


def covered_by(person: Person) -> list[int]:
    """Whose accounts the person looks after today."""
    day = clock.today()
    rows = Cover.objects.filter(on_day(day), covered_by=person)
    return list(
        rows.filter(Q(ended_early_on__isnull=True) | Q(ended_early_on__gt=day)).values_list("away_id", flat=True)
    )


def owner_of(account: Account) -> Person | None:
    row = Assignment.objects.filter(on_day(clock.today()), account=account).select_related("person__unit").first()
    return row.person if row else None


def owners_now(accounts: Iterable[Account]) -> dict[int, Person]:
    """Today's owner of each account that has one."""
    rows = Assignment.objects.filter(on_day(clock.today()), account__in=accounts).select_related("person")
    return {row.account_id: row.person for row in rows}


def latest_month() -> str | None:
    """The last month that was brought in."""
    return Standing.objects.order_by("-month").values_list("month", flat=True).first()


@dataclass(frozen=True)
class Shown:
    """An account as one person may see it."""

    account: Account
    name: str
    phone: str
    number: str
    masked: bool
    known: bool = True  # whether the person may open it

    def __getattr__(self, name: str) -> Any:
        return getattr(self.account, name)


def shown(account: Account, person: Person) -> Shown:
    """Masked by the person's role. The name of an organisation is nobody's personal data."""
    if person.rights.face is not Face.MASKED:
        return Shown(account, _pseudonym(account), "", "", masked=True)
    name, phone, number = details(account)
    if account.kind != "organisation":
        name = sealed.mask_name(name)
    return Shown(
        account, name or _pseudonym(account), sealed.mask_phone(phone), sealed.mask_number(number), masked=True
    )


def _pseudonym(account: Account) -> str:
    return say("客户 …{last}", "customer …{last}", last=str(account.customer_id)[-6:])


def shown_while_seen(accounts: Iterable[Account], person: Person) -> dict[int, Shown]:
    """For what is one's own work: each as shown, but by pseudonym alone once it has left the person's scope."""
    listed = list(accounts)
    seen = set(visible_to(person).filter(pk__in={one.pk for one in listed}).values_list("pk", flat=True))
    return {
        one.pk: shown(one, person) if one.pk in seen else Shown(one, _pseudonym(one), "", "", masked=True, known=False)
        for one in listed
    }


def details(account: Account) -> tuple[str, str, str]:
    """Name, telephone and number in full; for the functions that mask, and for unmasking."""
    at = account.customer_id
    opened = (sealed.unseal(data, customer_id=at) for data in
              (account.name_sealed, account.phone_sealed, account.number_sealed))  # fmt: skip
    name, phone, number = (text or "" for text in opened)
    return name, phone, number


def with_standing(accounts: QuerySet[Account], month: str) -> QuerySet[Account]:
    """Each with its standing and plan row of the month, and today's owner's name, in three queries."""
    standings = Prefetch("standings", Standing.objects.filter(month=month), to_attr="of_month")
    plans = Prefetch("plan_rows", PlanRow.objects.filter(month=month), to_attr="plan_of_month")
    owner = Subquery(owned_now().values("person__name")[:1])
    return accounts.annotate(owner_name=owner).prefetch_related(standings, plans)


def search(accounts: QuerySet[Account], text: str, person: Person) -> QuerySet[Account]:
    """Among ``accounts``: by a whole telephone number, by the operator's number, or by part of a name.

    Who is shown no name finds by none either: a search would tell whose the pseudonym is.
    """
    text = text.strip()
    if not text:
        return accounts
    at_most(SEARCHES_A_MINUTE, by=person, what="search", seconds=60, tried=True)
    if person.rights.face is not Face.MASKED:
        return accounts.filter(pk=whole(text))
    found = accounts.filter(_numbered(sealed.indexes(text)) if sealed.digits_of(text) else Q(pk__in=()))
    if found.exists():
        return found
    named = accounts.filter(pk=settings.SITE.pseudonym(text))
    return named if named.exists() else accounts.filter(pk__in=_named(accounts, text))


def _numbered(indexes: list[str]) -> Q:
    """A telephone of the account's own, or of somebody who speaks for it."""
    holding = ContactPerson.objects.filter(phone_index__in=indexes, replaced_by__isnull=True, ended=False)
    return Q(phone_index__in=indexes) | Q(pk__in=holding.values("account"))


def _named(accounts: QuerySet[Account], text: str) -> list[int]:
    """Names are sealed, so they are opened and looked at one by one; too many are refused, never cut short."""
    rows = accounts.exclude(name_sealed=None).only("customer_id", "name_sealed")
    if rows.count() > NAMES_AT_MOST:
        raise Refused(
            f"您的范围内超过 {NAMES_AT_MOST:,} 户，不能按姓名搜索；请先按区县、经理等条件缩小范围，或输入完整号码。",
            f"More than {NAMES_AT_MOST:,} accounts are in your scope, too many to search by name; "
            "narrow the list first, or enter a whole number.",
            code="too_many_names",
        )
    wanted = text.casefold()
    return [row.pk for row in rows.iterator(2000)
            if wanted in (sealed.unseal(row.name_sealed, customer_id=row.pk) or "").casefold()]  # fmt: skip
