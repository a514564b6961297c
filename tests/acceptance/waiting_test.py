"""What is logged without a network waits in the browser sealed, and a search leaves its text in no address."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Browser, Page

from acceptance.serving_test import Served
from acceptance.workbench_browser_test import Visit, pytestmark

__all__ = ["pytestmark"]  # marks of the same workbench
NOTE = "欧阳先生想换套餐"
ROWS = "() => JSON.parse(localStorage.getItem('keepline-waiting') || '[]')"


def rows(page: Page) -> Any:
    return page.evaluate(ROWS)


def test_a_line_that_waits_for_the_network_is_sealed_and_sent_by_who_wrote_it_alone(
    workbench: Served, browser: Browser
) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("m00001")
    card = page.locator("article.turn").first
    card.locator("summary", has_text="备注与方式").click()
    card.locator("input[name=note]").fill(NOTE)
    visit.context.set_offline(True)
    card.get_by_role("button", name="接通").click()
    page.get_by_text("网络不通，已暂存").wait_for()
    kept = rows(page)
    assert len(kept) == 1
    assert set(kept[0]) == {"at", "iv", "data"}
    text = page.evaluate("() => JSON.stringify(Object.entries(localStorage))")
    assert NOTE not in text
    assert "outcome" not in text

    other = Visit(browser, workbench)
    theirs = other.enter("agent")
    theirs.evaluate("(rows) => localStorage.setItem('keepline-waiting', JSON.stringify(rows))", kept)
    theirs.goto(f"{other.url}/today")
    theirs.wait_for_load_state("networkidle")
    assert len(rows(theirs)) == 1  # not theirs to send, and not theirs to read
    theirs.goto(f"{other.url}/log")
    assert NOTE not in theirs.content()
    other.close()

    visit.context.set_offline(False)
    page.wait_for_function("() => JSON.parse(localStorage.getItem('keepline-waiting') || '[]').length === 0")
    page.goto(f"{visit.url}/log")
    assert page.content().count(NOTE) == 1
    visit.close()


def test_a_line_older_than_a_week_waits_no_longer(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("m00001")
    page.evaluate("() => localStorage.setItem('keepline-waiting', JSON.stringify([{at: 1, iv: 'AA==', data: 'AA=='}]))")
    page.goto(f"{visit.url}/today")
    page.wait_for_load_state("networkidle")
    assert visit.wrong == []
    visit.close()


def test_a_search_from_the_keyboard_or_the_bar_leaves_its_text_in_no_address(
    workbench: Served, browser: Browser
) -> None:
    visit = Visit(browser, workbench)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    page = visit.enter("m00001")
    page.locator("form.find input[name=q]").fill("欧阳")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts?sought-q=**")
    assert page.locator("form.query input[name=q]").input_value() == "欧阳"
    page.keyboard.press("Control+k")
    page.locator("#palette input").fill("司马")
    page.wait_for_load_state("networkidle")
    page.locator("#palette [data-seeks]").click()
    page.wait_for_url("**/accounts?sought-q=**")
    page.wait_for_function("() => document.querySelector('form.query input[name=q]').value === '司马'")
    assert any(url.endswith("/find") for url in asked)
    assert not any("欧阳" in unquote(url) or "司马" in unquote(url) for url in asked)
    assert visit.wrong == []
    visit.close()
