"""Names this room for Django."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "keepline_web.customers"
    label = "customers"

    def ready(self) -> None:
        from keepline_web.customers import menu  # noqa: F401
        from keepline_web.customers.actions import end_covers
        from keepline_web.people.leaving import at_leaving

        at_leaving(end_covers)
