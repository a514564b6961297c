"""The cast of the workbench's tests: who they are, what they own, and a published month for them to work on."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from django.test import Client

from core.small_manifest import manifest
from core.small_publication import BEFORE, MONTH, publish
from keepline.front import Month, open_site
from keepline_web.customers import sealed
from keepline_web.customers.models import Account, Assignment
from keepline_web.exchange.arriving import bring_in
from keepline_web.people.actions import make_person, make_unit
from keepline_web.people.models import Person, SecondFactor, Unit
from keepline_web.people.roles import Role
from keepline_web.people.sessions import PROVED

OWNER, COLLEAGUE, STRANGER = "m101", "m102", "m201"
PHONE = "15400001234"
CENTRAL = (Role.MARKETER, Role.CAMPAIGN_APPROVER, Role.COMPLAINT_HANDLER, Role.MALL_OPERATOR, Role.ANALYST,
           Role.IMPORTER, Role.ADMIN, Role.AUDITOR)  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """People by user name, and one account of each owner."""

    people: dict[str, Person]
    own: Account  # of the owner
    team: Account  # of a colleague in the same team
    other: Account  # of somebody in another district

    @classmethod
    def found(cls) -> Cast:
        people = {p.username: p for p in Person.objects.select_related("unit")}
        accounts = [_first_of(people[name]) for name in (OWNER, COLLEAGUE, STRANGER)]
        return cls(people, *accounts)

    def of_role(self, role: str) -> Person:
        return self.people[OWNER if role == Role.ACCOUNT_MANAGER else role]

    @property
    def owner(self) -> Person:
        return self.people[OWNER]

    @property
    def colleague(self) -> Person:
        return self.people[COLLEAGUE]

    @property
    def stranger(self) -> Person:
        return self.people[STRANGER]


def _first_of(person: Person) -> Account:
    row = Assignment.objects.filter(person=person).order_by("account_id").select_related("account").first()
    assert row is not None, person.username
    return row.account


def publish_month(root: Path, *, seed: int = 5) -> Path:
    """One month as the core publishes it, of the report's own small tables."""
    folder = root / "published" / MONTH
    shutil.rmtree(folder, ignore_errors=True)
    publish(folder, seed=seed)
    shutil.copytree(root / "policy", folder / "policy")
    said = manifest(publication_id=f"{seed:064x}")
    (folder / "manifest.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    head = {"head": {"month": MONTH, "previous_month": BEFORE, "simulated": True}}
    (folder / "figures.json").write_text(json.dumps(head), encoding="utf-8")
    return folder


def make_cast() -> None:
    """The tree with two districts, their teams, and one person of each role; then the month is brought in."""
    group = make_unit(kind=Unit.Kind.GROUP, name="清河通信", above=None, by=None)
    province = make_unit(kind=Unit.Kind.PROVINCE, name="清河省", above=group, by=None)
    city = make_unit(kind=Unit.Kind.CITY, name="清河市", above=province, by=None)
    far = make_unit(kind=Unit.Kind.CITY, name="远山市", above=province, by=None)
    near, away = (make_unit(kind=Unit.Kind.DISTRICT, name=name, above=above, by=None)
                  for name, above in (("D1", city), ("D2", far)))  # fmt: skip
    team = make_unit(kind=Unit.Kind.TEAM, name="一班", above=near, by=None)
    other = make_unit(kind=Unit.Kind.TEAM, name="二班", above=away, by=None)
    for name, unit in ((OWNER, team), (COLLEAGUE, team), ("m103", team), (STRANGER, other), ("m202", other)):
        _person(name, Role.ACCOUNT_MANAGER, unit, manager_id=name.upper(), authority_fen=3000)
    for role, unit in ((Role.TEAM_LEAD, team), (Role.DISTRICT_CHIEF, near), (Role.CITY_CHIEF, city),
                       (Role.PROVINCE_CHIEF, province), (Role.AGENT, team)):  # fmt: skip
        _person(role, role, unit)
    for role in CENTRAL:
        _person(role, role, province)
    _person("admin2", Role.ADMIN, province)
    bring_in(open_site(_root()), Month.parse(MONTH))
    for place, account in enumerate(Account.objects.order_by("pk")):
        _name(account, place)


def _root() -> Path:
    from django.conf import settings

    return settings.SITE.root


def _person(username: str, role: str, unit: Unit, **values: object) -> Person:
    person, _ = make_person(username=username, name=f"测{username}", role=role, unit=unit, by=None,
                            must_change_password=False, **values)  # fmt: skip
    SecondFactor.objects.create(user=person, name="app", confirmed=True)
    return person


def _name(account: Account, place: int) -> None:
    """Names and numbers that are nobody's; one of each kind is easily told."""
    organisation = account.kind == "organisation"
    name = f"清河第{place}单位" if organisation else f"欧阳试{place}"
    at = account.pk
    account.name_sealed = sealed.seal(name, customer_id=at)
    account.phone_sealed = sealed.seal(str(int(PHONE) + place), customer_id=at)
    account.phone_index = sealed.index(str(int(PHONE) + place))
    account.number_sealed = sealed.seal(f"N{place:08d}", customer_id=at)
    account.save()


def enter(client: Client, person: Person) -> Client:
    """Signed in, and proved by the second factor a moment ago."""
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    device = SecondFactor.objects.filter(user=person).first()
    if device is not None:
        session = client.session
        session["otp_device_id"] = device.persistent_id
        session[PROVED] = time.time()
        session.save()
    return client
