"""Units of the organisation, the people in them, their second factors, where each is signed in, and their tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django_otp.plugins.otp_totp.models import TOTPDevice

from keepline_web.people import second_factor
from keepline_web.people.roles import RIGHTS, Act, Rights, Role


class Unit(models.Model):
    """A place in the tree: group, province, city, district, team. ``path`` names all above it, itself last."""

    class Kind(models.TextChoices):
        GROUP = "group"
        PROVINCE = "province"
        CITY = "city"
        DISTRICT = "district"
        TEAM = "team"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=80)
    above = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="below")
    path = models.CharField(max_length=120, unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["above", "name"], name="unit_named_once", nulls_distinct=False)]
        indexes = [models.Index(fields=["path"], name="unit_path", opclasses=["text_pattern_ops"])]
        ordering = ["path"]

    def __str__(self) -> str:
        return self.name


class Logins(BaseUserManager["Person"]):
    """How people are made and found at sign-in."""

    def create_user(self, username: str, password: str | None = None, **values: Any) -> Person:
        person: Person = self.model(username=username, **values)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """Someone who signs in. ``manager_id`` is the operator's own code of an account manager."""

    username = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=20, choices=Role)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="people")
    manager_id = models.CharField(max_length=40, unique=True, null=True)
    authority_fen = models.BigIntegerField(null=True)
    language = models.CharField(max_length=2, default="zh")
    theme = models.CharField(max_length=5, default="auto")
    rise = models.CharField(
        max_length=5, default="red"
    )  # the colour of what grew; red is the custom of Chinese finance
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    first_password_until = models.DateTimeField(null=True)

    objects: ClassVar[Logins] = Logins()
    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.name

    @property
    def rights(self) -> Rights:
        return RIGHTS[self.role]

    def may(self, act: str) -> bool:
        """Whether the person's role does such things at all; whose customers is another question."""
        return self.is_active and Act(act) in self.rights.acts


class SecondFactor(TOTPDevice):
    """What proves a person besides the password; its seed never reaches the database in the clear."""

    class Meta:
        proxy = True

    @property
    def bin_key(self) -> bytes:
        return second_factor.unseal(self.key, person_id=self.user_id)

    def save(self, *args: Any, **values: Any) -> None:
        if not second_factor.is_sealed(self.key):
            self.key = second_factor.seal(bytes.fromhex(self.key), person_id=self.user_id)
        super().save(*args, **values)


class Session(AbstractBaseSession):
    """A browser that is signed in: whose, since when, last seen when and from where."""

    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="sessions")
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField(auto_now=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)

    @classmethod
    def get_session_store_class(cls) -> Any:
        from keepline_web.people.sessions import SessionStore

        return SessionStore


class Token(models.Model):
    """What a program of a person's proves itself by; ``digest`` is a keyed hash, the secret itself is kept nowhere."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=60)
    scopes = models.JSONField()
    start = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    proved = models.BooleanField()  # by the second factor, when it was made
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_from = models.GenericIPAddressField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="token_person")]
