"""Small cells: nothing below ten is told to those who see aggregates alone, and totals do not give it away."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from core.small_manifest import figures_of, manifest
from keepline import engine as engines
from keepline_web.customers.models import PlanRow, Standing
from keepline_web.customers.queries import latest_month, visible_to
from keepline_web.exchange.models import Arrival
from keepline_web.exchange.month_pictures import Mine, drawn
from keepline_web.exchange.small_cells import guarded
from keepline_web.frame.small_counts import LEAST, SMALL
from keepline_web.people.roles import Role
from web.calling import Program
from web.cast import Cast
from web.conftest import ROOT
from web.published import Published
from web.visiting import browser


def of_models() -> dict[str, Any]:
    """What a manifest says beside plan and risk: one niche, the quotes, the calling graph, an input that moved."""
    niche = {"niche": 1, "place": 1, "trait_1": "own:frequent_place", "value_1": "hospital", "trait_2": None,
             "value_2": None, "customers": 205, "margin_fen": 1_351_327, "behaviour": "voice_in_3m_s",
             "difference": 1.3, "low": 1.1, "high": 1.5, "times": 2.7}  # fmt: skip
    return {
        "niches": {"too_few": False, "customers": 600, "groups": 40, "found": [niche]},
        "price": {"by_lot": 4000, "aimed": 700, "left_out": 0, "mean": -1.2},
        "circles": {"abstains": None, "circles": 2, "in_circles": 360, "base": 600, "leader_left": 0},
        "drift": {"inputs": {"checked": 55}, "warnings": [{"zh": "距上次触达变了", "en": "days since contact moved"}]},
    }


@pytest.fixture
def month(cast: Cast) -> dict[str, Any]:  # noqa: ARG001
    """The figures of the cast's own month, as the report counts them."""
    duck = engines.start("duckdb")
    made = figures_of(duck, ROOT / "published" / "2026-10", manifest(**of_models()))
    duck.close()
    Arrival.objects.update(figures=made)
    return made


def test_those_who_see_aggregates_alone_read_no_count_below_ten(month: dict[str, Any], cast: Cast) -> None:
    small = {row["customers"] for row in month["moves"]["flows"] if 0 < row["customers"] < LEAST}
    assert small, "the month has small cells to hide"
    told = guarded(month)
    for row in [*told["moves"]["flows"], *told["moves"]["classes"], *told["leaving"]["bands"]]:
        assert row["customers"] is None or row["customers"] >= LEAST
    assert not [f for f in told["findings"] if f["id"] == "moves"]
    raw = browser(cast.people[Role.MARKETER]).get("/month").content.decode()
    text = html.unescape(raw)
    assert "/accounts" not in re.sub(r'action="/accounts"|/accounts\?q=|href="/accounts"', "", text)
    drawings = [json.loads(html.unescape(said)) for said in re.findall(r'data-picture="([^"]*)"', raw)]
    moves = next(one for one in drawings if one["id"] == "moves")
    assert all(link["value"] >= LEAST for link in moves["data"]["links"])


def counts(said: Any) -> list[int]:
    """Every count of customers anywhere in an answer."""
    if isinstance(said, dict):
        own = [n for name, n in said.items() if name in ("customers", "mine", "count", "all_mine", "plan_mine")]
        return [n for n in own if isinstance(n, int)] + [n for one in said.values() for n in counts(one)]
    return [n for one in said for n in counts(one)] if isinstance(said, list) else []


@pytest.mark.parametrize("role", [Role.MARKETER, Role.CAMPAIGN_APPROVER])
def test_a_program_of_theirs_reads_none_either(month: dict[str, Any], role: str, cast: Cast) -> None:
    month["leaving"]["bands"][0]["customers"] = 3
    Arrival.objects.update(figures=month)
    read = Program(cast.people[role]).get("month").json()["figures"]
    assert max(counts(read)) >= LEAST
    assert not [n for n in counts(read) if 0 < n < LEAST]
    assert read["bands"][0]["said"] == SMALL
    assert not [row for row in read["findings"] if row["id"] in ("moves", "leaving")]
    seen = Program(cast.people[Role.PROVINCE_CHIEF]).get("month").json()["figures"]
    assert [n for n in counts(seen) if 0 < n < LEAST]


def test_a_band_that_is_too_small_says_so_and_takes_its_picture_with_it(month: dict[str, Any], cast: Cast) -> None:
    bands = month["leaving"]["bands"]
    bands[0]["customers"] = 3
    told = guarded(month)
    assert told["leaving"]["bands"][0]["said"] == SMALL
    assert [row["customers"] for row in told["leaving"]["bands"]].count(None) >= 2
    assert not [f for f in told["findings"] if f["id"] == "leaving"]
    assert "bands" not in drawn(told, Mine(cast.people[Role.MARKETER], "2026-10"))


def ways(text: str) -> set[tuple[str, str]]:
    """Every link to a list with a number of its own."""
    found = re.findall(r'<a[^>]*href="(/accounts\?[^"]*)"[^>]*>\s*\(?([^<]*)', text)
    said = {(html.unescape(to), re.search(r"[\d,]+", words)) for to, words in found}
    return {(to, number[0].replace(",", "")) for to, number in said if number}


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize("role", [Role.TEAM_LEAD, Role.PROVINCE_CHIEF])
def test_every_number_leads_to_a_list_of_that_length_within_the_readers_scope(cast: Cast, role: str) -> None:
    client = browser(cast.of_role(role))
    text = client.get("/month").content.decode().split("<main")[1]
    found = ways(re.sub(r'(?s)<figure class="chart">.*?</figure>', "", text))
    assert len(found) > 6
    for to, number in found:
        page = client.get(to)
        assert page.status_code == 200, to
        assert page.context["page"].paginator.count == int(number), to


def test_each_row_of_a_chart_counts_what_its_list_holds(month: dict[str, Any], cast: Cast) -> None:
    person = cast.people[Role.PROVINCE_CHIEF]
    client = browser(person)
    charts = drawn(month, Mine(person, "2026-10"))
    assert {"pareto", "moves", "bands", "limits"} <= set(charts)
    for name in ("moves", "bands", "limits"):
        for row, to in zip(charts[name]["rows"], charts[name]["hrefs"], strict=True):
            assert client.get(to).context["page"].paginator.count == int(row[-1].replace(",", "")), to


def test_a_list_of_an_earlier_month_is_of_that_month(cast: Cast) -> None:
    account = visible_to(cast.people[Role.TEAM_LEAD]).order_by("pk")[0]
    now = Standing.objects.get(account=account, month=latest_month())
    PlanRow.objects.filter(account=account).delete()
    Standing.objects.create(**{f.name: getattr(now, f.name) for f in Standing._meta.fields if f.name != "id"}
                            | {"month": "2026-09", "class_code": "important", "move": "down"})  # fmt: skip
    client = browser(cast.people[Role.TEAM_LEAD])
    assert client.get("/accounts?class=important&move=down&month=2026-09").context["page"].paginator.count == 1
    text = client.get("/accounts?class=important&move=down&month=2026-09").content.decode()
    assert 'name="month" value="2026-09"' in text
    assert client.get("/accounts?month=nonsense").context["page"].paginator.count > 0


def test_a_plan_too_small_to_be_told_still_has_all_that_its_pictures_ask_for() -> None:
    plan = guarded({"plan": {"customers": 3, "dual_value_fen": 5, "gap_share": 0.1}})["plan"]
    assert {name: plan[name] for name in ("customers", "dual_value_fen", "primal_value_fen", "gap_share")} == {
        "customers": None, "dual_value_fen": None, "primal_value_fen": None, "gap_share": None,
    }  # fmt: skip


def test_what_the_month_before_told_of_a_class_gives_no_few_who_left_it_away() -> None:
    flows = [("key", "key", 900), ("key", "ordinary", 4), ("ordinary", "ordinary", 5_000), ("ordinary", "key", 60),
             ("ordinary", "important", 70), ("important", "important", 300), ("important", "ordinary", 80)]  # fmt: skip
    rows = [{"previous_class": was, "class": now, "customers": count, "move": ""} for was, now, count in flows]
    moves = {"flows": rows, "classes": [{"class": c, "customers": sum(r["customers"] for r in rows if r["class"] == c)}
                                        for c in ("key", "important", "ordinary")]}  # fmt: skip
    told = {(row["previous_class"], row["class"]) for row in guarded({"moves": moves})["moves"]["flows"]}
    for side in (0, 1):
        hidden = [
            count for *cell, count in flows if cell[side] == ("key", "ordinary")[side] and tuple(cell) not in told
        ]
        assert len(hidden) > 1
        assert 4 in hidden


PAST = ("gain_low_fen", "gain_high_fen", "months", "compared", "by_now_fen", "earned_fen", "earned_low_fen",
        "earned_high_fen")  # fmt: skip
ODD = {"zh": "没有结论", "en": "nothing to tell"}


def told_to(role: str, cast: Cast) -> str:
    return html.unescape(browser(cast.people[role]).get("/month").content.decode())


def test_the_month_tells_what_moved_and_of_niches_price_and_circles_where_the_report_does(
    month: dict[str, Any], cast: Cast
) -> None:
    said = ("距上次触达变了", "找到 1 个细分客户群", "1.35万元", "按价格敏感度分的客户", "位意见领袖")
    text = told_to(Role.PROVINCE_CHIEF, cast)
    assert [words for words in said if words not in text] == []
    Arrival.objects.update(figures={name: value for name, value in month.items() if name not in of_models()})
    text = told_to(Role.PROVINCE_CHIEF, cast)
    assert [words for words in (*said, "模型还跟得上吗") if words in text] == []
    month["drift"]["warnings"] *= 5
    Arrival.objects.update(figures=month)
    assert re.search(r"<details><summary>其余 2 项</summary>", told_to(Role.PROVINCE_CHIEF, cast))
    month["drift"] = {"warnings": [], "checked": 55, "refused": None}
    Arrival.objects.update(figures=month)
    assert "55 项数据与训练时相比没有明显变化" in told_to(Role.PROVINCE_CHIEF, cast)


def past_row() -> dict[str, Any]:
    amounts = {"gain_fen": 2_600_000, "gain_low_fen": None, "gain_high_fen": None, "by_now_fen": 56_000,
               "earned_fen": 470_400, "earned_low_fen": -112_400, "earned_high_fen": 900_100}  # fmt: skip
    said = {"zh": "与预期相符", "en": "as expected"}
    return {"plan_month": "2026-06", "customers": 1300, "months": 3, "compared": 1240, "said": said} | amounts


def test_the_month_sets_what_past_plans_expected_beside_what_they_earned(month: dict[str, Any], cast: Cast) -> None:
    Arrival.objects.update(figures=month | {"past": [past_row()]})
    for role in (Role.MARKETER, Role.PROVINCE_CHIEF):
        text = told_to(role, cast)
        assert "以往各账期：预期与实测" in text
        assert "¥4,704 [-\u2060¥1,124, ¥9,001]" in text
        assert "与预期相符" in text


def test_what_past_plans_expected_and_earned_comes_in_with_the_publication(
    month: dict[str, Any], published: Published, cast: Cast
) -> None:
    figures = json.dumps(month | {"past": [past_row()]}, ensure_ascii=False)
    (published.folder / "figures.json").write_text(figures, encoding="utf-8")
    assert published.of("2026-10", 1).come_in() is not None
    assert "以往各账期：预期与实测" in told_to(Role.MARKETER, cast)
    read = Program(cast.people[Role.PROVINCE_CHIEF]).get("month").json()["figures"]
    assert [row["earned_fen"] for row in read["past"]] == [470_400]


def test_a_program_is_told_the_same_of_niches_and_price(month: dict[str, Any], cast: Cast) -> None:
    read = Program(cast.people[Role.PROVINCE_CHIEF]).get("month").json()["figures"]
    assert read["niches"]["found"][0]["customers"] == 205
    assert read["price"]["rows"] == month["price"]["rows"]
    assert set(read["circles"]) == {"parts"}
    assert read["drift"]["warnings"][0]["en"] == "days since contact moved"


def test_small_cells_of_price_circles_and_niches_are_not_told_to_who_sees_aggregates_alone(
    month: dict[str, Any], cast: Cast
) -> None:
    month["circles"]["parts"][0]["at_risk"] = 4
    month["price"]["rows"][0]["customers"] = 3
    month["niches"]["found"][0]["customers"] = 9
    month["price"]["quotes"]["left_out"] = 7
    month["past"] = [dict.fromkeys(PAST) | {"plan_month": "2026-07", "customers": 8, "gain_fen": 123_456, "said": ODD}]
    Arrival.objects.update(figures=month)
    text = told_to(Role.MARKETER, cast)
    assert "位意见领袖" not in text
    assert "hospital" not in text
    assert f'<td class="right">{SMALL}</td>' in text
    assert "2026-07" in text
    assert "1,234" not in text
    assert f"另有 {SMALL} 次两者都不是" in text
    assert "基数不足 2,000 户" in text
    assert "距上次触达变了" not in text
    chief = told_to(Role.PROVINCE_CHIEF, cast)
    assert "另有 7 次两者都不是" in chief
    assert "距上次触达变了" in chief
    assert [row["customers"] for row in guarded(month)["price"]["rows"]].count(None) >= 2


def test_circles_are_told_to_them_where_no_cell_is_small_and_no_band_is_hidden(month: dict[str, Any]) -> None:
    for row in month["circles"]["parts"]:
        row.update(customers=400, at_risk=100, risk_around=50, brought=0)
    bands = month["leaving"]["bands"]
    bands[0]["customers"] = 40
    assert guarded(month)["circles"] == month["circles"]
    bands[0]["customers"] = 3
    assert guarded(month)["circles"] is None
