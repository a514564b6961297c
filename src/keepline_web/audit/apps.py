"""Names this room for Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "keepline_web.audit"
    label = "audit"
