"""The workbench in a real browser: each role's pages in both languages and themes, and the day's journeys."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from acceptance.conftest import CHROMIUM
from acceptance.serving_test import Served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed; apt-get install chromium"),
]
LOOKS = [
    ("zh", "light", 1440), ("en", "dark", 375),
    pytest.param("zh", "dark", 375, marks=pytest.mark.full), pytest.param("en", "light", 1440, marks=pytest.mark.full),
]  # fmt: skip
# one entry sealed under the key of this page's reader, and one under a key that nobody has any more
KEPT_BY_TWO = """async () => {
  const base64 = (data) => btoa(String.fromCharCode(...new Uint8Array(data))), iv = new Uint8Array(12);
  const raw = Uint8Array.from(atob(document.querySelector("meta[name=keeping]").content), (sign) => sign.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const said = new TextEncoder().encode(JSON.stringify({ url: "/accounts/1/log", body: "outcome=reached" }));
  const mine = base64(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, said)), at = Date.now();
  localStorage.setItem("keepline-waiting", JSON.stringify([
    { at, iv: base64(iv), data: "c29tZWJvZHkgZWxzZSdzIGVudHJ5" }, { at, iv: base64(iv), data: mine }]));
}"""
ROLES = ("m00001", "team-lead", "city-chief-1", "marketer", "analyst", "importer", "admin", "auditor")
SERIOUS = ("serious", "critical")


class Visit:
    """One person's browser, which notes what went wrong and who else was asked."""

    def __init__(
        self, browser: Browser, served: Served, *, lang: str = "zh", theme: str = "light", width: int = 1440
    ) -> None:
        self.url = served.url
        size = {"width": width, "height": 900 if width > 600 else 812}
        self.context = browser.new_context(viewport=size, color_scheme=theme, bypass_csp=False)  # type: ignore[arg-type]
        self.context.add_cookies([{"name": "language", "value": lang, "url": self.url}])
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.wrong: list[str] = []
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        self.page.on("request", lambda r: None if r.url.startswith((self.url, "data:")) else self.wrong.append(r.url))

    def enter(self, who: str, *, lang: str = "zh", theme: str = "auto") -> Page:
        self.page.goto(f"{self.url}/sign-in")
        self.page.locator(f'.logins button[value^="{who}"]').first.click()
        self.page.wait_for_load_state("networkidle")
        self.page.goto(f"{self.url}/me")
        for name, value in (("language", lang), ("theme", theme)):
            if self.page.locator(f"select[name={name}]").input_value() != value:
                with self.page.expect_navigation():
                    self.page.locator(f"select[name={name}]").select_option(value)
        self.page.goto(f"{self.url}/")
        return self.page

    def close(self) -> None:
        self.context.close()


@pytest.mark.parametrize(("lang", "theme", "width"), LOOKS)
@pytest.mark.parametrize("role", ROLES)
def test_no_page_of_a_role_is_too_wide_breaks_or_shuts_anybody_out(
    role: str, lang: str, theme: str, width: int, workbench: Served, browser: Browser
) -> None:
    visit = Visit(browser, workbench, lang=lang, theme=theme, width=width)
    page = visit.enter(role, lang=lang, theme=theme)
    links = [link.get_attribute("href") or "" for link in page.locator("nav.side a").all()]
    if "/accounts" in links:
        page.goto(f"{visit.url}/accounts")
        links += [page.locator("td.lead a").first.get_attribute("href") or ""]
    for link in [*links, "/me", *(["/components"] if role == "admin" else [])]:
        answer = page.goto(visit.url + link)
        assert answer is not None
        assert answer.status == 200, link
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{link} is too wide"
        keep(page, f"{role}{link}-{lang}-{theme}-{width}")
        assert serious(page) == [], link
    assert visit.wrong == []
    visit.close()


def serious(page: Page) -> list[str]:
    """What axe finds serious or worse; its script comes in beside the page's policy, by the debugger."""
    import axe_playwright_python

    script = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(f"() => {{ {script}\n }}")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")  # a page is judged when it is at rest
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [
        f"{v['id']}: {node['target']} {node['failureSummary'][:160]}"
        for v in found["violations"] if v["impact"] in SERIOUS for node in v["nodes"]
    ]  # fmt: skip


def keep(page: Page, name: str) -> None:
    """A picture of the page, where a folder for them is named."""
    if folder := os.environ.get("KEEPLINE_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^\w-]", "_", re.sub(r"\?.*?-(?=zh|en)|/\d{6,}", "-", name))
        page.screenshot(path=f"{folder}/{plain}.png", full_page=True)


def test_an_account_manager_logs_the_first_call_and_sees_the_next(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench, width=375)
    begun = time.monotonic()
    page = visit.enter("m00001")
    cards = page.locator("article.turn")
    first = cards.first.locator("a.who").inner_text()
    count = cards.count()
    cards.first.get_by_role("button", name="接通").click()
    page.get_by_text("已记录：接通").wait_for()
    page.get_by_role("button", name="就这天").first.click()
    page.get_by_text("已安排").wait_for()
    assert cards.count() == count
    assert cards.nth(1).locator(".one-tap button").first.is_visible()
    page.goto(f"{visit.url}/log")
    assert first in page.locator("main").inner_text()
    assert time.monotonic() - begun < 60
    visit.close()


def test_an_entry_made_without_a_network_is_there_once_when_it_is_back(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench, width=375)
    page = visit.enter("m00001")
    name = page.locator("article.turn a.who").nth(2).inner_text()
    visit.context.set_offline(True)
    page.locator("article.turn").nth(2).get_by_role("button", name="未接").click()
    page.get_by_text("已暂存").wait_for()
    visit.context.set_offline(False)
    page.get_by_text("已提交").wait_for()
    page.goto(f"{visit.url}/log")
    assert page.locator("main").inner_text().count(name) == 1
    visit.close()


def test_an_entry_whose_answer_was_lost_on_the_way_is_there_once(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench, width=375)
    page = visit.enter("m00001")
    name = page.locator("article.turn a.who").nth(3).inner_text()

    def lose(route: Route) -> None:
        route.fetch()  # the server has it and has answered
        route.abort("connectionreset")

    page.route("**/log", lambda route: lose(route) if route.request.method == "POST" else route.continue_(), times=1)
    page.locator("article.turn").nth(3).get_by_role("button", name="未接").click()
    page.get_by_text("已暂存").wait_for()
    page.get_by_text("已提交").wait_for()
    page.goto(f"{visit.url}/log")
    assert page.locator("main").inner_text().count(name) == 1
    visit.close()


def test_an_entry_kept_is_sent_for_who_wrote_it_alone_and_a_refused_one_is_told(
    workbench: Served, browser: Browser
) -> None:
    visit = Visit(browser, workbench, width=375)
    page = visit.enter("m00001")
    page.evaluate(KEPT_BY_TWO)
    page.reload()
    page.get_by_text("未被接受").wait_for()
    left = page.evaluate("() => JSON.parse(localStorage.getItem('keepline-waiting')).map((row) => row.data)")
    assert left == ["c29tZWJvZHkgZWxzZSdzIGVudHJ5"]
    visit.context.close()  # its console tells of the refusal


def test_a_chief_reads_the_month_and_follows_a_number_to_its_customers(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("city-chief-1")
    assert page.locator(".findings li").count() >= 3
    page.locator(".findings a").first.click()
    page.wait_for_load_state("networkidle")
    assert "/accounts" in page.url
    visit.close()


def test_the_palette_finds_a_page_and_language_and_theme_are_one_click(workbench: Served, browser: Browser) -> None:
    visit = Visit(browser, workbench)
    page = visit.enter("city-chief-1")
    page.keyboard.press("Control+k")
    page.locator("#palette input").fill("团队")
    page.keyboard.press("Enter")
    page.wait_for_url("**/team")
    with page.expect_navigation():
        page.locator("button[name=language]").first.click()
    page.get_by_role("link", name="Customers").first.wait_for()
    with page.expect_navigation():
        page.locator("button[name=theme]").first.click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    with page.expect_navigation():
        page.locator("button[name=language]").first.click()
    visit.close()
