"""Whether the workbench can answer: asked by whatever watches it."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the database answers, else 503; tells nothing else."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET"})
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"ok": False}, status=503)
    return JsonResponse({"ok": True})


healthz.act = "open"  # type: ignore[attr-defined]
healthz.methods = ("GET",)  # type: ignore[attr-defined]
