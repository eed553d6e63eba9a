"""What a person reads where a page's files did not all come, as when a device changes its network."""

import pytest
from playwright.sync_api import expect

from tests.support.browser.browsers import chromium, new_context


@pytest.fixture(scope="module")
def plain_browser():
    with chromium() as browser:
        yield browser


def page_without(browser, pattern, url, **options):
    """A page that was opened while no file of that pattern came."""
    page = new_context(browser, **options).new_page()
    page.route(pattern, lambda route: route.abort("internetdisconnected"))
    page.goto(url)
    return page


@pytest.mark.parametrize("path", ["/", "/history", "/analyze", "/api"])
def test_a_page_that_came_whole_says_nothing(server, plain_browser, path):
    page = new_context(plain_browser).new_page()
    answer = page.goto(server.url + path)
    assert 'id="not-loaded"' in answer.text()
    expect(page.locator("#not-loaded")).to_have_count(0)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_one_missing_module_is_said_after_a_while_and_loading_again_helps(server, browser_with_face, motion):
    page = page_without(browser_with_face, "**/live_page-*.js", server.url, reduced_motion=motion)
    said = page.locator("#not-loaded")
    expect(said).to_have_count(1)
    # The delay is held: a busy machine may have taken all of it to come so far.
    said.evaluate(
        "element => { const [delay] = element.getAnimations(); delay.pause(); delay.currentTime = 5000; }"
    )
    assert not said.is_visible()
    assert said.evaluate("element => element.offsetHeight") == 0
    said.evaluate("element => element.getAnimations()[0].play()")
    expect(said).to_be_visible()
    page.unroute("**/live_page-*.js")
    said.get_by_role("link", name="Load it again").click()
    expect(page.locator("#connection")).to_have_attribute("data-state", "connected")
    expect(said).to_have_count(0)


def test_it_is_said_at_once_where_no_file_came_at_all(server, plain_browser):
    page = page_without(plain_browser, "**/static/**", server.url)
    said = page.locator("#not-loaded")
    expect(said).to_be_visible()
    assert said.evaluate("element => element.getAnimations().length") == 0, "there is no delay"


def test_without_scripts_the_page_says_only_that_it_needs_them(server, plain_browser):
    page = new_context(plain_browser, java_script_enabled=False).new_page()
    page.goto(server.url)
    expect(page.locator(".no-script")).to_be_visible()
    page.wait_for_timeout(7000)
    assert not page.locator("#not-loaded").is_visible()
