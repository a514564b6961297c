"""Tokens for programs: shown once, kept as a keyed hash, ended by time, by their owner or with the person's post."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from keepline_web import keys
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person, Token
from keepline_web.people.scopes import scopes_of

PREFIX = "kpl_"  # by which a token is recognised where it lies by mistake
SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")  # 256 random bits
SHOWN = 8  # first signs by which an owner tells tokens apart
DAYS, DAYS_AT_MOST = 30, 90
SHORT_DAYS = 1  # for acts before which a page asks for the second factor again
AT_MOST = 10  # alive at once, of one person
NAME_MAX = 60
EVERY = dt.timedelta(minutes=1)  # how often it is noted that a token was used


@transaction.atomic
def make_token(*, by: Person, name: str, scopes: Iterable[str], days: int, proved: bool) -> tuple[Token, str]:
    """A token of one's own and its secret, which is told once; ``proved`` is whether the second factor was."""
    name, wanted = name.replace("\0", "").strip()[:NAME_MAX], sorted(set(scopes))
    _check(by, name, wanted, days)
    Person.objects.select_for_update().get(pk=by.pk)  # two at once count one after the other
    if alive(by).count() >= AT_MOST:
        raise Refused(
            f"您已有 {AT_MOST} 个有效令牌，达到上限；请先停用不再使用的。",
            f"You have {AT_MOST} tokens, which is the limit; end one that is no longer used.",
            code="token_limit",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        person=by, name=name, scopes=wanted, start=secret[:SHOWN], digest=digest_of(secret), proved=proved,
        made_at=clock.now(), expires_at=clock.now() + dt.timedelta(days=days),
    )  # fmt: skip
    detail = {"token": token.pk, "name": name, "scopes": wanted, "days": days}
    write(Stream.SIGN_IN, act="token_made", by=by, object=f"person:{by.pk}", detail=detail)
    return token, secret


def _check(by: Person, name: str, scopes: list[str], days: int) -> None:
    if not name:
        raise Refused(
            "请给令牌起个名字，写明用在哪里。", "Give the token a name that says where it is used.",
            code="token_name", status=422,
        )  # fmt: skip
    if not scopes or not set(scopes) <= set(scopes_of(by)):
        raise Refused(
            "请至少选择一项权限，且只能选择岗位允许的权限。",
            "Choose one scope at least, of those your post allows.",
            code="token_scopes",
            status=422,
        )
    if not 1 <= days <= DAYS_AT_MOST:
        raise Refused(
            f"有效期为 1 至 {DAYS_AT_MOST} 天。", f"A token lives for 1 to {DAYS_AT_MOST} days.",
            code="token_days", status=422,
        )  # fmt: skip


def digest_of(secret: str) -> str:
    """What is kept of a token: its hash under a key of the site."""
    return hmac.digest(keys.key(settings.SITE.root, "token"), secret.encode(), hashlib.sha256).hex()


def alive(person: Person) -> QuerySet[Token]:
    """One's tokens that are neither ended nor expired."""
    return Token.objects.filter(person=person, ended_at__isnull=True, expires_at__gt=clock.now()).order_by("-pk")


@transaction.atomic
def end_token(*, person: Person, token_id: int, by: Person) -> None:
    """End one token of ``person``: by its owner, or by an administrator."""
    token = alive(person).select_for_update().filter(pk=token_id).first()
    if token is None:
        raise Http404
    _end(Token.objects.filter(pk=token.pk))
    detail = {"token": token.pk, "name": token.name}
    write(Stream.SIGN_IN, act="token_ended", by=by, object=f"person:{person.pk}", detail=detail)


def end_tokens(*, person: Person, by: Person, why: str) -> None:
    """End all of a person's tokens, within the act that ends their rights."""
    ended = list(alive(person).values_list("pk", flat=True))
    if ended:
        _end(Token.objects.filter(pk__in=ended))
        detail = {"tokens": ended, "why": why}
        write(Stream.SIGN_IN, act="tokens_ended", by=by, object=f"person:{person.pk}", detail=detail)


def _end(tokens: QuerySet[Token]) -> None:
    tokens.update(ended_at=clock.now())


def known(secret: str) -> Token | None:
    """The token of a secret, dead or alive; nothing for one that was never made."""
    if not SECRET.fullmatch(secret):
        return None
    return Token.objects.select_related("person__unit").filter(digest=digest_of(secret)).first()


def why_dead(token: Token) -> str:
    """Why a token is no longer taken; nothing when it is."""
    person = token.person
    if token.ended_at is not None:
        return "ended"
    if token.expires_at <= clock.now():
        return "expired"
    if not person.is_active:
        return "disabled"
    if person.must_change_password:
        return "password"
    return "" if token.proved else "second_factor"


def is_short(token: Token) -> bool:
    """Whether it was made for so short a time that the second factor was proved lately enough for every act."""
    return (token.expires_at - token.made_at).days <= SHORT_DAYS


def note_use(token: Token, address: str | None) -> None:
    """When and from where it was used last, to the minute."""
    moment = clock.now()
    fresh = Q(used_at__gt=moment - EVERY, used_from=address)
    Token.objects.filter(pk=token.pk).exclude(fresh).update(used_at=moment, used_from=address)
