"""The report as people open it: in a browser, in both languages, both themes, both widths, and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from core.small_manifest import figures_of, manifest
from core.small_publication import publish
from keepline import engine as engines
from keepline.report.page import render

WIDTHS = (1440, 375)
LOOKS = [(language, theme, width) for language in ("zh", "en") for theme in ("light", "dark") for width in WIDTHS]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    duck = engines.start("duckdb")
    made = figures_of(duck, publish(folder / "publication", customers=300), manifest())
    duck.close()
    path = folder / "report.html"
    path.write_text(render(made), encoding="utf-8")
    return path


@pytest.fixture
def said() -> list[str]:
    """What the page complained of, and every request that was no part of it."""
    return []


@pytest.fixture
def page(browser: Browser, report: Path, said: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url) if request.url != opened.url else None)
    opened.goto(report.as_uri())
    said[:] = [line for line in said if not line.startswith(report.as_uri())]
    yield opened
    context.close()


def texts(page: Page, selector: str) -> str:
    """Everything that is drawn there."""
    return " ".join(page.locator(selector).all_inner_texts())


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_it_opens_whole_in_every_look(browser: Browser, report: Path, language: str, theme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    opened, said = context.new_page(), []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    address = f"{report.as_uri()}?lang={language}&theme={theme}"
    opened.on("request", lambda request: said.append(request.url) if request.url != address else None)
    opened.goto(address)
    pictures = opened.locator("figure.picture").count()
    assert pictures >= 10
    assert opened.locator("figure.picture .chart svg").count() == pictures
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    assert said == []
    context.close()


def test_one_button_changes_the_language_of_everything(page: Page, said: list[str]) -> None:
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert "本月要点" in texts(page, "h2")
    assert "重点大客户" in texts(page, "#chart-moves")
    page.click("#language")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "The month's findings" in texts(page, "h2")
    assert "本月要点" not in texts(page, "h2")
    drawn = page.locator("#chart-moves svg").text_content()
    assert "key " in drawn
    assert "重点大客户" not in drawn
    assert said == []


def test_the_choice_of_language_and_theme_is_kept(page: Page) -> None:
    page.click("#language")
    page.click("#theme")
    page.reload()
    assert page.locator("html").get_attribute("data-lang") == "en"
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_one_button_turns_the_page_dark_and_back(page: Page, said: list[str]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) != light
    assert "#4fa8e0" in page.locator("#chart-pareto").inner_html().lower()
    page.click("#theme")
    assert page.evaluate(ground) == light
    assert said == []


def test_every_picture_has_a_table_behind_it(page: Page, said: list[str]) -> None:
    for place in range(page.locator("figure.picture").count()):
        figure = page.locator("figure.picture").nth(place)
        button, table = figure.locator("button.turn"), figure.locator("table")
        assert not table.is_visible()
        button.click()
        assert table.is_visible()
        assert not figure.locator(".chart").is_visible()
        assert button.get_attribute("aria-pressed") == "true"
        assert table.locator("tbody tr").count() > 0
        button.click()
        assert figure.locator(".chart svg").is_visible()
    assert said == []


def test_every_picture_tells_its_finding_unit_source_and_month(page: Page) -> None:
    for place in range(page.locator("figure.picture").count()):
        figure = page.locator("figure.picture").nth(place)
        assert len(figure.locator("h3").inner_text()) > 5
        assert figure.locator(".unit").inner_text()
        assert "账期 2026年10月" in figure.locator(".source").inner_text()
        assert figure.locator(".chart").get_attribute("aria-label")


def test_a_table_view_redraws_in_the_language_chosen_meanwhile(page: Page) -> None:
    turn = page.locator("#picture-funnel button.turn")
    turn.click()
    page.click("#language")
    turn.click()
    assert "no consent" in page.locator("#chart-funnel svg").text_content()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_simulated_data_are_said_at_the_top_and_stay_said(page: Page, language: str, width: int) -> None:
    """Wherever one reads, and no heading that a link leads to hides below it."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.lang = '{language}'")
    banner = page.locator(".banner")
    assert "模拟数据 Simulated data" in banner.inner_text()
    for section in page.locator(".contents a").evaluate_all("(links) => links.map((link) => link.hash)"):
        page.evaluate("(hash) => { location.hash = hash; }", section)
        assert banner.bounding_box()["y"] == 0
        below = page.locator(".top").bounding_box()["height"]
        assert page.locator(f"{section} h2").bounding_box()["y"] >= below, section


def test_on_paper_it_is_light_open_and_without_buttons(page: Page, said: list[str]) -> None:
    page.click("#theme")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert not page.locator("button:visible").count()
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".banner").is_visible()
    widths = page.evaluate("[...document.querySelectorAll('.chart svg')].map((s) => s.clientWidth)")
    assert max(widths) <= 720
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert said == []


def test_it_prints_to_pdf(page: Page) -> None:
    page.evaluate("addEventListener('beforeprint', () => { document.body.dataset.printed = 'yes'; })")
    paper = page.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF")
    assert page.locator("body").get_attribute("data-printed") == "yes"


def test_without_script_the_tables_are_there(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(report.as_uri())
    assert opened.locator("#table-funnel table").is_visible()
    assert not opened.locator("#chart-funnel").is_visible()
    context.close()


def test_the_keyboard_reaches_every_switch(page: Page) -> None:
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"language", "theme", "print"} <= reached
    page.focus("#language")
    page.keyboard.press("Enter")
    assert page.locator("html").get_attribute("data-lang") == "en"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Page, theme: str) -> None:
    """Contrast of at least 4.5 (WCAG 2.2, 1.4.3) for the colours text is set in."""
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    pairs = [("ink", "paper"), ("dim", "paper"), ("dim", "page"), ("accent", "paper"), ("warn", "warn-soft")]
    colour = "(name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"
    for front, ground in pairs:
        shades = [page.evaluate(colour, name) for name in (front, ground)]
        assert contrast(*shades) >= 4.5, (front, ground, shades)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((shine(one), shine(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def shine(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
