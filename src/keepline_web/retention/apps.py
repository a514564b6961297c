"""Names this room for Django."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "keepline_web.retention"
    label = "retention"

    def ready(self) -> None:
        from keepline_web.retention import chores  # noqa: F401
