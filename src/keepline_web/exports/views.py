"""Exports: asking, consenting, watching, fetching."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render

from keepline_web.customers.listing import Listing, picked
from keepline_web.exports import actions
from keepline_web.exports.models import Export
from keepline_web.exports.queries import SECOND_ABOVE, access_export, asked_of, exports_of, state_of, waiting_for
from keepline_web.exports.words import STATES, STEPS, filters_in_words
from keepline_web.frame.inputs import entry_key
from keepline_web.frame.refusals import Refused, refusal
from keepline_web.jobs.actions import see
from keepline_web.jobs.models import Task
from keepline_web.people.access import page
from keepline_web.people.roles import Act

EACH = 20
FILTERS_MOST = 2_000


@page(Act.EXPORT, "GET", "POST")
def exports(request: HttpRequest) -> HttpResponse:
    """One's own and those that wait for one's consent; and a new one, of the list whose filters come with it."""
    if request.method == "POST":
        asked = Listing.of(QueryDict(request.POST.get("filters", "")[:FILTERS_MOST]))
        if "account" in request.POST:
            asked = replace(asked, chosen=tuple(picked(request.POST.getlist("account"))))
        reason, key = request.POST.get("reason", ""), entry_key(request)
        return redirect("export", actions.ask(by=request.user, asked=asked, reason=reason, key=key).pk)
    paged = Paginator(exports_of(request.user), EACH).get_page(request.GET.get("page"))
    lines = [_line(one) for one in paged]
    values = {
        "page": paged, "lines": lines, "waiting": [_line(one) for one in waiting_for(request.user)],
        "runs": any(line["state"] == "making" for line in lines), "second_above": SECOND_ABOVE,
    }  # fmt: skip
    return render(request, "exports/exports.html", values)


@page(Act.EXPORT)
def export(request: HttpRequest, export_id: int) -> HttpResponse:
    """One export: what is in it, each step, and the file."""
    one = access_export(request.user, export_id)
    line = _line(one)
    steps = [(step, STEPS[step.what]) for step in one.steps.select_related("person")]
    task = Task.objects.filter(pk=one.task_id).first()
    own = one.person_id == request.user.pk
    if task and not task.open:
        see(by=request.user, tasks=[task.pk])
    values = {
        "line": line, "one": one, "steps": steps, "task": task, "own": own, "runs": line["state"] == "making",
        "may_decide": not own and request.user.may(Act.APPROVE_EXPORT) and line["state"] == "waiting",
    }  # fmt: skip
    return render(request, "exports/export.html", values)


@page(Act.APPROVE_EXPORT, "POST")
def decide_export(request: HttpRequest, export_id: int) -> HttpResponse:
    """Consent or refuse; that somebody tried to consent to their own is kept."""
    said = request.POST
    refused = decided(request, export_id, what=said.get("what", ""), reason=said.get("reason", ""))
    return refused or redirect("export", export_id)


def decided(request: HttpRequest, export_id: int, *, what: str, reason: str) -> HttpResponse | None:
    """Decide it; what is refused to who tries their own is answered here, so that the entry of it stays."""
    try:
        actions.decide(by=request.user, export_id=export_id, what=what, reason=reason)
    except Refused as error:
        if error.code != "own_export":
            raise
        actions.tell_attempt(by=request.user, export_id=export_id, code=error.code)
        return refusal(request, error.status, str(error.words), error.code)
    return None


@page(Act.EXPORT, "POST")
def withdraw_export(request: HttpRequest, export_id: int) -> HttpResponse:
    actions.withdraw(by=request.user, export_id=export_id)
    return redirect("export", export_id)


@page(Act.EXPORT, "POST")
def export_file(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """The file, as an attachment; a POST, so that nothing fetches it but the button."""
    return file_answer(request, export_id)


def file_answer(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """Fetch the file, which is a step of the export, and send it."""
    one, path = actions.fetch(by=request.user, export_id=export_id)
    name = f"keepline-{one.pk}.csv"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def _line(one: Export) -> dict[str, Any]:
    state = state_of(one)
    return {"one": one, "state": state, "words": STATES[state], "filters": filters_in_words(asked_of(one))}
