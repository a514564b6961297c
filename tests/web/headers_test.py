"""What every response says to the browser, and what no page holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from keepline.front import SiteError
from keepline_web.address import settings_of
from keepline_web.people.roles import Role
from web.cast import Cast
from web.conftest import ROOT
from web.visiting import browser, pages, text_of

EVENT = re.compile(r"<[^>]+\s(?:on[a-z]+|style)\s*=", re.I)
HOST = re.compile(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.I)
INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|javascript:|hx-on", re.I)
PASSWORD = "four-green-kettles-sing"


def policy(header: str) -> dict[str, list[str]]:
    parts = (part.split() for part in header.split(";") if part.strip())
    return {words[0]: words[1:] for words in parts}


@pytest.mark.parametrize(
    "path", ["/sign-in", "/today", "/nowhere", "/healthz", "/static/keepline/keepline.css", "/inbox"]
)
def test_every_response_carries_the_policies_of_the_house(path: str, cast: Cast) -> None:
    said = browser(cast.owner).get(path)
    rules = policy(said["Content-Security-Policy"])
    assert rules["default-src"] == rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & {word for words in rules.values() for word in words}
    assert all("http" not in word for words in rules.values() for word in words)
    assert (said["X-Content-Type-Options"], said["X-Frame-Options"]) == ("nosniff", "DENY")
    assert said["Referrer-Policy"] == said["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in said["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in said


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_no_page_is_kept_and_every_page_names_its_signs(method: str, cast: Cast) -> None:
    for path in ("/sign-in", "/today", "/nowhere", "/me", "/sign-out", f"/accounts/{cast.own.pk}"):
        said = browser(cast.owner).generic(method, path)
        assert said["Cache-Control"] == "no-store", path
        assert not said.content or said["Content-Type"] == "text/html; charset=utf-8", path


def test_the_script_and_the_sheet_may_be_kept_and_say_what_they_are(db: None) -> None:  # noqa: ARG001
    for name, kind in (("keepline/keepline.css", "text/css"), ("keepline/keepline.js", "text/javascript")):
        said = Client().get(f"/static/{name}")
        assert said.status_code == 200
        assert said["Content-Type"].startswith(kind)
        assert "no-store" not in said["Cache-Control"]


def test_folders_of_static_files_are_not_listed(db: None) -> None:  # noqa: ARG001
    for path in (
        "/static/",
        "/static/keepline/",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/.git/config",
    ):
        assert Client().get(path).status_code == 404, path


@pytest.mark.parametrize("role", Role.values)
def test_no_page_names_another_host_or_holds_a_style_a_script_or_an_event(role: str, cast: Cast) -> None:
    client = browser(cast.of_role(role))
    for path in pages(role, cast):
        text = text_of(client.get(path))
        for pattern in (EVENT, HOST, INLINE):
            found = pattern.search(text)
            assert found is None, (path, found and found.group())


def test_the_page_that_draws_the_second_factor_needs_no_style_either(cast: Cast) -> None:
    person = cast.people["marketer"]
    person.set_password(PASSWORD)
    person.save()
    person.totpdevice_set.all().delete()
    client = Client()
    client.post("/sign-in", {"username": person.username, "password": PASSWORD})
    text = client.get("/second-factor").content.decode()
    assert "<svg" in text
    assert "otpauth://" in text
    assert not EVENT.search(text)
    assert not INLINE.search(text)


def test_scripts_and_styles_of_ours_ask_no_other_host_and_make_no_code_from_text() -> None:
    folder = Path(__file__).parents[2] / "src/keepline_web/frame/static/keepline"
    for file in [*folder.glob("*.js"), *folder.glob("*.css")]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not HOST.search(text), file
        assert not re.search(r"@import|\beval\(|new Function|innerHTML|document\.write", text), file


def test_the_second_click_on_leaving_finds_nothing_in_the_browser(cast: Cast) -> None:
    client = browser(cast.owner)
    said = client.post("/sign-out")
    assert {"cache", "storage"} <= set(re.findall(r'"(\w+)"', said["Clear-Site-Data"]))
    assert client.get("/today").status_code == 302


def test_trace_and_methods_nobody_offered_are_refused(cast: Cast) -> None:
    for method in ("TRACE", "OPTIONS", "CONNECT", "PROPFIND"):
        assert browser(cast.owner).generic(method, "/today").status_code == 405, method


def test_the_way_to_a_database_elsewhere_is_protected_as_its_address_says() -> None:
    said = settings_of("postgresql://u:p@db.example/k?sslmode=verify-full&sslrootcert=/etc/ca.pem")["OPTIONS"]
    assert said == {"application_name": "keepline", "sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


@pytest.mark.parametrize("where", [
    "u:p@db.example/k", "u:p@10.0.0.7:5432/k?sslmode=prefer", "u:p@/k?host=db.example", "u:p@localhost,db.example/k",
    "u:p@localhost/k?hostaddr=10.0.0.7", "u:p@db.example/k?sslmode=disable", "u:p@db.example/k?sslmode=allow",
])  # fmt: skip
def test_a_database_elsewhere_without_tls_is_refused_in_words(where: str) -> None:
    with pytest.raises(SiteError) as refused:
        settings_of(f"postgresql://{where}")
    assert "sslmode=verify-full" in refused.value.zh
    assert "without TLS" in str(refused.value)
    assert "u:p" not in str(refused.value)


@pytest.mark.parametrize("where", [
    "u:p@/k?host=/run/pg", "u:p@localhost/k", "u:p@127.0.0.1:5433/k", "u:p@[::1]/k", "/k",
    "u:p@db.example/k?sslmode=require", "u:p@db.example/k?sslmode=verify-ca",
])  # fmt: skip
def test_a_database_of_this_machine_or_behind_tls_is_taken(where: str) -> None:
    assert settings_of(f"postgresql://{where}")["NAME"] == "k"


def test_somebody_may_answer_for_a_network_that_is_protected_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPLINE_DATABASE_PLAIN", "1")
    assert settings_of("postgresql://u:p@db.example/k")["HOST"] == "db.example"


# behind a proxy that speaks TLS, in a process of its own because settings are read once

VISIT = """
import json, sys, django
django.setup()
from django.conf import settings
from django.test import Client
client = Client(headers={"host": "crm.example.org", "x-forwarded-proto": "https",
                         "x-forwarded-for": "9.9.9.9, 10.1.2.3"})
first = client.get("/sign-in")
inside = client.post("/sign-in", {"username": sys.argv[1], "password": sys.argv[2]})
told = client.post("/preferences", {"language": "en", "theme": "dark"})
from keepline_web.people.models import Session
cookies = {name: [bool(c["secure"]), bool(c["httponly"]), c["samesite"], c["path"], c["domain"]]
           for answer in (first, inside, told) for name, c in answer.cookies.items()}
print(json.dumps({"status": [first.status_code, inside.status_code], "headers": dict(first.headers), "cookies": cookies,
                  "address": str(Session.objects.get().address)}))
"""


def outside(database: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Django as it runs behind a proxy for people of another machine."""
    here = os.environ | {"KEEPLINE_SITE": str(ROOT), "KEEPLINE_URL": "https://crm.example.org",
                         "DJANGO_SETTINGS_MODULE": "keepline_web.settings",
                         "KEEPLINE_DATABASE_URL": database}  # fmt: skip
    return subprocess.run([sys.executable, *words], env=here, capture_output=True, text=True, timeout=120, check=False)


def test_the_framework_finds_nothing_to_warn_of_in_production() -> None:
    done = outside("postgresql:///none", "-m", "django", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_behind_tls_every_cookie_is_of_this_host_alone_and_the_browser_is_told_to_stay(committed: str) -> None:
    person = Cast.found().people["marketer"]
    person.set_password(PASSWORD)
    person.save()
    done = outside(committed, "-c", VISIT, person.username, PASSWORD)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == [200, 302]
    assert said["headers"]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert set(said["cookies"]) == {"__Host-session", "__Host-csrf", "__Host-language", "__Host-theme"}
    for name, (secure, httponly, samesite, path, domain) in said["cookies"].items():
        assert (secure, httponly, path, domain) == (True, True, "/", ""), name
        assert samesite in ("Lax", "Strict"), name
    assert said["address"] == "10.1.2.3"  # what the proxy says last, not what the caller wrote before it
