"""Who may know of which export, where each stands, and the very list it is of."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from keepline_web.customers import sealed
from keepline_web.customers.listing import Listing, listed
from keepline_web.customers.models import Account
from keepline_web.customers.queries import visible_to
from keepline_web.exports.models import Export, Made, Step
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.models import OPEN
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

SECOND_ABOVE = 1_000  # rows; beyond them a second person consents
CONSENT_DAYS = 7  # after which an export nobody consented to lapses


def exports_of(person: Person) -> QuerySet[Export]:
    """One's own, latest first, each with its last step and the state of its task."""
    return with_state(Export.objects.filter(person=person)).order_by("-pk")


def with_state(exports: QuerySet[Export]) -> QuerySet[Export]:
    last = Step.objects.filter(export=OuterRef("pk")).exclude(what="downloaded").order_by("-number")
    tasks = Step.objects.filter(export=OuterRef("pk"), task__isnull=False).order_by("-number")
    return exports.select_related("person__unit", "made").annotate(
        last=Subquery(last.values("what")[:1]),
        task_id=Subquery(tasks.values("task")[:1]),
        task_state=Subquery(tasks.values("task__state")[:1]),
    )


def state_of(export: Export) -> str:
    """Where an export of ``with_state`` stands, in one word of ``words.STATES``."""
    if export.last in ("refused", "withdrawn"):
        return str(export.last)
    if hasattr(export, "made"):
        return "ready" if export.made.expires_at > clock.now() else "expired"
    if export.task_state is None:
        return "waiting" if _consent_begins() <= export.asked_on else "lapsed"
    return "making" if export.task_state in OPEN else str(export.task_state)


def _consent_begins() -> dt.date:
    return clock.today() - dt.timedelta(days=CONSENT_DAYS)


def asked_of(export: Export) -> Listing:
    """The page's filters, as they were when it was asked for."""
    text = sealed.unseal(export.text_sealed, customer_id=export.key.int) or ""
    return Listing(**export.filters, text=text)


def rows_of(export: Export) -> QuerySet[Account]:
    """Today's list: of those whom the asker may see now."""
    return listed(export.person, asked_of(export))


def access_export(person: Person, export_id: int) -> Export:
    """One's own, or one whose customers one may all see and consent to; any other is told not to be there."""
    export = with_state(Export.objects.filter(pk=export_id)).first()
    if export is None or not (export.person_id == person.pk or may_consent(person, export)):
        raise Http404
    return export


def may_consent(person: Person, export: Export) -> bool:
    """Whether the person consents to exports, and may see every customer in it. An empty list tells nothing."""
    if not person.may(Act.APPROVE_EXPORT):
        return False
    try:
        rows = rows_of(export).order_by()
    except Refused:  # the search cannot be done any more, so nobody can tell whom it would find
        return False
    return rows.exists() and not rows.exclude(pk__in=visible_to(person).values("pk")).exists()


def waiting_for(person: Person) -> list[Export]:
    """What waits for this person's consent; never their own."""
    if not person.may(Act.APPROVE_EXPORT):
        return []
    decided = Step.objects.filter(~Q(what="asked"), export=OuterRef("pk"))
    waiting = Export.objects.filter(~Exists(decided), needs_second=True, asked_on__gte=_consent_begins())
    return [one for one in with_state(waiting.exclude(person=person)).order_by("pk") if may_consent(person, one)]


def folder() -> Path:
    """Where files lie for their 24 hours."""
    path: Path = settings.SITE.root / "workbench" / "exports"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def file_of(person: Person, export_id: int) -> tuple[Export, Path]:
    """The file, for the one who asked, while it lives."""
    export = exports_of(person).filter(pk=export_id).first()
    made = Made.objects.filter(export=export, expires_at__gt=clock.now()).first() if export else None
    if export is None or made is None or not (folder() / made.name).is_file():
        raise Http404
    return export, folder() / made.name
