"""How a person looks at the list: its columns, rows a page, and views with a name."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, QueryDict

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers.columns import AT_FIRST, CODES
from keepline_web.customers.listing import CODES as FILTERS
from keepline_web.customers.models import ListLook, SavedView
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person

EACH = (10, 20, 50, 100)
EACH_AT_FIRST = 20
VIEWS_MOST = 20
KEPT = (
    *FILTERS, "plan", "owing", "owner", "district", "group", "month", "channel", "answered", "sort",
)  # never the text: it may be a name or a number  # fmt: skip


def look_of(person: Person) -> tuple[tuple[str, ...], int]:
    """The person's columns, and rows a page."""
    look = ListLook.objects.filter(person=person).first()
    if look is None:
        return AT_FIRST, EACH_AT_FIRST
    wanted = set(look.columns)  # a column that is no more is left out; they stand in their own order
    return tuple(code for code in CODES if code in wanted), look.each if look.each in EACH else EACH_AT_FIRST


def set_look(*, person: Person, columns: list[str], each: str) -> None:
    """Remember the columns; none chosen is as at first."""
    kept = [code for code in CODES if code in columns] or list(AT_FIRST)
    rows = int(each) if each in map(str, EACH) else EACH_AT_FIRST
    ListLook.objects.update_or_create(person=person, defaults={"columns": kept, "each": rows})


def views_of(person: Person) -> QuerySet[SavedView]:
    """One's own, and those shared with one's unit; whoever opens one sees their own customers in it."""
    return SavedView.objects.filter(Q(person=person) | Q(unit=person.unit_id)).select_related("person")


def plain(query: str) -> str:
    """The filters of a list's address in one fixed order, without text, page and rows."""
    said = QueryDict(query[:2_000])
    kept = QueryDict(mutable=True)
    for name in KEPT:
        if said.get(name):
            kept[name] = said[name]
    return kept.urlencode()


@transaction.atomic
def save_view(*, person: Person, name: str, query: str, shared: bool) -> SavedView:
    """Give the filters a name; the same name again means the new filters."""
    name = " ".join(name.split())[:40]
    Person.objects.select_for_update().get(pk=person.pk)  # two requests at once count one after the other
    before = SavedView.objects.filter(person=person).exclude(name=name).count()
    if not name or before >= VIEWS_MOST:
        raise Refused(
            f"请给视图起名；每人最多 {VIEWS_MOST} 个，多余的请先删除。",
            f"Give the view a name; a person has at most {VIEWS_MOST}, so remove one first when there are as many.",
            code="view_not_kept",
            status=422,
        )
    values = {"query": plain(query)[:500], "unit": person.unit if shared else None}
    view, _ = SavedView.objects.update_or_create(person=person, name=name, defaults=values)
    detail = {"query": view.query, "shared": shared}
    write(Stream.CUSTOMERS, act="view_saved", by=person, object=f"view:{view.pk}", detail=detail)
    return view


@transaction.atomic
def remove_view(*, person: Person, view_id: int) -> None:
    """Take away a view of one's own; the list itself is untouched."""
    view = SavedView.objects.filter(person=person, pk=view_id).first()
    if view is None:
        raise Http404
    write(Stream.CUSTOMERS, act="view_removed", by=person, object=f"view:{view_id}", detail={"query": view.query})
    view.delete()
