"""People on the live page and in the history: marks, names, the timeline, the summary, merges."""

import os

import pytest

from tests.support.browser.axe import violations
from tests.support.browser.browsers import chromium
from tests.support.browser.live_page import LivePage

SHOTS = os.environ.get("FER_WEB_SHOTS")
"""A folder where the test leaves pictures of what it saw, for whoever wants to look."""


@pytest.fixture(scope="module")
def page_with_film(server):
    with chromium() as browser:
        page = LivePage(browser, server.url, viewport={"width": 1280, "height": 720})
        page.page.click("#film-start")
        page.wait_for_faces(2)
        yield page


def texts(page, selector):
    return [" ".join(each.split()) for each in page.page.locator(selector).all_inner_texts()]


def shoot(page, name):
    if SHOTS:
        page.page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_people_keep_their_names_from_the_card_to_the_history(page_with_film):
    page = page_with_film
    _name_the_first(page)
    _see_the_timeline(page)
    _read_the_summary(page)
    _merge_in_the_history(page)
    assert page.errors == []


def _name_the_first(page):
    field = page.page.locator(".face-card .face-rename").first
    field.click()
    # Letters that are shortcuts elsewhere: mirror, snapshot, heat map, record, marker.
    page.page.keyboard.type("Mstre")
    page.page.keyboard.press("Enter")
    page.wait_until("window.__drawn.at(-1)?.faces.some(({ text }) => text.startsWith('Mstre: '))")
    assert page.page.locator("#mirror").get_attribute("aria-pressed") == "false"
    assert page.page.locator("#record").get_attribute("aria-checked") == "true"
    numbers = page.page.locator(".face-card .person-mark")
    assert numbers.first.get_attribute("data-shape") != numbers.last.get_attribute("data-shape")


def _see_the_timeline(page):
    page.wait_until("!document.querySelector('#marker').disabled")
    page.page.keyboard.press("e")
    page.page.locator("#marker-text").fill("laughs")
    page.page.keyboard.press("Enter")
    page.wait_until("document.querySelectorAll('.timeline-lane').length >= 2")
    page.wait_until("document.querySelector('#timeline-markers').textContent.includes('laughs')")
    assert texts(page, ".timeline-name")[0] == "Mstre"
    label = page.page.locator(".timeline-lane canvas").first.get_attribute("aria-label")
    assert label.startswith("Mstre: Mostly ")
    shoot(page, "live-minute")
    page.page.check('input[name="timeline-range"][value="session"]')
    page.wait_until("document.querySelector('#timeline-from').textContent === '0:00'")
    shoot(page, "live-session")
    if SHOTS:
        page.page.set_viewport_size({"width": 390, "height": 844})
        shoot(page, "live-phone")
        page.page.set_viewport_size({"width": 1280, "height": 720})
    assert violations(page.page, "live with a timeline") == []


def _read_the_summary(page):
    page.page.click("#start-stop")
    page.page.wait_for_selector("#summary:not([hidden])")
    assert texts(page, "#summary-table tbody th")[0].endswith("Mstre")
    assert any("laughs" in text for text in texts(page, "#summary-markers li"))
    assert "recorded: numbers" in page.page.inner_text("#summary-kept")
    assert page.page.locator("#timeline").is_visible()
    assert violations(page.page, "summary") == []
    shoot(page, "summary")
    if SHOTS:
        page.page.emulate_media(color_scheme="dark")
        page.page.set_viewport_size({"width": 390, "height": 844})
        shoot(page, "summary-phone")
        page.page.set_viewport_size({"width": 1440, "height": 900})


def _merge_in_the_history(page):
    page.page.click("#summary-link")
    page.page.wait_for_selector(".person")
    assert page.page.locator(".person input").first.input_value() == "Mstre"
    assert "Mstre" in texts(page, ".face-strip > span")
    count = page.page.locator(".person").count()
    shoot(page, "history")
    page.page.select_option("#merge-into", index=0)
    page.page.click("#merge-form button")
    page.wait_until(f"document.querySelectorAll('.person').length === {count - 1}")
    page.wait_until(f"document.querySelectorAll('.face-strip').length === {count - 1}")
    assert violations(page.page, "session with people") == []
    shoot(page, "history-merged")
    page.page.locator(".person-merged button").first.click()
    page.wait_until(f"document.querySelectorAll('.person').length === {count}")
    assert page.page.get_attribute("#name", "placeholder") != "Untitled session"
