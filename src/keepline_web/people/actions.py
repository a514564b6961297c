"""Changing units and people; each change is an entry of the audit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.crypto import get_random_string

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.leaving import leave_all
from keepline_web.people.models import Person, SecondFactor, Session, Unit
from keepline_web.people.roles import Act, Role
from keepline_web.people.tokens import end_tokens

PASSWORD_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
PASSWORD_LENGTH = 26  # 128 bits
FIRST_PASSWORD_DAYS = 7


@transaction.atomic
def make_unit(*, kind: str, name: str, above: Unit | None, by: Person | None) -> Unit:
    """A new unit under ``above``; its path ends with its own number."""
    if Unit.objects.filter(above=above, name=name).exists():
        raise Refused(
            f"同一上级下已有名为“{name}”的单位，请换一个名称。",
            f"There is a unit named {name} at that place already; choose another name.",
            code="unit_taken",
            status=422,
        )
    unit = Unit.objects.create(kind=kind, name=name, above=above, path=get_random_string(20))
    unit.path = f"{above.path if above else '/'}{unit.pk}/"
    unit.save(update_fields=["path"])
    write(Stream.PEOPLE, act="unit_made", by=by, object=f"unit:{unit.pk}", detail={"name": name, "kind": kind})
    return unit


@transaction.atomic
def make_person(
    *, username: str, name: str, role: str, unit: Unit, by: Person | None, **values: Any
) -> tuple[Person, str]:
    """A new person and the password to hand over, which is told once and must be changed at first use."""
    if Person.objects.filter(username=username).exists():
        raise Refused(
            f"用户名 {username} 已有人使用，请换一个。",
            f"The user name {username} is taken; choose another.",
            code="username_taken",
            status=422,
        )
    manager_id = values.get("manager_id")
    if manager_id and Person.objects.filter(manager_id=manager_id).exists():
        raise Refused(
            f"客户经理编号 {manager_id} 已属于另一个人，请核对。",
            f"The account manager's code {manager_id} is somebody else's already; check it.",
            code="manager_taken",
            status=422,
        )
    password = get_random_string(PASSWORD_LENGTH, PASSWORD_SIGNS)
    if values.setdefault("must_change_password", True):
        values["first_password_until"] = _until()
    person = Person.objects.create_user(username, password, name=name, role=role, unit=unit, **values)
    write(Stream.PEOPLE, act="person_made", by=by, object=f"person:{person.pk}", detail={"role": role, "unit": unit.pk})
    return person, password


@transaction.atomic
def move_person(*, person: Person, role: str, unit: Unit, by: Person) -> None:
    """Another post; browsers the person is signed in with and tokens end, so that old rights end at once.

    A limit of one's own was for the old role and does not come along to another; covers end as well.
    """
    _not_oneself(person, by)
    before = {"role": person.role, "unit": person.unit_id, "authority_fen": person.authority_fen}
    if Role(role) != person.role:
        person.authority_fen = None
    person.role, person.unit = Role(role), unit
    person.save(update_fields=["role", "unit", "authority_fen"])
    Session.objects.filter(person=person).delete()
    end_tokens(person=person, by=by, why="moved")
    leave_all(person, by=by, why="moved")
    detail = {"before": before, "role": role, "unit": unit.pk}
    write(Stream.PEOPLE, act="person_moved", by=by, object=f"person:{person.pk}", detail=detail)


@transaction.atomic
def disable(*, person: Person, by: Person) -> None:
    """Nobody signs in under this name any more; browsers signed in and tokens end at once."""
    _not_oneself(person, by)
    person.is_active = False
    person.save(update_fields=["is_active"])
    Session.objects.filter(person=person).delete()
    end_tokens(person=person, by=by, why="disabled")
    leave_all(person, by=by, why="disabled")
    write(Stream.PEOPLE, act="person_disabled", by=by, object=f"person:{person.pk}")


@transaction.atomic
def enable(*, person: Person, by: Person) -> None:
    person.is_active = True
    person.save(update_fields=["is_active"])
    write(Stream.PEOPLE, act="person_enabled", by=by, object=f"person:{person.pk}")


@transaction.atomic
def reset(*, person: Person, by: Person) -> str:
    """A new password told once, and the second factor to be set up anew."""
    _not_oneself(person, by)
    password = get_random_string(PASSWORD_LENGTH, PASSWORD_SIGNS)
    person.set_password(password)
    person.must_change_password, person.first_password_until = True, _until()
    person.save(update_fields=["password", "must_change_password", "first_password_until"])
    SecondFactor.objects.filter(user=person).delete()
    Session.objects.filter(person=person).delete()
    end_tokens(person=person, by=by, why="reset")
    write(Stream.PEOPLE, act="person_reset", by=by, object=f"person:{person.pk}")
    return password


@transaction.atomic
def change_password(*, person: Person, password: str, here: str | None) -> None:
    """A password of one's own choice; every browser but the one it is changed in (``here``) ends."""
    person.set_password(password)
    person.must_change_password, person.first_password_until = False, None
    person.save(update_fields=["password", "must_change_password", "first_password_until"])
    Session.objects.filter(person=person).exclude(session_key=here).delete()
    write(Stream.SIGN_IN, act="password_changed", by=person, object=f"person:{person.pk}")


@transaction.atomic
def end_session(*, person: Person, key_end: str) -> None:
    """End one of one's own browsers, told by the last signs of its key."""
    own = [row for row in Session.objects.filter(person=person) if row.session_key.endswith(key_end)]
    for row in own:
        row.delete()
    write(Stream.SIGN_IN, act="session_ended", by=person, object=f"person:{person.pk}", detail={"sessions": len(own)})


@transaction.atomic
def end_sessions(*, person: Person, by: Person) -> None:
    """End every browser a person is signed in with, and nothing else; they may sign in again at once."""
    ended, _ = Session.objects.filter(person=person).delete()
    detail = {"sessions": ended}
    write(Stream.PEOPLE, act="sessions_ended", by=by, object=f"person:{person.pk}", detail=detail)


@transaction.atomic
def end_all_sessions(*, by: Person, here: str | None) -> None:
    """End every browser of everyone but the one this is asked in."""
    ended, _ = Session.objects.exclude(session_key=here).delete()
    write(Stream.PEOPLE, act="all_sessions_ended", by=by, detail={"sessions": ended})


def _until() -> dt.datetime:
    return clock.now() + dt.timedelta(days=FIRST_PASSWORD_DAYS)


def _not_oneself(person: Person, by: Person) -> None:
    """Who may change posts may not change their own."""
    if person.pk == by.pk and by.may(Act.CONFIGURE):
        raise Refused(
            "不能更改自己的岗位或凭据，请由另一位管理员操作。",
            "Nobody changes their own post or credentials; ask another administrator.",
            code="not_oneself",
        )
