"""Units and people: who is where, and what an administrator does about them."""

from __future__ import annotations

from typing import Any, Literal

from django import forms
from django.http import Http404, HttpRequest
from ninja import Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, Id, In, Named, Out, Paged, PageNumber, PageSize, PathId, TextIn, named, paged
from keepline_web.frame.refusals import Refused
from keepline_web.people import actions
from keepline_web.people.forms import NewPerson, NewUnit, Post
from keepline_web.people.models import Person, Unit
from keepline_web.people.queries import people_like
from keepline_web.people.roles import Act, Role

NAME = "组织与人员 · organisation"
router = Router()
RoleName = Literal[tuple(Role.values)]  # type: ignore[valid-type]


class UnitShape(Out):
    id: int
    kind: str
    name: str
    above: int | None


class UnitIn(In):
    kind: Literal[tuple(Unit.Kind.values)]  # type: ignore[valid-type]
    name: str = Field(min_length=1, max_length=80)
    above: Id | None = None


class PersonShape(Out):
    id: int
    username: str
    name: str
    role: str
    unit: Named
    manager_id: str | None
    active: bool


class PersonIn(In):
    username: str = Field(pattern="^[a-z][a-z0-9._-]{2,39}$", examples=["zhao.an"])
    name: str = Field(min_length=1, max_length=80)
    role: RoleName
    unit: Id
    manager_id: str = Field("", max_length=40, description="the operator's own code of an account manager")


class PostIn(In):
    role: RoleName
    unit: Id


class Handed(PersonShape):
    password: str = Field(description="told this once, to be handed over; changed at first use")


class Unfit(Refused):
    """What the administrator's form does not take."""

    def __init__(self, form: forms.Form) -> None:
        told = [{"where": name, "what": str(text)} for name, texts in form.errors.items() for text in texts]
        places = ", ".join(row["where"] for row in told)
        super().__init__(f"填写有误：{places}。", f"Not taken as it stands: {places}.", code="unfit", status=422)
        self.more = {"errors": told}


@router.get("units", response=list[UnitShape], **needs(Act.CONFIGURE, "configure", zh="单位", en="Units"))
def list_units(request: HttpRequest) -> Any:  # noqa: ARG001
    """The whole tree, each after what is above it."""
    return [_unit(one) for one in Unit.objects.all()]


@router.post("units", response={201: UnitShape}, **needs(Act.CONFIGURE, "configure", zh="新增单位", en="Make a unit"))
def make_unit(request: HttpRequest, said: UnitIn) -> Any:
    """Under another; a name stands once at a place."""
    return _unit(actions.make_unit(by=request.user, **_filled(NewUnit, said)))


@router.get("people", response=Paged[PersonShape], **needs(Act.CONFIGURE, "configure", zh="人员", en="People"))
def list_people(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:  # noqa: ARG001
    """Everyone, by unit."""
    return _people("", page, each)


@router.post("people/search", response=Paged[PersonShape],
             **needs(Act.CONFIGURE, "configure", zh="搜索人员", en="Search people"))  # fmt: skip
def search_people(request: HttpRequest, said: TextIn) -> Any:  # noqa: ARG001
    """``q`` is part of a name, user name or unit."""
    return _people(said.q, said.page, said.each)


def _people(text: str, page: int, each: int) -> dict[str, Any]:
    return paged(people_like(text), page, each, lambda found: [_person(one) for one in found])


@router.post(
    "people", response={201: Handed}, **needs(Act.CONFIGURE, "configure", zh="新增人员", en="Make a person", short=True)
)
def make_person(request: HttpRequest, said: PersonIn) -> Any:
    """With a password that is told once; needs a token made for one day."""
    values = _filled(NewPerson, said)
    person, password = actions.make_person(by=request.user, **{**values, "manager_id": values["manager_id"] or None})
    return _person(person) | {"password": password}


@router.get("people/{person_id}", response=PersonShape,
            **needs(Act.CONFIGURE, "configure", zh="一个人", en="One person"))  # fmt: skip
def read_person(request: HttpRequest, person_id: PathId) -> Any:  # noqa: ARG001
    """Post and whether active."""
    return _person(_found(person_id))


@router.post("people/{person_id}/move", response={201: PersonShape},
             **needs(Act.CONFIGURE, "configure", zh="调岗", en="Give another post", short=True))  # fmt: skip
def move_person(request: HttpRequest, person_id: PathId, said: PostIn) -> Any:
    """It holds at once: browsers signed in and tokens end; needs a token made for one day."""
    one = _found(person_id)
    actions.move_person(person=one, by=request.user, **_filled(Post, said))
    return _person(one)


@router.post("people/{person_id}/disable", response={201: PersonShape},
             **needs(Act.CONFIGURE, "configure", zh="停用", en="Disable", short=True))  # fmt: skip
def disable_person(request: HttpRequest, person_id: PathId) -> Any:
    """Browsers signed in and tokens end at once; needs a token made for one day."""
    one = _found(person_id)
    actions.disable(person=one, by=request.user)
    return _person(one)


@router.post("people/{person_id}/enable", response={201: PersonShape},
             **needs(Act.CONFIGURE, "configure", zh="恢复", en="Enable", short=True))  # fmt: skip
def enable_person(request: HttpRequest, person_id: PathId) -> Any:
    """The person signs in again, tokens that ended stay so; needs a token made for one day."""
    one = _found(person_id)
    actions.enable(person=one, by=request.user)
    return _person(one)


@router.post("people/{person_id}/reset", response={201: Handed},
             **needs(Act.CONFIGURE, "configure", short=True,
                     zh="重置凭据", en="New password and second factor"))  # fmt: skip
def reset_person(request: HttpRequest, person_id: PathId) -> Any:
    """The password is told once; needs a token made for one day."""
    one = _found(person_id)
    password = actions.reset(person=one, by=request.user)
    return _person(one) | {"password": password}


def _filled(form: type[forms.Form], said: In) -> dict[str, Any]:
    """What was sent, through the page's own form."""
    filled = form({name: value for name, value in said.model_dump().items() if value is not None})
    if not filled.is_valid():
        raise Unfit(filled)
    return dict(filled.cleaned_data)


def _found(person_id: int) -> Person:
    one = Person.objects.select_related("unit").filter(pk=person_id).first()
    if one is None:
        raise Http404
    return one


def _unit(one: Unit) -> dict[str, Any]:
    return {"id": one.pk, "kind": one.kind, "name": one.name, "above": one.above_id}


def _person(one: Person) -> dict[str, Any]:
    return {"id": one.pk, "username": one.username, "name": one.name, "role": one.role, "unit": named(one.unit),
            "manager_id": one.manager_id, "active": one.is_active}  # fmt: skip
