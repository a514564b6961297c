"""The importer's pages: what is published and in, what was handed back, and files dropped, tried and loaded."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline.front import KeeplineError
from keepline_web.exchange import uploads
from keepline_web.exchange.arriving import waiting
from keepline_web.exchange.models import Arrival, Handing, Upload
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.actions import ask
from keepline_web.jobs.models import OPEN
from keepline_web.people.access import page
from keepline_web.people.roles import Act

EACH = 20
LATEST = 8


@page(Act.LOAD)
def data(request: HttpRequest) -> HttpResponse:
    """Both doors and the files dropped."""
    rows = Upload.objects.select_related("person").order_by("-pk")
    values = {
        "page": Paginator(rows, EACH).get_page(request.GET.get("page")), "waiting": waiting(),
        "arrivals": Arrival.objects.order_by("-month", "-at")[:LATEST], "kinds": ",".join(uploads.KINDS),
        "handings": Handing.objects.order_by("-pk")[:LATEST],
    }  # fmt: skip
    return render(request, "exchange/data.html", values)


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


@page(Act.LOAD)
def upload(request: HttpRequest, upload_id: int) -> HttpResponse:
    """One file: its mapping, what a trial found, and the button that loads it."""
    one = Upload.objects.select_related("person").filter(pk=upload_id).first()
    if one is None:
        raise Http404
    last = one.trials.select_related("task").order_by("-pk").first()
    values: dict[str, Any] = {"one": one, "last": last, "runs": bool(last and last.task and last.task.state in OPEN)}
    try:
        values["mapping"], values["mapping_name"] = uploads.proposed_mapping(one)
    except KeeplineError as error:
        values |= {"mapping": "", "mapping_name": "", "unread": {"zh": error.zh, "en": error.en}}
    return render(request, "exchange/upload.html", values)


@page(Act.LOAD, "POST")
def try_or_load(request: HttpRequest, upload_id: int, verb: str) -> HttpResponse:
    """Ask for a trial or the load; the page shows what comes of it."""
    said = request.POST
    uploads.try_or_load(by=request.user, upload_id=upload_id, verb=verb, mapping=said.get("mapping", ""),
                        mapping_name=said.get("mapping_name", ""), accept=said.getlist("accept"))  # fmt: skip
    return redirect("upload", upload_id)


@page(Act.LOAD)
def set_aside(request: HttpRequest, upload_id: int, number: int) -> HttpResponse:  # noqa: ARG001
    """Rows set aside, with their reasons, to be mended and loaded again."""
    one = Upload.objects.filter(pk=upload_id).first()
    if one is None:
        raise Http404
    path = uploads.set_aside_file(one, number)
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type="application/octet-stream"
    )
