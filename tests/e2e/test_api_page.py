"""The page about the HTTP API in a real browser: the host's keys, a phone, and no script from elsewhere."""

import pytest
import requests

from tests.support.browser.browsers import chromium, new_context

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


def open_page(browser, server, **options):
    page = new_context(browser, **options).new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda line: page.problems.append(line.text) if line.type == "error" else None)
    page.goto(server.wait_for_line(r"http://\S+/\?host=\S+")[0].replace("/?", "/api?"))
    return page


def test_the_host_makes_copies_and_revokes_a_key(browser, server):
    page = open_page(browser, server, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Name of the program").fill("<b>Laptop</b>")
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("#new-key-text")
    key.wait_for()
    text = key.text_content()
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == text
    headers = {"Authorization": f"Bearer {text}"}
    assert requests.get(f"{server.url}/api/v1/sessions", headers=headers, timeout=60).status_code == 200
    page.get_by_role("button", name="Done").click()
    assert not key.is_visible()
    assert text not in page.content()
    page.reload()
    assert text not in page.content()
    page.get_by_role("button", name="Revoke <b>Laptop</b>").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("Revoked", exact=True).wait_for()
    answer = requests.get(f"{server.url}/api/v1/sessions", headers=headers, timeout=60)
    assert answer.json()["error"]["code"] == "key_revoked"
    assert page.problems == []
    page.context.close()


def test_what_is_refused_is_told_and_the_form_works_again(browser, server):
    page = open_page(browser, server)
    page.get_by_label("Name of the program").fill("   ")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("alert").filter(has_text="needs a name").wait_for()
    page.get_by_label("Name of the program").fill("Desk")
    page.get_by_role("button", name="Make a key").click()
    page.locator("#new-key").wait_for()
    assert not page.get_by_role("alert").filter(has_text="needs a name").is_visible()
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_down_alone(browser, server, scheme):
    page = open_page(browser, server, viewport=PHONE, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator(".api-contents").get_by_role("link", name="Sessions").click()
    assert page.evaluate("document.getElementById('sessions').getBoundingClientRect().top") < 100
    assert page.problems == []
    page.context.close()


def test_the_live_page_leads_there(browser, server):
    page = browser.new_page()
    page.goto(server.url)
    page.get_by_role("link", name="HTTP API").click()
    page.get_by_role("heading", name="HTTP API").wait_for()
    page.close()
