"""Who speaks for an account and what part they have in decisions: seen masked, added, corrected by a new row, ended."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers import sealed
from keepline_web.customers.actions import note_unmasking
from keepline_web.customers.models import Account, ContactPerson
from keepline_web.customers.queries import access_account, visible_to
from keepline_web.customers.words import DECISION_ROLES
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.frame.words import Text
from keepline_web.people.models import Person
from keepline_web.people.roles import Face

NAME_MOST, NOTE_MOST, PHONE_LEAST, PHONE_MOST = 40, 200, 7, 15
OLDEST = dt.date(1900, 1, 1)


@dataclass(frozen=True)
class Said:
    """What is known of a contact person, in full; it never leaves this room unmasked but by unmasking."""

    name: str
    phone: str
    role: str
    birthday: dt.date | None = None
    preferred_channel: str = ""
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """A contact person as one may see them."""

    row: ContactPerson
    name: str
    phone: str
    note: str

    @property
    def role(self) -> Text | None:
        return DECISION_ROLES.get(self.row.role)

    @property
    def birthday(self) -> str:
        """Month and day; the year is nobody's business here."""
        return f"{self.row.birthday:%m-%d}" if self.row.birthday else ""


def holding() -> QuerySet[ContactPerson]:
    """The rows that hold now."""
    return ContactPerson.objects.filter(replaced_by__isnull=True, ended=False)


def access_contact_person(person: Person, pk: int) -> ContactPerson:
    """Fetching and permission in one step, as for the account it speaks for."""
    rows = holding().filter(account__in=visible_to(person)).select_related("account")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def must_see(person: Person, pk: int) -> None:
    """That one may know of the row at all, whether it still holds or not."""
    if not ContactPerson.objects.filter(pk=pk, account__in=visible_to(person)).exists():
        raise Http404


def persons_of(account: Account, person: Person) -> list[Shown]:
    """Those who speak for the account, who decides first, as ``person`` may see them."""
    places = {code: place for place, code in enumerate(DECISION_ROLES)}
    rows = sorted(holding().filter(account=account), key=lambda row: (places.get(row.role, len(places)), row.pk))
    return [masked(row, person) for row in rows]


def masked(row: ContactPerson, person: Person) -> Shown:
    """By the person's role: who is shown no customer's name is shown none of these, and no note, either."""
    if person.rights.face is not Face.MASKED:
        return Shown(row, "", "", "")
    said = opened(row)
    return Shown(row, sealed.mask_name(said.name), sealed.mask_phone(said.phone), said.note)


def opened(row: ContactPerson) -> Said:
    """Everything in full; for masking, unmasking and making the next row."""
    name, phone, note = (
        sealed.unseal(data, customer_id=row.account_id, row=str(row.key)) or ""
        for data in (row.name_sealed, row.phone_sealed, row.note_sealed)
    )
    return Said(name, phone, row.role, row.birthday, row.preferred_channel, note)


def row_of(
    account_id: int, full: Said, *, key: uuid.UUID, by: Person | None, replaces: ContactPerson | None, **more: Any
) -> ContactPerson:
    """A new row, sealed and not yet stored."""
    name, phone, note = (
        sealed.seal(text, customer_id=account_id, row=str(key)) for text in (full.name, full.phone, full.note)
    )
    return ContactPerson(
        key=key, account_id=account_id, replaces=replaces, role=full.role, name_sealed=name, phone_sealed=phone,
        phone_index=sealed.index(full.phone), note_sealed=note, birthday=full.birthday,
        preferred_channel=full.preferred_channel, made_by=by, at=clock.now(), on_day=clock.today(), **more,
    )  # fmt: skip


@transaction.atomic
def add(*, by: Person, customer_id: int, key: uuid.UUID, said: Said) -> ContactPerson:
    """One more who speaks for the account; the same key again gives the row that is there."""
    account = access_account(by, customer_id)
    Account.objects.select_for_update().get(pk=account.pk)
    there = _sent_before(by, account, key)
    return there or _keep(row_of(account.pk, checked(said), key=key, by=by, replaces=None), act="contact_person_added")


@transaction.atomic
def correct(*, by: Person, contact_id: int, key: uuid.UUID, said: Said) -> ContactPerson:
    """The next row of the same person; an empty name or telephone stays what it was, for whoever cannot see it."""
    there = ContactPerson.objects.filter(key=key, made_by=by, replaces=contact_id).first()
    if there is not None:
        return there
    row = _locked(by, contact_id)
    _sent_before(by, row.account, key)
    before = opened(row)
    after = Said(
        said.name or before.name, said.phone or before.phone, said.role, said.birthday, said.preferred_channel,
        said.note,
    )  # fmt: skip
    made = row_of(row.account_id, checked(after), key=key, by=by, replaces=row, said_as=row.said_as, said=row.said)
    return _keep(made, act="contact_person_changed")


@transaction.atomic
def end(*, by: Person, contact_id: int) -> ContactPerson:
    """They speak for the account no more; what was known stays, sealed, where it was."""
    row = _locked(by, contact_id)
    made = ContactPerson(
        account_id=row.account_id, replaces=row, ended=True, role=row.role, said_as=row.said_as, said=row.said,
        made_by=by, at=clock.now(), on_day=clock.today(),
    )  # fmt: skip
    return _keep(made, act="contact_person_ended")


@transaction.atomic
def unmask(*, person: Person, contact_id: int, reason: str) -> Said:
    """Name and telephone in full: the same act as for an account, with its reason, its limit and its audit."""
    row = access_contact_person(person, contact_id)
    note_unmasking(person=person, account=row.account, reason=reason, of=row)
    return opened(row)


def _keep(made: ContactPerson, *, act: str) -> ContactPerson:
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise _meanwhile() from error
    detail = {"contact_person": made.pk, "role": made.role}
    write(Stream.CUSTOMERS, act=act, by=made.made_by, object=f"account:{made.account_id}", detail=detail)
    return made


def _locked(by: Person, contact_id: int) -> ContactPerson:
    """The row as it is once nobody else changes the account; one that was replaced meanwhile says so."""
    row = ContactPerson.objects.filter(pk=contact_id, ended=False, account__in=visible_to(by)).first()
    if row is None:
        raise Http404
    Account.objects.select_for_update().get(pk=row.account_id)
    if ContactPerson.objects.filter(replaces=row).exists():
        raise _meanwhile()
    return row


def _meanwhile() -> Refused:
    return Refused(
        "这位联系人刚刚被修改过，未作改动；请刷新页面后重填。",
        "This person has just been changed. Nothing was done; reload the page.",
        code="changed_meanwhile",
    )


def _sent_before(by: Person, account: Account, key: uuid.UUID) -> ContactPerson | None:
    there = ContactPerson.objects.filter(key=key).first()
    if there is not None and (there.made_by_id, there.account_id) != (by.pk, account.pk):
        raise Refused("编号已被使用，请刷新页面。", "The number is taken; reload the page.", code="key_taken")
    return there


def checked(said: Said) -> Said:
    """Tidy and within bounds, or a refusal that says which field."""
    name, phone, note = said.name.strip(), said.phone.strip(), said.note.strip()
    digits = sealed.digits_of(phone)
    if not 1 <= len(name) <= NAME_MOST:
        raise _wrong(f"请填写姓名（不超过 {NAME_MOST} 个字）。", f"Give a name of at most {NAME_MOST} signs.")
    if phone and not PHONE_LEAST <= len(digits) <= PHONE_MOST:
        raise _wrong(
            f"电话应为 {PHONE_LEAST} 至 {PHONE_MOST} 位数字；不知道可留空。",
            f"A telephone has {PHONE_LEAST} to {PHONE_MOST} digits; leave it empty when unknown.",
        )
    if said.role not in DECISION_ROLES:
        raise _wrong("请选择决策角色。", "Choose the part in decisions.")
    if said.birthday is not None and not OLDEST <= said.birthday <= clock.today():
        raise _wrong("生日不能晚于今天。", "A birthday does not lie ahead.")
    return Said(name, digits, said.role, said.birthday, said.preferred_channel, note[:NOTE_MOST])


def _wrong(zh: str, en: str) -> Refused:
    return Refused(zh, en, code="bad_contact_person", status=422)


def changes_of(account: Account, person: Person) -> list[dict[str, Any]]:
    """For the timeline: who was added, changed, ended, by whom; the operator's first word is no event."""
    rows = ContactPerson.objects.filter(account=account).select_related("made_by", "replaces").order_by("-pk")
    found = []
    for row in rows.exclude(made_by=None, replaces=None)[:20]:
        what = "ended" if row.ended else "changed" if row.replaces_id else "added"
        shown = masked(row.replaces if row.ended and row.replaces else row, person)
        found.append({"day": row.on_day, "order": row.pk, "what": CHANGED[what], "name": shown.name,
                      "role": shown.role, "who": row.made_by.name if row.made_by else ""})  # fmt: skip
    return found


CHANGED = {
    "added": Text("新增联系人", "contact person added"),
    "changed": Text("更新联系人", "contact person changed"),
    "ended": Text("联系人不再负责", "contact person ended"),
}
