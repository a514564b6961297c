"""Names this room for Django."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "keepline_web.exchange"
    label = "exchange"

    def ready(self) -> None:
        from keepline_web.exchange import chores, menu  # noqa: F401
