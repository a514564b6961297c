"""The second factor: set up once, asked of everyone, taken once, and asked again before what matters."""

from __future__ import annotations

import time

import pytest
from cryptography.exceptions import InvalidTag
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from keepline_web.people import second_factor
from keepline_web.people.access import LATELY_SECONDS
from keepline_web.people.actions import reset
from keepline_web.people.models import Person, SecondFactor
from keepline_web.people.sessions import PROVED
from web.cast import Cast
from web.races import at_once
from web.signing import NEW, SECRET, acts, code_of, inside, sign_in, with_password
from web.visiting import browser


@pytest.fixture
def marketer(cast: Cast) -> Person:
    """One who sees no person, only figures."""
    return with_password(cast.people["marketer"])


@pytest.fixture
def manager(cast: Cast) -> Person:
    """One who sees persons."""
    return with_password(cast.owner)


def test_a_code_is_taken_once(manager: Person) -> None:
    code = code_of(manager)
    first, second = sign_in(manager), sign_in(manager)
    assert first.post("/second-factor", {"code": code}).status_code == 302
    assert second.post("/second-factor", {"code": code}).status_code == 422
    assert inside(first)
    assert not inside(second)


def test_of_two_who_send_one_code_at_once_one_comes_in(committed: str) -> None:  # noqa: ARG001
    person = with_password(Cast.found().owner)
    clients = [sign_in(person) for _ in range(4)]
    code = code_of(person)
    answers = at_once([lambda c=client: c.post("/second-factor", {"code": code}).status_code for client in clients])
    assert sorted(answers) == [302, 422, 422, 422]


def test_wrong_codes_are_slowed_down_so_that_six_digits_are_enough(manager: Person) -> None:
    client = sign_in(manager)
    right = code_of(manager)
    for _ in range(3):
        assert client.post("/second-factor", {"code": "000000" if right != "000000" else "000001"}).status_code == 422
    assert client.post("/second-factor", {"code": right}).status_code == 422  # for some seconds even the right one
    assert acts().count("second_factor_refused") == 4


def test_a_code_holds_for_its_half_minute(manager: Person) -> None:
    device = SecondFactor.objects.get(user=manager)
    old = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    old.time = time.time() - 90
    assert device.step == 30
    assert sign_in(manager).post("/second-factor", {"code": f"{old.token():06d}"}).status_code == 422


def test_the_seed_is_twenty_random_bytes_of_ones_own(cast: Cast) -> None:  # noqa: ARG001
    seeds = [device.bin_key for device in SecondFactor.objects.all()]
    assert {len(seed) for seed in seeds} == {20}
    assert len(set(seeds)) == len(seeds)


def test_a_seed_is_sealed_at_rest_for_its_person_alone(cast: Cast) -> None:
    lying = dict(TOTPDevice.objects.values_list("user", "key"))
    assert {second_factor.is_sealed(key) for key in lying.values()} == {True}
    device = SecondFactor.objects.get(user=cast.owner)
    assert device.bin_key.hex() not in lying[cast.owner.pk]
    TOTPDevice.objects.filter(user=cast.owner).update(key=lying[cast.colleague.pk])
    with pytest.raises(InvalidTag):
        SecondFactor.objects.get(user=cast.owner).bin_key  # noqa: B018


def test_a_seed_written_in_the_clear_behind_our_back_proves_nobody(manager: Person) -> None:
    SecondFactor.objects.filter(user=manager).update(key="00" * 20)
    said = sign_in(manager).post("/second-factor", {"code": "328482"})
    assert said.status_code == 500
    assert not SecondFactor.objects.get(user=manager).last_used_at


def test_a_seed_counts_the_same_after_it_was_used_and_saved(manager: Person) -> None:
    before = SecondFactor.objects.get(user=manager)
    assert sign_in(manager).post("/second-factor", {"code": code_of(manager)}).status_code == 302
    after = SecondFactor.objects.get(user=manager)
    assert (after.bin_key, after.key) == (before.bin_key, before.key)
    assert after.last_t > before.last_t


def test_a_password_alone_opens_nothing_where_a_second_factor_is_due(manager: Person, cast: Cast) -> None:
    client = sign_in(manager)
    closed = ("/today", f"/accounts/{cast.own.pk}", "/me", "/accounts?q=1")
    assert {client.get(path)["Location"] for path in closed} == {"/second-factor"}
    assert client.post(f"/accounts/{cast.own.pk}/unmask", {"reason": "客户要求"}).status_code == 403


def test_who_has_set_it_up_is_not_shown_the_seed_again(manager: Person) -> None:
    text = sign_in(manager).get("/second-factor").content.decode()
    assert "otpauth" not in text
    assert '<svg class="segno' not in text


def test_first_use_sets_it_up_and_a_wrong_code_does_not(marketer: Person) -> None:
    SecondFactor.objects.filter(user=marketer).delete()
    client = sign_in(marketer)
    device = SecondFactor.objects.get(user=marketer)
    assert not device.confirmed
    client.post("/second-factor", {"code": "abcdef"})
    assert not SecondFactor.objects.get(user=marketer).confirmed
    SecondFactor.objects.filter(user=marketer).update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert client.post("/second-factor", {"code": code_of(marketer)}).status_code == 302
    assert SecondFactor.objects.get(user=marketer).confirmed


def test_whoever_loses_the_device_gets_a_new_password_with_the_new_factor(cast: Cast) -> None:
    password = reset(person=cast.owner, by=cast.people["admin"])
    assert not SecondFactor.objects.filter(user=cast.owner).exists()
    client = sign_in(cast.owner, password)
    assert "otpauth" in client.get("/second-factor").content.decode()


def long_ago(client: Client) -> Client:
    """The same browser, a quarter of an hour and a little after its last code."""
    session = client.session
    session[PROVED] = time.time() - LATELY_SECONDS - 5
    session.save()
    return client


def test_the_code_is_asked_again_before_sessions_end_or_the_password_changes(marketer: Person) -> None:
    here, there = long_ago(browser(marketer)), browser(marketer)
    assert inside(here)  # reading goes on
    for path, sent in (
        (f"/me/sessions/{there.session.session_key[-12:]}", {}),
        ("/me", {"present": SECRET, "password": NEW}),
    ):
        said = here.post(path, sent, headers={"referer": "http://testserver/me"})
        assert (said.status_code, said["Location"]) == (302, "/second-factor?next=%2Fme")
    assert inside(there)
    marketer.refresh_from_db()
    assert marketer.check_password(SECRET)
    text = here.get("/second-factor?next=/me").content.decode()
    assert "须再次验证" in text
    said = here.post("/second-factor", {"code": code_of(marketer), "next": "/me"})
    assert (said.status_code, said["Location"]) == (302, "/me")
    assert here.post("/me", {"present": SECRET, "password": NEW})["Location"] == "/me"
    assert not inside(there)


def test_a_code_of_a_quarter_of_an_hour_is_enough(marketer: Person) -> None:
    here, there = browser(marketer), browser(marketer)
    session = here.session
    session[PROVED] = time.time() - LATELY_SECONDS + 30
    session.save()
    assert here.get("/second-factor?next=/month")["Location"] == "/month"
    here.post(f"/me/sessions/{there.session.session_key[-12:]}")
    assert not inside(there)


def test_after_the_second_code_nobody_is_sent_to_another_place(marketer: Person) -> None:
    here = long_ago(browser(marketer))
    said = here.post("/me", {}, headers={"referer": "https://evil.example//evil.example"})
    assert here.get(said["Location"]).status_code == 200
    assert here.post("/second-factor", {"code": code_of(marketer), "next": "//evil.example"})["Location"] == "/"
