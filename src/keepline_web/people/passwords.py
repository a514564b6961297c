"""The words of the house that no password may hold: the product's, the operator's, and one's own names."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from keepline_web.frame.words import Text

PRODUCT = "keepline"
LEAST = 3  # signs; a shorter word would refuse passwords by chance


class NoWordsOfTheHouse:
    """Whoever guesses tries these first."""

    def validate(self, password: str, user: Any = None) -> None:
        said = password.casefold()
        known = {PRODUCT, settings.SITE.settings.name, getattr(user, "username", ""), getattr(user, "name", "")}
        if any(len(word) >= LEAST and word.casefold() in said for word in known):
            raise ValidationError(self.get_help_text(), code="word_of_the_house")

    def get_help_text(self) -> str:
        return str(
            Text(
                "密码不能包含用户名、姓名、产品名或运营商名称。",
                "The password must not hold the user name, your name, the product's or the operator's.",
            )
        )
