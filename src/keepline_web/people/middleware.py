"""What a signed-in browser may not outlive: half an hour of silence, twelve hours in all, a changed role."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from keepline_web.people.sessions import BEGUN

SEEN, EVERY = "_seen", 60


class SignedIn:
    """Ends a session that was silent for too long, or is too old; notes when it was last seen."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._keep(request)
        return self.answer(request)

    def _keep(self, request: HttpRequest) -> None:
        moment = time.time()
        begun, seen = request.session.setdefault(BEGUN, moment), request.session.get(SEEN, moment)
        if moment - seen > settings.IDLE_SECONDS or moment - begun > settings.SESSION_COOKIE_AGE:
            logout(request)
        elif SEEN not in request.session or moment - seen > EVERY:
            request.session[SEEN] = moment
