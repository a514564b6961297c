"""The administrator's pages: units, people, their posts and credentials."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from keepline_web.frame.sought import text_of
from keepline_web.people import actions
from keepline_web.people.access import page, proved_lately
from keepline_web.people.forms import NewPerson, NewUnit, Post
from keepline_web.people.models import Person
from keepline_web.people.queries import people_like, units
from keepline_web.people.roles import RIGHTS, Act
from keepline_web.people.scopes import SCOPES
from keepline_web.people.tokens import alive

EACH = 50


@page(Act.CONFIGURE, "GET", "POST")
@proved_lately()
def people(request: HttpRequest) -> HttpResponse:
    """Everyone, by unit; and a new one."""
    form, told = NewPerson(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, "manager_id": form.cleaned_data["manager_id"] or None}
        told = actions.make_person(by=request.user, **values)
        form = NewPerson()
    text = text_of(request.GET, "q")
    values = {
        "form": form, "told": told, "page": Paginator(people_like(text), EACH).get_page(request.GET.get("page")),
        "units": units(), "roles": [(role, rights.words) for role, rights in RIGHTS.items()], "q": text,
        "unit_form": NewUnit(),
    }  # fmt: skip
    return render(request, "people/people.html", values, status=422 if form.errors else 200)


@page(Act.CONFIGURE, "POST")
def make_unit(request: HttpRequest) -> HttpResponse:
    form = NewUnit(request.POST)
    if form.is_valid():
        actions.make_unit(by=request.user, **form.cleaned_data)
    return redirect("people")


@page(Act.CONFIGURE, "POST")
@proved_lately()
def end_all_sessions(request: HttpRequest) -> HttpResponse:
    """Everyone signs in again, but the administrator who asks for it."""
    actions.end_all_sessions(by=request.user, here=request.session.session_key)
    return redirect("people")


@page(Act.CONFIGURE, "GET", "POST")
@proved_lately()
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: post, and what can be done about their access."""
    one = get_object_or_404(Person.objects.select_related("unit"), pk=pk)
    form, password = (
        Post(request.POST if "role" in request.POST else None, initial={"role": one.role, "unit": one.unit_id}),
        "",
    )
    act = request.POST.get("act", "")
    if request.method == "POST":
        if form.is_bound and form.is_valid():
            actions.move_person(person=one, by=request.user, **form.cleaned_data)
            return redirect("person", pk)
        if act in ("disable", "enable", "end_sessions"):
            getattr(actions, act)(person=one, by=request.user)
            return redirect("person", pk)
        if act == "reset":
            password = actions.reset(person=one, by=request.user)
    values = {"one": one, "form": form, "password": password, "units": units(),
              "tokens": alive(one), "words": SCOPES,
              "roles": [(role, rights.words) for role, rights in RIGHTS.items()]}  # fmt: skip
    return render(request, "people/person.html", values, status=422 if form.errors else 200)
