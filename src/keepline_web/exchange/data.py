"""The importer's pages: what is published and in, what was handed back, and files dropped, tried and loaded."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline.front import TABLE_WORDS, KeeplineError, explain_mapping, mapping_choices, month_is_open
from keepline_web.exchange import standing, undoing, uploads, words
from keepline_web.exchange.arriving import waiting
from keepline_web.exchange.models import Arrival, Handing, Upload
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.actions import ask
from keepline_web.jobs.models import OPEN
from keepline_web.people.access import page
from keepline_web.people.roles import Act

EACH = 20
LATEST = 8
ALWAYS = "0001-01"  # the month under which the lake keeps a table that has none


@page(Act.LOAD)
def data(request: HttpRequest) -> HttpResponse:
    """Both doors and the files dropped."""
    rows = Upload.objects.select_related("person").prefetch_related("trials__task").order_by("-pk")
    page = Paginator(rows, EACH).get_page(request.GET.get("page"))
    loads, unread = _loads()
    states = {load["number"]: load["state"] for load in loads}
    values = {
        "page": page, "lines": [(one, standing.of_upload(one, states)) for one in page], "waiting": waiting(),
        "loads": undoing.with_people(loads[:LATEST]), "load_count": len(loads), "load_words": words.STATES,
        "unread": unread, "most_mb": uploads.MOST_BYTES // 1_000_000,
        "arrivals": Arrival.objects.order_by("-month", "-at")[:LATEST], "kinds": ",".join(uploads.KINDS),
        "handings": Handing.objects.order_by("-pk")[:LATEST],
    }  # fmt: skip
    return render(request, "exchange/data.html", values)


def _loads() -> tuple[list[dict[str, Any]], dict[str, str] | None]:
    """The lake's loads; where its manifest cannot be read, why."""
    try:
        return undoing.all_loads(), None
    except KeeplineError as error:
        return [], {"zh": error.zh, "en": error.en}


@page(Act.LOAD)
def loads(request: HttpRequest) -> HttpResponse:
    """Every load there was."""
    found, unread = _loads()
    page = Paginator(found, EACH).get_page(request.GET.get("page"))
    values = {"page": page, "loads": undoing.with_people(list(page)), "unread": unread, "load_words": words.STATES}
    return render(request, "exchange/loads.html", values)


@page(Act.LOAD)
def load(request: HttpRequest, number: int) -> HttpResponse:
    """One load: what it brought, and what undoing it would take out or why it cannot be undone."""
    one = undoing.access_load(number)
    values: dict[str, Any] = {
        "one": one, "states": words.STATES, "tables": TABLE_WORDS, "months": _by_table(one.said["months"]),
    }  # fmt: skip
    if one.may:
        try:
            values["foreseen"] = undoing.foreseen(number)
        except Refused as error:
            values["cannot"] = error.words
    return render(request, "exchange/load.html", values)


def _by_table(months: dict[str, dict[str, Any]]) -> list[tuple[str, str, Any]]:
    """Rows of table, month, and what is counted of it; a table without months has none."""
    return [
        (table, "" if month == ALWAYS else month, said) for table, of in months.items() for month, said in of.items()
    ]


@page(Act.LOAD, "POST")
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Ask that a load be undone; its page shows what comes of it."""
    said = request.POST
    undoing.ask(by=request.user, number=number, reason=said.get("reason", ""), accept=said.getlist("accept"))
    return redirect("load", number)


@page(Act.LOAD, "POST")
def bring_in(request: HttpRequest) -> HttpResponse:
    task = ask(kind="bring_in", asked={}, by=request.user)
    return redirect("task", task.pk)


@page(Act.LOAD, "POST")
def hand_back(request: HttpRequest) -> HttpResponse:
    task = ask(kind="hand_back", asked={"person": request.user.pk}, by=request.user)
    return redirect("task", task.pk)


@page(Act.LOAD, "POST")
def receive(request: HttpRequest) -> HttpResponse:
    """A file dropped."""
    file = request.FILES.get("file")
    if file is None:
        raise Refused("请选择一个文件。", "Choose a file.", code="no_file", status=422)
    return redirect("upload", uploads.receive(by=request.user, file=file).pk)


def access_upload(upload_id: int) -> Upload:
    """Files dropped are everybody's who takes data in."""
    one = Upload.objects.select_related("person").filter(pk=upload_id).first()
    if one is None:
        raise Http404
    return one


@page(Act.LOAD)
def upload(request: HttpRequest, upload_id: int) -> HttpResponse:
    """One file: its mapping, what a trial found, and the button that loads it."""
    one = access_upload(upload_id)
    trials = list(one.trials.select_related("task", "person").order_by("-pk"))
    last = trials[0] if trials else None
    values: dict[str, Any] = {
        "one": one, "last": last, "runs": bool(last and last.task and last.task.state in OPEN),
        "history": standing.history(trials), "tables": TABLE_WORDS, "made": _made(standing.load_of(trials)),
    }  # fmt: skip
    if last:
        values["standing"] = standing.outcome(last)
        values["months"] = _by_table((last.report or {}).get("months", {}))
    try:
        values["mapping"], values["mapping_name"] = uploads.proposed_mapping(one)
    except KeeplineError as error:
        values |= {"mapping": "", "mapping_name": "", "unread": {"zh": error.zh, "en": error.en}}
    else:
        values["explained"] = explain_mapping(uploads.path_of(one), values["mapping"])
        values["choices"] = mapping_choices()
        values["month_open"] = month_is_open(values["mapping"])
    return render(request, "exchange/upload.html", values)


def _made(number: int) -> undoing.Loaded | None:
    """The load that a file made, where the lake still knows it."""
    try:
        return undoing.access_load(number) if number else None
    except (Http404, KeeplineError):
        return None


@page(Act.LOAD, "POST")
def try_or_load(request: HttpRequest, upload_id: int, verb: str) -> HttpResponse:
    """Ask for a trial or the load; the page shows what comes of it."""
    said = request.POST
    uploads.try_or_load(
        by=request.user,
        upload_id=upload_id,
        verb=verb,
        mapping=said.get("mapping", ""),
        mapping_name=said.get("mapping_name", ""),
        accept=said.getlist("accept"),
        month=said.get("month", ""),
        chosen=_chosen(said.getlist("theirs"), said.getlist("to")),
    )
    return redirect("upload", upload_id)


def _chosen(theirs: list[str], to: list[str]) -> dict[str, str]:
    """Their columns that were sent elsewhere; those left as they are say nothing."""
    return {name: place for name, place in zip(theirs, to, strict=False) if place}


@page(Act.LOAD)
def set_aside(request: HttpRequest, upload_id: int, number: int) -> HttpResponse:  # noqa: ARG001
    """Rows set aside, with their reasons, to be mended and loaded again."""
    path = uploads.set_aside_file(access_upload(upload_id), number)
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type="application/octet-stream"
    )
