"""Signing in as the tests do it: by the page, with a password of the tests and the code of the moment."""

from __future__ import annotations

from django.test import Client
from django_otp.oath import TOTP

from keepline_web.audit.models import Entry
from keepline_web.people.models import Person, SecondFactor

SECRET, NEW = "four-green-kettles-sing", "nine-quiet-rivers-bend"


def with_password(person: Person) -> Person:
    person.set_password(SECRET)
    person.save()
    return person


def sign_in(
    person: Person | str, password: str = SECRET, *, client: Client | None = None, address: str = "10.0.0.1"
) -> Client:
    """The browser after the attempt; ``last`` is what it was told."""
    client = client or Client(raise_request_exception=False)
    name = person if isinstance(person, str) else person.username
    client.last = client.post("/sign-in", {"username": name, "password": password}, REMOTE_ADDR=address)  # type: ignore[attr-defined]
    return client


def inside(client: Client) -> bool:
    return client.get("/me").status_code == 200


def let_on(client: Client) -> bool:
    """Whether the password was taken, and the code is asked for."""
    return client.get("/me").get("Location") == "/second-factor"


def code_of(person: Person) -> str:
    device = SecondFactor.objects.get(user=person)
    return f"{TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift).token():06d}"


def acts(stream: str = "sign_in") -> list[str]:
    return list(Entry.objects.filter(stream=stream).order_by("number").values_list("act", flat=True))
