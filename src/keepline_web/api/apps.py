"""Names this room for Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "keepline_web.api"
    label = "api"

    def ready(self) -> None:
        from keepline_web.api import counting  # noqa: F401
