"""Names this room for Django."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "keepline_web.work"
    label = "work"

    def ready(self) -> None:
        from keepline_web.work import menu  # noqa: F401
