"""Names this room for Django."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "keepline_web.people"
    label = "people"

    def ready(self) -> None:
        from keepline_web.people import menu  # noqa: F401
