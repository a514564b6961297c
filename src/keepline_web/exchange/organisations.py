"""What the operator's files tell of organisations: their last word binds where it is new, and only there."""

from __future__ import annotations

import uuid
from typing import Any

from keepline.front import Front
from keepline_web.customers import sealed
from keepline_web.customers.group import belong
from keepline_web.customers.models import Account, Affiliation, ContactPerson
from keepline_web.customers.persons import Said, row_of
from keepline_web.customers.words import DECISION_ROLES
from keepline_web.exchange.rows import BATCH, fitted
from keepline_web.frame import clock

Row = dict[str, Any]


def affiliations(front: Front) -> None:
    """What each account belongs to; what was changed here since the operator's last word stays."""
    for rows in front.affiliations():
        known = Account.objects.in_bulk([row["customer_id"] for row in rows])
        fresh = [row for row in rows if row["customer_id"] in known
                 and known[row["customer_id"]].head_said != row["head_id"]]  # fmt: skip
        first = [row for row in fresh if known[row["customer_id"]].head_said is None]
        _first_word(first, known)
        for row in fresh:
            account = known[row["customer_id"]]
            if row in first:
                continue
            if account.head_id != row["head_id"]:
                belong(account, row["head_id"], reason="operator", by=None)
            account.head_said = row["head_id"]
            account.save(update_fields=["head_said"])


def _first_word(rows: list[Row], known: dict[int, Account]) -> None:
    """Many at once, as in the first month that tells of them."""
    made, changed = [], []
    for row in rows:
        account = known[row["customer_id"]]
        account.head_said = row["head_id"]
        if account.head_id != row["head_id"]:
            made.append(Affiliation(account=account, head_id=row["head_id"], head_before=account.head_id,
                                    reason="operator", at=clock.now(), on_day=clock.today()))  # fmt: skip
            account.head_id = row["head_id"]
        changed.append(account)
    Affiliation.objects.bulk_create(made, BATCH)
    Account.objects.bulk_update(changed, ["head_id", "head_said"], BATCH)


def contact_persons(front: Front) -> None:
    """Who speaks for each account: a word that is new makes a new row after the last one of the same person."""
    for rows in front.contact_persons():
        last = _last_of([row["customer_id"] for row in rows])
        known = set(Account.objects.filter(pk__in=[row["customer_id"] for row in rows]).values_list("pk", flat=True))
        made = [one for row in rows if row["customer_id"] in known and (one := _next(row, last)) is not None]
        ContactPerson.objects.bulk_create(made, BATCH)


def _last_of(accounts: list[int]) -> dict[tuple[int, str], ContactPerson]:
    rows = ContactPerson.objects.filter(account__in=accounts, replaced_by__isnull=True).exclude(said_as="")
    return {(row.account_id, row.said_as): row for row in rows}


def _next(row: Row, last: dict[tuple[int, str], ContactPerson]) -> ContactPerson | None:
    at, said_as = row["customer_id"], sealed.digest(str(row["customer_id"]), row["person_no"])
    words = [str(row[name] or "") for name in ("role", "name", "phone", "birthday", "preferred_channel")]
    said, before = sealed.digest(*words), last.get((at, said_as))
    if before is not None and before.said == said:
        return None
    role = row["role"] if row["role"] in DECISION_ROLES else ""
    full = Said(row["name"] or "", row["phone"] or "", role, row["birthday"], row["preferred_channel"] or "")
    return fitted(row_of(at, full, key=uuid.uuid4(), by=None, replaces=before, said_as=said_as, said=said))
