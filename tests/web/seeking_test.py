"""What is searched for stands in no address, and the list that is opened by it is the same."""

from __future__ import annotations

import re
import uuid
from urllib.parse import unquote

import pytest
from django.http import QueryDict

from keepline_web.customers import sealed
from keepline_web.exports.models import Export
from keepline_web.frame import sought
from keepline_web.frame.refusals import Refused
from keepline_web.people.roles import Role
from web.cast import Cast
from web.visiting import browser, pages, text_of

FORM = re.compile(r"<form[^>]*>.*?</form>", re.S)


def test_a_search_by_number_or_name_leads_to_an_address_without_it(cast: Cast) -> None:
    client = browser(cast.owner)
    phone = sealed.unseal(cast.own.phone_sealed, customer_id=cast.own.pk)
    name = sealed.unseal(cast.own.name_sealed, customer_id=cast.own.pk)
    for text in (phone, name, sealed.grouped(phone)):
        where = client.post("/seek", {"q": text, "risk": "", "sort": "risk", "plan": ""})["Location"]
        assert where.startswith("/accounts?")
        assert "sort=risk" in where
        assert "risk=" not in where.replace("sort=risk", "")
        assert text not in unquote(where)
        found = client.get(where)
        plain = client.get("/accounts", {"q": text, "sort": "risk"})
        assert found.context["asked"] == plain.context["asked"]
        assert [row.pk for row, _ in found.context["rows"]] == [row.pk for row, _ in plain.context["rows"]]
        links = re.findall(r'(?:href|action)="([^"]*)"', text_of(found))
        assert not any(text in unquote(unquote(link)) for link in links)


def test_an_auditor_and_an_administrator_search_the_same_way(cast: Cast) -> None:
    for role, place, name in (("auditor", "audit", "customer"), ("auditor", "audit", "q"), ("admin", "people", "q")):
        client = browser(cast.people[role])
        where = client.post("/seek", {"place": place, name: "N00000007"})["Location"]
        assert where.startswith(f"/{place}?sought-{name}=")
        page = client.get(where)
        assert page.status_code == 200
        assert 'value="N00000007"' in text_of(page)


def test_another_place_is_not_led_to(cast: Cast) -> None:
    client = browser(cast.owner)
    for place in ("//evil.example", "home", "https://evil.example", "../audit"):
        assert client.post("/seek", {"q": "x", "place": place}).status_code == 404
    assert client.get(client.post("/seek", {"q": "x", "place": "audit"})["Location"]).status_code == 404


@pytest.mark.parametrize("role", Role.values)
def test_no_form_of_any_page_puts_what_is_typed_into_an_address(role: str, cast: Cast) -> None:
    client = browser(cast.of_role(role))
    for path in pages(role, cast):
        for form in FORM.findall(text_of(client.get(path))):
            if 'method="post"' not in form.lower():
                assert not re.search(r'type="(search|text|tel)"|<textarea', form), (path, form[:200])


def test_what_was_sealed_is_read_for_half_a_day_and_what_was_touched_never(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1_000_000_000.0]
    monkeypatch.setattr("keepline_web.frame.sought.time.time", lambda: moment[0])
    said = sought.conceal("  欧阳试3 ")
    assert sought.reveal(said) == "欧阳试3"
    assert said != sought.conceal("欧阳试3")
    assert sought.reveal(said[:-2] + ("AA" if said[-2:] != "AA" else "BB")) == ""
    for odd in ("", "x", "é", "=", "A" * 5000, said + "A", "../..", "\0"):
        assert sought.reveal(odd) in ("", "欧阳试3" if odd == said else "")
    moment[0] += sought.GOOD_SECONDS
    assert sought.reveal(said) == "欧阳试3"
    moment[0] += 1
    assert sought.reveal(said) == ""


def test_a_field_as_an_old_bookmark_wrote_it_is_still_read() -> None:
    assert sought.text_of(QueryDict("q=%E6%AC%A7%E9%98%B3"), "q") == "欧阳"
    with pytest.raises(Refused) as refused:
        sought.text_of(QueryDict("q=a&sought-q=nonsense"), "q")
    assert refused.value.code == "search_over"


def test_a_search_that_is_over_is_no_list_of_everybody_and_no_export_of_it(cast: Cast) -> None:
    client, over = browser(cast.owner), "sought-q=" + "A" * 60
    assert client.get(f"/accounts?{over}").status_code == 422
    sent = {"reason": "本周上门拜访", "key": str(uuid.uuid4()), "filters": over}
    assert client.post("/exports", sent).status_code == 422
    assert not Export.objects.exists()
    assert client.get(f"/accounts/{cast.own.pk}?from={over}").status_code == 200
