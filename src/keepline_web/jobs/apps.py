"""Names this room for Django."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "keepline_web.jobs"
    label = "jobs"

    def ready(self) -> None:
        from keepline_web.jobs import menu  # noqa: F401
