"""The people of a demo: an organisation made of the operator's own districts and managers, with random logins."""

from __future__ import annotations

import base64
import csv
import os
from pathlib import Path
from typing import Any

from django.db import transaction

from keepline.front import Front, Site, published_months, read_published
from keepline_web.people.actions import make_person, make_unit
from keepline_web.people.demo import FILE, HEADER
from keepline_web.people.models import Person, SecondFactor, Unit
from keepline_web.people.roles import Role

PROVINCE = "虚构省"
TEAM_SIZE = 6
SURNAMES, GIVEN = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜",
    "安宁平和清远知书言逸沐晨帆岚舟梓悦容卓凯",
)
CENTRAL = (
    Role.PROVINCE_CHIEF, Role.MARKETER, Role.CAMPAIGN_APPROVER, Role.COMPLAINT_HANDLER, Role.MALL_OPERATOR,
    Role.ANALYST, Role.IMPORTER, Role.ADMIN, Role.AUDITOR,
)  # fmt: skip


@transaction.atomic
def settle(site: Site) -> Path | None:
    """Make the organisation and ``SITE/demo-logins.csv`` once; nothing when there are people already."""
    if Person.objects.exists():
        return None
    month, _ = published_months(site)[-1]
    with Front.opened(site, read_published(site, month)) as front:
        districts = {(row["region"], row["district"]) for rows in front.accounts() for row in rows if row["district"]}
        managers = front.managers()
    settler = _Settler()
    settler.tree(site.settings.name, sorted(districts), managers)
    return settler.write(site.root / FILE)


class _Settler:
    """Makes units and people, and keeps what their logins are until they are written."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []

    def tree(self, name: str, districts: list[tuple[str, str]], managers: list[dict[str, Any]]) -> None:
        group = make_unit(kind=Unit.Kind.GROUP, name=name, above=None, by=None)
        province = make_unit(kind=Unit.Kind.PROVINCE, name=PROVINCE, above=group, by=None)
        for role in CENTRAL:
            self.person(role, role.value.replace("_", "-"), province)
        cities: dict[str, Unit] = {}
        for city, district in districts:
            if city not in cities:
                cities[city] = make_unit(kind=Unit.Kind.CITY, name=city, above=province, by=None)
                self.person(Role.CITY_CHIEF, f"city-chief-{len(cities)}", cities[city])
            self.district(district, cities[city], [m for m in managers if m["district"] == district])

    def district(self, name: str, city: Unit, managers: list[dict[str, Any]]) -> None:
        unit = make_unit(kind=Unit.Kind.DISTRICT, name=name, above=city, by=None)
        self.person(Role.DISTRICT_CHIEF, f"district-chief-{unit.pk}", unit)
        for place in range(0, max(1, len(managers)), TEAM_SIZE):
            number = place // TEAM_SIZE + 1
            team = make_unit(kind=Unit.Kind.TEAM, name=f"{name}客户经理{number}班", above=unit, by=None)
            self.person(Role.TEAM_LEAD, f"team-lead-{team.pk}", team)
            for manager in managers[place : place + TEAM_SIZE]:
                self.person(Role.ACCOUNT_MANAGER, manager["manager_id"].lower(), team,
                            manager_id=manager["manager_id"], authority_fen=manager["authority_fen"])  # fmt: skip
        self.person(Role.AGENT, f"agent-{unit.pk}", unit)

    def person(self, role: Role, username: str, unit: Unit, **values: Any) -> None:
        person, password = make_person(
            username=username, name=_name(len(self.rows)), role=role, unit=unit, by=None,
            must_change_password=False, **values,
        )  # fmt: skip
        device = SecondFactor.objects.create(user=person, name="app", confirmed=True)
        secret = base64.b32encode(device.bin_key).decode()
        said = (role.value, username, password, secret, person.name, unit.name)
        self.rows.append(dict(zip(HEADER, said, strict=True)))

    def write(self, to: Path) -> Path:
        partial = to.with_name(f".{to.name}.{os.getpid()}")
        partial.touch(mode=0o600)
        with partial.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, HEADER)
            writer.writeheader()
            writer.writerows(self.rows)
        return partial.replace(to)


def _name(number: int) -> str:
    return SURNAMES[number % len(SURNAMES)] + GIVEN[(number * 7 + number // len(SURNAMES)) % len(GIVEN)]
