"""No page, file, answer or error holds a name or number in full, and nobody finds out whose a pseudonym is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse

from keepline.front import open_site
from keepline.newsite import make_site
from keepline_web.customers import sealed
from keepline_web.customers.models import Account
from keepline_web.people.roles import RIGHTS, Act, Role
from web.api_matrix_test import ADDRESSES, addressed
from web.api_matrix_test import ROWS as OPERATIONS
from web.calling import Program, filled
from web.cast import Cast
from web.exported import asked_by, lines, made
from web.matrix_test import ROWS, places
from web.visiting import browser, pages, text_of


def in_full() -> re.Pattern[str]:
    """Every person's name, and every telephone and number, of the cast's customers; grouped too."""
    known: set[str] = set()
    for account in Account.objects.all():
        at = account.pk
        phone = sealed.unseal(account.phone_sealed, customer_id=at) or ""
        name = sealed.unseal(account.name_sealed, customer_id=at) if account.kind != "organisation" else ""
        known |= {name or "", phone, sealed.grouped(phone), sealed.unseal(account.number_sealed, customer_id=at) or ""}
    assert len(known) > 30
    return re.compile("|".join(sorted(map(re.escape, filter(None, known)))))


def answers(role: str, cast: Cast) -> Iterator[tuple[str, HttpResponseBase]]:
    """Every page a role may read, every file it may fetch, every answer of the API to it, and how it is refused."""
    client = browser(cast.of_role(role))
    for path in pages(role, cast):
        yield path, client.get(path)
    if role in ROWS["export_file"][1].split():
        _, args = next(places("file", cast))
        yield "file", client.post(reverse("export_file", args=args))
    program = Program(cast.of_role(role))
    for name, (roles, _, kind, _) in OPERATIONS.items():
        method, path = ADDRESSES[name]
        if method == "GET" and role in roles.split():
            _, args = next(addressed(kind, cast))
            yield name, program("GET", filled(path, args))
    at = cast.own.pk
    yield "no such page", client.get(f"/accounts/{at}/nothing")
    yield "wrong method", client.delete(f"/accounts/{at}")
    yield "refused", client.post(f"/accounts/{at}/unmask", {"reason": ""})
    yield "not read", client.get(f"/accounts/{at}?from=%00")


@pytest.mark.parametrize("role", Role.values)
def test_nothing_a_role_is_answered_holds_a_name_or_number_in_full(role: str, cast: Cast) -> None:
    known, seen = in_full(), 0
    for what, answer in answers(role, cast):
        found = known.search(text_of(answer))
        assert found is None, (role, what, found and found.group())
        seen += answer.status_code == 200
    assert seen >= 3


def test_what_is_looked_for_would_be_found(cast: Cast) -> None:
    said = browser(cast.owner).post(f"/accounts/{cast.own.pk}/unmask", {"reason": "客户要求回电"})
    assert len(set(in_full().findall(text_of(said)))) >= 2


# whose a pseudonym is


def guesses(cast: Cast) -> Iterator[str]:  # noqa: ARG001
    """What whoever knows every telephone and number of the town would try: each hash, unkeyed or with a poor key."""
    kinds = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
    for account in Account.objects.all():
        for known in (account.phone_sealed, account.number_sealed, account.name_sealed):
            text = (sealed.unseal(known, customer_id=account.pk) or "").encode()
            for kind in kinds:
                for raw in (hashlib.new(kind, text).digest(), *(
                    hmac.digest(key, text, kind) for key in (b"", b"keepline", b"secret", b"\0" * 32)
                )):  # fmt: skip
                    yield raw.hex()
                    yield base64.b64encode(raw).decode()
                    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
                    for order in ("big", "little"):
                        number = int.from_bytes(raw[:8], order)  # type: ignore[arg-type]
                        yield from (str(number), str(number >> 1), str(number >> 2), str(number & (2**62 - 1)))


def test_who_knows_every_number_finds_none_in_what_an_analyst_takes_out(cast: Cast) -> None:
    export = asked_by(cast.people["analyst"])
    made(export)
    cells = {cell for row in lines(export) for cell in row}
    kept = set(Account.objects.exclude(phone_index="").values_list("phone_index", flat=True))
    assert cells
    assert kept
    tried = set(guesses(cast))
    assert len(tried) > 10_000
    assert not tried & (cells | kept | {str(pk) for pk in Account.objects.values_list("pk", flat=True)})


def test_two_operators_have_two_pseudonyms_for_one_number(tmp_path: Path) -> None:
    make_site(tmp_path / "other", name="远山通信")
    here, there = settings.SITE, open_site(tmp_path / "other")
    assert here.pseudonym("N00000001") == here.pseudonym("N00000001") != there.pseudonym("N00000001")


def test_an_analyst_finds_nobody_by_what_they_know_of_them(cast: Cast) -> None:
    client = browser(cast.people["analyst"])
    name = sealed.unseal(cast.own.name_sealed, customer_id=cast.own.pk)
    phone = sealed.unseal(cast.own.phone_sealed, customer_id=cast.own.pk)
    for text in (name, phone, sealed.grouped(phone), str(uuid.uuid4())):
        assert client.get("/accounts", {"q": text}).context["page"].paginator.count == 0


def test_only_a_role_that_sees_persons_may_see_one_in_full() -> None:
    assert {role for role, rights in RIGHTS.items() if Act.UNMASK in rights.acts} == {"account_manager", "team_lead"}


def test_a_line_of_the_log_that_names_somebody_would_be_heard(nothing_personal_in_the_log: Any) -> None:
    heard = nothing_personal_in_the_log
    lines, found = heard.lines, list(heard.personal)
    logging.getLogger("keepline").error("customer %s rang", "欧阳试7")
    assert heard.lines == lines + 1
    assert heard.personal[len(found) :] == ["keepline: customer 欧阳试7 rang"]
    heard.personal[:] = found
