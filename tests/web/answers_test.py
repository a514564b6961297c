"""What the models answer is on the customer's page and in the API, in both languages, and tells of nobody else."""

from __future__ import annotations

import html
import re

import pytest

from core.small_publication import MONTH
from keepline_web.customers.models import Account, Standing
from web.calling import Program
from web.cast import Cast
from web.published import Published, Rows
from web.visiting import browser


def page(account: Account, cast: Cast, language: str = "zh") -> str:
    cast.owner.language = language
    cast.owner.save(update_fields=["language"])
    return html.unescape(browser(cast.owner).get(f"/accounts/{account.pk}").content.decode())


def with_all(cast: Cast) -> Standing:
    """A standing of the owner's that has every answer."""
    rows = Standing.objects.filter(account__assignments__person=cast.owner, month=MONTH)
    found = rows.exclude(staying=None).exclude(price=None).exclude(circle=None).order_by("account_id").first()
    assert found is not None
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_says_how_long_how_price_matters_and_which_part_in_a_circle(language: str, cast: Cast) -> None:
    one = with_all(cast)
    text = page(one.account, cast, language)
    for said in (one.staying, one.price, one.price["basis"], one.circle):
        assert said[language] in text
    drawn = re.search(r'<svg class="bars".*?</svg>', text, re.S)
    assert drawn is not None
    assert drawn.group().count("<rect") == len(one.staying["points"]) == 5
    for point in one.staying["points"]:
        assert f">{point['share']:.0%}</text>" in drawn.group()


def test_where_nothing_is_known_the_page_is_silent(cast: Cast) -> None:
    Standing.objects.filter(account=cast.own).update(staying=None, price=None, circle=None)
    text = page(cast.own, cast)
    assert not [word for word in ("会留多久", "价格敏感度", "交往圈") if word in text]
    assert Program(cast.owner).get(f"accounts/{cast.own.pk}").json()["standing"]["circle"] is None


def test_a_program_is_told_what_the_page_says(cast: Cast) -> None:
    one = with_all(cast)
    said = Program(cast.owner).get(f"accounts/{one.account_id}").json()["standing"]
    assert said["staying"]["words"]["en"] == one.staying["en"]
    assert said["staying"]["points"] == one.staying["points"]
    assert said["price"]["strength"] in ("strong", "middling", "weak", "unsure")
    assert said["price"]["low"] <= said["price"]["elasticity"] <= said["price"]["high"]
    assert set(said["circle"]) == {"words", "size_min", "leader", "gatekeeper"}


def test_nothing_of_the_others_in_a_circle_reaches_a_page(published: Published, cast: Cast) -> None:
    def others_change(rows: Rows) -> None:
        for name in (
            "circle",
            "circle_callers",
            "circle_left_3m",
            "rank_in_circle",
            "ties",
            "influence",
            "brought_12m",
        ):
            rows[name] = [None if value is None else value + 1 for value in rows[name]]
        rows["circle_size"] = [size and size + (2 if size > 50 else -1) for size in rows["circle_size"]]
        rows["leader_left_3m"] = [None if value is None else not value for value in rows["leader_left_3m"]]

    before = with_all(cast)
    published.turn("circles", others_change)
    published.bring_in()
    after = Standing.objects.get(account=before.account_id, month=MONTH)
    names = [field.attname for field in Standing._meta.concrete_fields if field.name != "id"]
    assert [name for name in names if getattr(after, name) != getattr(before, name)] == []
