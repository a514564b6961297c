"""Changing the keys: a new secret beside the old one, the audit bound to it, and everything sealed sealed anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction
from django.db.models import F, Func, Q

from keepline.front import KeeplineError, Site
from keepline_web import keys
from keepline_web.audit import actions as audit
from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.customers import sealed
from keepline_web.customers.models import Account, ContactPerson
from keepline_web.exports.models import Export
from keepline_web.frame import clock
from keepline_web.frame.append_only import RESEALING
from keepline_web.people import second_factor
from keepline_web.people.models import SecondFactor, Session, Token

BATCH = 1_000


@dataclass(frozen=True)
class Sealed:
    """A table with sealed columns: what they are bound to, and whether a telephone's index stands beside them."""

    model: type[models.Model]
    names: tuple[str, ...]
    bound: Callable[[Any], dict[str, Any]]
    indexed: bool = False


EVERY = (
    Sealed(Account, ("name_sealed", "number_sealed", "phone_sealed"), lambda row: {"customer_id": row.pk}, True),
    Sealed(ContactPerson, ("name_sealed", "phone_sealed", "note_sealed"),
           lambda row: {"customer_id": row.account_id, "row": str(row.key)}, True),
    Sealed(Export, ("text_sealed",), lambda row: {"customer_id": row.key.int}),
)  # fmt: skip


def change(site: Site, told: Callable[[int], None] = lambda _: None) -> int:
    """Draw a new secret, bind the audit to it, end what the old one let in, seal all anew; the new version."""
    root = site.root
    settle(root)
    if found := broken():
        raise KeeplineError(
            f"the keys are not changed: the audit chain {found[0].stream} does not hold at entry {found[0].number}, "
            "and a new key would vouch for it; find out why first",
            f"没有更换密钥：审计链 {found[0].stream} 在第 {found[0].number} 行不完整，换密钥等于为它作保；请先查明原因",
            code="chain_broken",
        )
    version = keys.begin(root)
    with transaction.atomic():
        audit.bind(version)
        Session.objects.all().delete()
        Token.objects.filter(ended_at__isnull=True).update(ended_at=clock.now())
    keys.finish(root)
    reseal(root, told)
    return version


def settle(root: Path) -> None:
    """A change that was killed: finished when the database is bound to the new secret, else it never was."""
    version = keys.coming(root)
    if version is None:
        return
    if Entry.objects.filter(key_version=version).exists():
        keys.finish(root)
    else:
        keys.drop(root)


def reseal(root: Path, told: Callable[[int], None] = lambda _: None) -> int:
    """Seal anew what older keys sealed, batch by batch; killed, it goes on where it stopped. How many rows it was."""
    count, version = 0, keys.current(root)
    for kind in EVERY:
        while done := _some(kind, version):
            count += done
            told(count)
    while done := _some_seeds(version):
        count += done
        told(count)
    return count


def left(root: Path) -> int:
    """How many rows older keys still hold."""
    version = keys.current(root)
    return sum(_old(kind, version).count() for kind in EVERY) + _old_seeds(version).count()


def _old(kind: Sealed, version: int) -> Any:
    """Rows with a column whose first byte names an older key."""
    rows, older = kind.model._default_manager.all(), Q()
    for name in kind.names:
        first = Func(F(name), 0, function="get_byte", output_field=models.IntegerField())
        rows = rows.annotate(**{f"{name}_by": first})
        older |= Q(**{f"{name}_by__lt": version})
    return rows.filter(older)


@transaction.atomic
def _some(kind: Sealed, version: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [RESEALING])
    rows = list(_old(kind, version).order_by("pk").select_for_update()[:BATCH])
    for row in rows:
        bound = kind.bound(row)
        plain = {name: sealed.unseal(getattr(row, name), **bound) for name in kind.names}
        for name, text in plain.items():
            setattr(row, name, sealed.seal(text, **bound))
        if kind.indexed:
            row.phone_index = sealed.index(plain["phone_sealed"])
    kind.model._default_manager.bulk_update(rows, [*kind.names, *(("phone_index",) if kind.indexed else ())])
    return len(rows)


def _old_seeds(version: int) -> Any:
    return SecondFactor.objects.exclude(key__startswith=second_factor.under(version))


@transaction.atomic
def _some_seeds(version: int) -> int:
    rows = list(_old_seeds(version).order_by("pk").select_for_update()[:BATCH])
    for row in rows:
        row.key = second_factor.seal(row.bin_key, person_id=row.user_id)
    SecondFactor.objects.bulk_update(rows, ["key"])
    return len(rows)
