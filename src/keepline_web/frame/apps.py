"""Names this room for Django."""

from django.apps import AppConfig


class FrameConfig(AppConfig):
    name = "keepline_web.frame"
    label = "frame"
