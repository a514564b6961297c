"""Names this room for Django."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "keepline_web.exports"
    label = "exports"

    def ready(self) -> None:
        from keepline_web.exports import making, menu  # noqa: F401
