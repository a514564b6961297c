"""Sessions in the database, each with the person it belongs to, so that they can be listed and ended."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

ADDRESS, AGENT, BEGUN = "_address", "_agent", "_begun"
PROVED = "_proved"  # when the second factor was proved last


class SessionStore(DatabaseStore):
    """Django's own, with four more columns."""

    @classmethod
    def get_model_class(cls) -> Any:
        from keepline_web.people.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.person_id = data.get(SESSION_KEY)
        row.begun_at = dt.datetime.fromtimestamp(data.get(BEGUN, time.time()), dt.UTC)
        row.address = data.get(ADDRESS)
        row.agent = data.get(AGENT, "")[:200]
        return row
