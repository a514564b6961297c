"""The board of a unit: what each of its people has done this month, and has before them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from keepline.front import Month
from keepline_web.customers.models import Account, Assignment, PlanRow, Standing
from keepline_web.customers.queries import latest_month, on_day, visible_to
from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.people.queries import sellers_of
from keepline_web.work.authority import authorities_of, levels_of
from keepline_web.work.measures import MONEY, actuals, working_days
from keepline_web.work.models import Contact, Promise
from keepline_web.work.proposals import waiting_for
from keepline_web.work.targets import held, progress
from keepline_web.work.words import MEASURES


def board(person: Person) -> dict[str, Any]:
    """The unit's figures and one row a person, of those whose work the person may see."""
    day, month = clock.today(), latest_month()
    everyone = list(sellers_of(person).select_related("unit").order_by("unit__path", "pk"))
    people = [p for p in everyone if p.is_active]
    ids = [p.pk for p in people]
    owned = _counts(Assignment.objects.filter(on_day(day), person__in=ids), "person")
    contacts = Contact.objects.filter(
        person__in=ids, on_day__gte=day.replace(day=1), withdrawn=False, corrected_by__isnull=True
    )
    made, reached = _counts(contacts, "person"), _counts(contacts.exclude(outcome="not_reached"), "person")
    agreed = _counts(contacts.filter(outcome="agreed"), "person")
    late = _counts(Promise.objects.filter(person__in=ids, end__isnull=True, due_on__lt=day), "person")
    plan = _plan(ids, month)
    aims, name = held(str(Month.of(day))), str(Month.of(day))
    figures, given = actuals(everyone, name), authorities_of(people)
    rows = [
        {"person": p, "owned": owned.get(p.pk, 0), "made": made.get(p.pk, 0), "reached": reached.get(p.pk, 0),
         "agreed": agreed.get(p.pk, 0), "late": late.get(p.pk, 0), "plan": plan.get(p.pk, (0, 0)),
         "authority": given[p.pk], "progress": progress(aims, "person", p.pk, figures, [p.pk], name)}
        for p in people
    ]  # fmt: skip
    own = progress(aims, "unit", person.unit_id, figures, [p.pk for p in everyone], name)
    return {
        "rows": rows, "month": month, "figures": _figures(person, month), "waiting": waiting_for(person).count(),
        "own": own, "this_month": name, "days": working_days(name), "measures": MEASURES, "money": MONEY,
        "levels": levels_of(person), "aimed": any(row["progress"] for row in rows),
    }  # fmt: skip


def _counts(rows: QuerySet[Any], field: str) -> dict[int, int]:
    return dict(rows.values_list(field).annotate(n=Count("pk")))


def _plan(ids: list[int], month: str | None) -> dict[int, tuple[int, int]]:
    """Plan rows of each person's accounts, and how many of them have an answer."""
    held = on_day(clock.today())
    current = Assignment.objects.filter(held, person__in=ids).values("account")
    rows = PlanRow.objects.filter(month=month, account__in=current)
    answered = Q(contacts__outcome__in=("agreed", "refused"), contacts__withdrawn=False,
                 contacts__corrected_by=None)  # fmt: skip
    owner = dict(Assignment.objects.filter(held, account__in=rows.values("account")).values_list("account", "person"))
    found: dict[int, tuple[int, int]] = {}
    for account, done in rows.annotate(done=Count("contacts", filter=answered)).values_list("account", "done"):
        all_of, ended = found.get(owner[account], (0, 0))
        found[owner[account]] = (all_of + 1, ended + (done > 0))
    return found


def _figures(person: Person, month: str | None) -> dict[str, Any]:
    """The unit's accounts in figures; of those the person may see, nothing else."""
    seen: QuerySet[Account] = visible_to(person)
    standings = Standing.objects.filter(month=month, account__in=seen)
    return standings.aggregate(
        accounts=Count("pk"), value=Sum("value_fen"), revenue=Sum("revenue_3m_fen"), owed=Sum("arrears_fen"),
        high=Count("pk", filter=Q(risk_band="high")), up=Count("pk", filter=Q(move="up")),
        down=Count("pk", filter=Q(move="down")),
    )  # fmt: skip
