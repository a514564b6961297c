"""What a person who was never told anything reaches within a minute and a dozen interactions, in a real browser.

Each journey runs in one look here, and in the long tests in every one: Chinese, English, light, dark, wide, narrow.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from acceptance.conftest import CHROMIUM
from acceptance.serving_test import Served
from acceptance.workbench_browser_test import Visit, keep, serious

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed; apt-get install chromium"),
]
Look = tuple[str, str, int]
EVERY: list[Look] = list(itertools.product(("zh", "en"), ("light", "dark"), (1440, 375)))
SECONDS, INTERACTIONS = 60, 12
GOOD = "".join(f"J{n:04d},2026-10,{n + 20}.50\n" for n in range(600))
BAD = ",2026-10,30.00\nJ9001,2026-13,30.00\nJ9002,2026-10,三十元\n"
DROPPED = f"客户编号,账期,出账金额\n{GOOD}{BAD}"


class Hands:
    """What a person does: every click, text and key is counted."""

    def __init__(self, page: Page, url: str, look: Look) -> None:
        self.page, self.url, self.count = page, url, 0
        self.lang, self.theme, self.width = look

    def say(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def click(self, what: Locator | str) -> None:
        self.count += 1
        (self.page.locator(what).first if isinstance(what, str) else what).click()

    def fill(self, what: str, text: str) -> None:
        self.count += 1
        self.page.locator(what).first.fill(text)

    def press(self, key: str) -> None:
        self.count += 1
        self.page.keyboard.press(key)

    def enter_as(self, who: str) -> None:
        self.click(f'.logins button[value^="{who}"]')
        self.page.locator("#main").wait_for()

    def menu(self, place: str) -> None:
        """A line of the menu: at the side, or below and behind More on a phone."""
        if self.width > 900:
            self.click(f'nav.side a[href="{place}"]')
            return
        tab = self.page.locator(f'.tabs-bottom a[href="{place}"]')
        if tab.count():
            self.click(tab)
        else:
            self.click(".tabs-bottom [data-palette]")
            self.click(f'#palette a[href="{place}"]')


@contextmanager
def journey(name: str, look: Look, served: Served, browser: Browser) -> Iterator[Hands]:
    """From the first page to the end of the journey, against the clock; nothing breaks, nothing is too wide."""
    lang, theme, width = look
    visit = Visit(browser, served, lang=lang, theme=theme, width=width)
    visit.context.add_cookies([{"name": "theme", "value": theme, "url": visit.url}])
    begun = time.monotonic()
    visit.page.goto(f"{visit.url}/sign-in")
    hands = Hands(visit.page, visit.url, look)
    yield hands
    took = time.monotonic() - begun
    keep(visit.page, f"journey-{name}-{lang}-{theme}-{width}")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert serious(visit.page) == [], name
    assert visit.wrong == [], name
    assert (took < SECONDS, hands.count <= INTERACTIONS) == (True, True), (name, took, hands.count)
    visit.close()


def looks(here: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """One look always, the others in the long tests."""
    marks = [EVERY[here], *(pytest.param(look, marks=pytest.mark.full) for look in EVERY if look != EVERY[here])]
    return pytest.mark.parametrize("look", marks, ids=lambda look: "-".join(map(str, look)))


@looks(0)
def test_the_first_page_has_a_way_in_for_each_role_and_says_that_all_is_simulated(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("1-first-page", look, workbench, browser) as hands:
        assert hands.page.locator(".logins button").count() == 14
        assert all(len(said) > 5 for said in hands.page.locator(".logins .about").all_inner_texts())
        assert hands.say("数据为模拟", "Simulated data") in hands.page.locator(".banner").inner_text()


@looks(7)
def test_a_manager_sees_the_largest_problems_of_the_month_in_sentences_with_numbers(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("2-month", look, workbench, browser) as hands:
        hands.enter_as("city-chief-1")
        said = hands.page.locator(".findings li").all_inner_texts()[:3]
        assert len(said) == 3
        assert all(re.search(r"\d", line) and len(line) > 12 for line in said)


@looks(3)
def test_an_account_manager_calls_the_first_logs_it_and_sees_the_next(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("3-today", look, workbench, browser) as hands:
        hands.enter_as("m00001")
        cards = hands.page.locator("article.turn", has=hands.page.locator(".one-tap"))
        first = hands.page.locator(f"#{cards.first.get_attribute('id')}")
        hands.click(first.locator("button[value=not_reached]"))
        first.locator(".logged").wait_for()
        hands.click(first.locator(".logged .button.primary"))
        first.locator(".badge.good").wait_for()
        assert cards.first.get_attribute("id") != first.get_attribute("id")
        assert cards.first.locator(".one-tap button").first.is_visible()


@looks(5)
def test_a_marketer_reads_how_many_may_leave_and_what_they_are_worth(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("4-may-leave", look, workbench, browser) as hands:
        hands.enter_as("marketer")
        row = hands.page.locator("tr", has_text=re.compile(hands.say("高风险", "high"))).first
        assert re.search(r"\d", row.inner_text())


@looks(2)
def test_an_analyst_narrows_to_a_segment_opens_a_member_without_a_name_and_takes_the_list_with_a_watermark(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("7-segment", look, workbench, browser) as hands:
        hands.enter_as("analyst")
        hands.menu("/accounts")
        hands.click('.views a[href="/accounts?plan=1"]')
        hands.click("td.lead a")
        assert re.search("…", hands.page.locator("h1").inner_text())
        hands.page.go_back()
        hands.count += 1
        hands.click('[data-opens="export"]')
        hands.fill("#export input[name=reason]", hands.say("研究本月方案", "study of the plan"))
        hands.click("#export button.primary")
        fetch = hands.page.locator('form[action$="/file"] button')
        fetch.wait_for()
        with hands.page.expect_download() as loaded:
            hands.click(fetch)
        first, *rows = loaded.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert hands.say("导出申请", "export") in first
        assert len(rows) > 2


@looks(4)
def test_an_importer_drops_a_gbk_file_sees_the_reasons_of_three_bad_rows_and_takes_them_away(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("8-bad-rows", look, workbench, browser) as hands:
        hands.enter_as("importer")
        hands.menu("/data")
        hands.count += 1
        file = {"name": "十月账单.csv", "mimeType": "text/csv", "buffer": DROPPED.encode("gb18030")}
        hands.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
        hands.click(".drop button.primary")
        hands.click('button[formaction$="/check"]')
        take = hands.page.locator('a[href*="/set-aside/"]').first
        take.wait_for()
        said = hands.page.locator("#upload").inner_text()
        assert [line for line in ("602", "2026-13", "三十元") if line not in said] == []
        with hands.page.expect_download() as loaded:
            hands.click(take)
        assert len(loaded.value.path().read_bytes().splitlines()) == 4


@looks(6)
def test_anyone_finds_a_customer_from_the_keyboard_and_switches_language_and_theme(
    look: Look, workbench: Served, browser: Browser
) -> None:
    with journey("9-palette", look, workbench, browser) as hands:
        hands.enter_as("m00001")
        name = hands.page.locator("article.turn a.who").first.inner_text()
        for text in (name, hands.say("语言", "language"), "深浅" if hands.lang == "en" else "dark"):
            hands.press("Control+k")
            hands.fill("#palette input", text)
            chosen = hands.page.locator('#palette a[aria-selected="true"]')
            if text == name:
                hands.page.locator("#palette [data-found]", has_text=name).first.wait_for()
            chosen.wait_for()
            with hands.page.expect_navigation():
                hands.press("Enter")
        assert hands.page.locator("html").get_attribute("lang") == ("en" if hands.lang == "zh" else "zh-CN")
        assert hands.page.locator("html").get_attribute("data-theme") in ("light", "dark")
        assert name in hands.page.locator("h1").inner_text()


@looks(1)
def test_an_auditor_answers_who_saw_the_number_of_a_customer_this_week(
    look: Look, workbench: Served, browser: Browser
) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("m00001")
    page.goto(f"{visit.url}/accounts")
    page.locator("td.lead a").nth(1).click()
    page.locator("summary", has_text="查看完整信息").click()
    number = re.search(r"/accounts/(\d+)", page.url)
    assert number is not None
    page.locator("form[hx-post$=unmask] input[name=reason]").first.fill("核对合同号码")
    page.locator("form[hx-post$=unmask] button").first.click()
    page.locator("[data-hide-after]").wait_for()
    visit.close()
    with journey("10-who-saw", look, workbench, browser) as hands:
        hands.enter_as("auditor")
        hands.click('.views a[href*="act=unmasked"]')
        hands.fill("input[name=customer]", number[1])
        hands.click(".query button.primary")
        hands.page.wait_for_load_state()
        said = hands.page.locator("tbody").inner_text()
        assert "核对合同号码" in said
        assert hands.say("查看完整姓名与号码", "saw name and number in full") in said


def test_the_first_call_is_logged_and_the_next_reached_without_a_mouse(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("m00001")
    while not page.evaluate(
        "document.activeElement.querySelector('.one-tap') && document.activeElement.matches('[data-card]')"
    ):
        page.keyboard.press("j")
    tab_to(page, "button[name=outcome]")
    page.keyboard.press("Enter")
    page.locator("article.turn .logged").first.wait_for()
    tab_to(page, ".logged .button.primary")
    page.keyboard.press("Enter")
    page.locator("article.turn .badge.good", has_text="已安排").first.wait_for()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('[data-card]')")
    assert visit.wrong == []
    visit.close()


def tab_to(page: Page, selector: str) -> None:
    """Go on with the Tab key until what is wanted has the focus."""
    page.wait_for_function("document.activeElement.closest('[data-card]') !== null")
    for _ in range(12):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by keyboard")


def test_filters_order_and_page_stay_after_reload_back_and_for_whoever_gets_the_link(
    workbench: Served, browser: Browser
) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("city-chief-1")
    page.goto(f"{visit.url}/accounts?each=10")
    with page.expect_navigation():
        page.locator(".query select[name=risk]").select_option("low")
    page.locator("th a.sorts").nth(2).click()
    page.wait_for_url("**sort=**")
    address, rows = page.url, page.locator("td.lead").all_inner_texts()
    assert "risk=low" in address
    page.reload()
    assert page.locator("td.lead").all_inner_texts() == rows
    page.locator("td.lead a").first.click()
    page.wait_for_url("**/accounts/*")
    page.go_back()
    assert page.locator("td.lead").all_inner_texts() == rows
    visit.close()
    visit = Visit(browser, workbench)
    page = visit.enter("province-chief")
    page.goto(address)
    assert page.locator(".query select[name=risk]").input_value() == "low"
    assert page.locator("th[aria-sort]").count() == 1
    visit.close()


def test_several_are_ticked_looked_at_once_more_and_planned(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("m00001")
    page.goto(f"{visit.url}/accounts")
    for at in (0, 1, 2):
        page.locator("[data-chooses]").nth(at).check()
    assert page.locator("[data-chosen-count]").inner_text() == "3"
    page.locator('[data-opens="plan-several"]').click()
    page.locator("#plan-several button.primary").click()
    page.get_by_role("button", name="确认安排 3 户").click()
    page.get_by_text("已完成，共 3 户").wait_for()
    assert visit.wrong == []
    visit.close()
