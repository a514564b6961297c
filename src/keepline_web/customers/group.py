"""Accounts that belong together: head offices and branches, of which everyone sees those in their own scope alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers.models import Account, Affiliation, Standing
from keepline_web.customers.queries import Shown, access_account, latest_month, search, shown, visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.frame.words import Text
from keepline_web.people.models import Person

LEVELS = 6  # of a group at most; a circle in the operator's files ends here too
SHOWN = 12
REASON_LEAST, REASON_MOST = 2, 200


@dataclass(frozen=True)
class Member:
    """One account of the group: how far below the top that is shown it stands."""

    shown: Shown
    depth: int
    here: bool
    standing: Standing | None


def group_ids(account: Account) -> set[int]:
    """All accounts of the group, whoever may see them; to narrow what one sees by, never to count."""
    root = _root(account)
    reached, level = {root}, [root]  # a head office that is no account here holds its branches together too
    for _ in range(LEVELS):
        below = Account.objects.filter(head_id__in=level).values_list("pk", flat=True)
        level = [pk for pk in below if pk not in reached]
        if not level:
            break
        reached |= set(level)
    return reached | {account.pk}


def _root(account: Account) -> int:
    at, head, seen = account.pk, account.head_id, {account.pk}
    for _ in range(LEVELS):
        if head is None or head in seen:
            break
        seen.add(head)
        at, head = head, Account.objects.filter(pk=head).values_list("head_id", flat=True).first()
    return at


def group_of(account: Account, person: Person) -> dict[str, Any]:
    """The group as the person may see it: nothing tells whether there is more."""
    ids = group_ids(account)
    seen = {row.pk: row for row in visible_to(person).filter(pk__in=ids)} if len(ids) > 1 else {}
    if len(seen) < 2:
        return {"members": [], "head": None}
    standings = {s.account_id: s for s in Standing.objects.filter(account__in=list(seen), month=latest_month())}
    members = [
        Member(shown(row, person), _depth(row, seen), row.pk == account.pk, standings.get(row.pk))
        for row in _in_order(seen, standings)
    ]
    known = list(standings.values())
    return {
        "members": _near(members), "count": len(members), "head": seen.get(account.head_id),
        "value": sum(s.value_fen or 0 for s in known), "revenue": sum(s.revenue_3m_fen or 0 for s in known),
    }  # fmt: skip


def _near(members: list[Member]) -> list[Member]:
    """The first of them, and always the one whose page it is."""
    first = members[:SHOWN]
    return first if any(m.here for m in first) else [*first[:-1], *(m for m in members if m.here)]


def _depth(row: Account, seen: dict[int, Account]) -> int:
    depth, above = 0, seen.get(row.head_id or 0)
    while above is not None and depth < LEVELS:
        depth, above = depth + 1, seen.get(above.head_id or 0)
    return depth


def _in_order(seen: dict[int, Account], standings: dict[int, Standing]) -> list[Account]:
    """Heads before their branches, the most valuable first on each level."""
    below: dict[int, list[Account]] = {}
    for row in seen.values():
        below.setdefault(row.head_id if row.head_id in seen else 0, []).append(row)

    def worth(row: Account) -> tuple[int, int]:
        standing = standings.get(row.pk)
        return -((standing.value_fen if standing else 0) or 0), row.pk

    found: list[Account] = []

    def put(pk: int) -> None:
        for row in sorted(below.pop(pk, []), key=worth):
            found.append(row)
            put(row.pk)

    put(0)
    for pk in list(below):  # what is left runs in a circle
        put(pk)
    return found


@transaction.atomic
def attach(*, by: Person, customer_id: int, text: str, reason: str) -> Affiliation | None:
    """Let the account belong to the one that ``text`` finds in one's own scope; to none for no text."""
    account = access_account(by, customer_id)
    head = _found(by, account, text)
    if len(reason.strip()) < REASON_LEAST:
        raise Refused(
            f"请写明原因（至少 {REASON_LEAST} 个字），便于审计。",
            f"Say why, in {REASON_LEAST} signs or more; it is kept for the audit.",
            code="reason_needed", status=422,
        )  # fmt: skip
    account = Account.objects.select_for_update().get(pk=account.pk)
    if account.head_id == (head.pk if head else None):
        return None
    made = belong(account, head.pk if head else None, reason=reason.strip()[:REASON_MOST], by=by)
    detail = {"to": made.head_id, "from": made.head_before, "reason": made.reason}
    write(Stream.CUSTOMERS, act="affiliated", by=by, object=f"account:{account.pk}", detail=detail)
    return made


def belong(account: Account, head_id: int | None, *, reason: str, by: Person | None) -> Affiliation:
    """The row that says so, and the account as it is from now on."""
    made = Affiliation.objects.create(
        account=account, head_id=head_id, head_before=account.head_id, reason=reason, made_by=by, at=clock.now(),
        on_day=clock.today(),
    )  # fmt: skip
    account.head_id = head_id
    account.save(update_fields=["head_id"])
    return made


def _found(by: Person, account: Account, text: str) -> Account | None:
    if not text.strip():
        return None
    rows = list(search(visible_to(by).filter(kind="organisation"), text, by).exclude(pk=account.pk)[:2])
    if len(rows) != 1:
        said = ("没有找到", "none fits") if not rows else ("不止一个", "several fit")
        raise Refused(
            f"按“{text.strip()[:40]}”在您的范围内{said[0]}单位客户；请输入完整的客户编号或号码。",
            f"For “{text.strip()[:40]}” {said[1]} among the organisations of your scope; enter a whole number.",
            code="head_not_found", status=422,
        )  # fmt: skip
    if _below(account, rows[0]):
        raise Refused(
            "所选单位本身隶属于该客户，不能互为上级。", "The one chosen belongs to this account itself.",
            code="runs_in_a_circle", status=422,
        )  # fmt: skip
    return rows[0]


def _below(account: Account, head: Account) -> bool:
    """Whether the way up from ``head`` leads to ``account``."""
    at: Account | None = head
    for _ in range(LEVELS):
        at = Account.objects.filter(pk=at.head_id).first() if at and at.head_id else None
        if at is None or at.pk == account.pk:
            break
    return at is not None and at.pk == account.pk


def moves_of(account: Account, person: Person) -> list[dict[str, Any]]:
    """For the timeline: what it came to belong to, where one may see both ends; the first word is no event."""
    all_of = Affiliation.objects.filter(account=account).select_related("made_by")
    rows = list(all_of.exclude(made_by=None, head_before=None))
    ids = {pk for row in rows for pk in (row.head_id, row.head_before) if pk}
    seen = {row.pk: row for row in visible_to(person).filter(pk__in=ids)} if ids else {}
    found = []
    for row in rows:
        if any(pk and pk not in seen for pk in (row.head_id, row.head_before)):
            continue
        head = seen.get(row.head_id or 0)
        what = Text("归属上级单位", "belongs to") if head else Text("不再归属上级单位", "belongs to none any more")
        name, who = shown(head, person).name if head else "", row.made_by.name if row.made_by else ""
        found.append({"day": row.on_day, "order": row.pk, "what": what, "head": name, "who": who, "note": row.reason})
    return found
