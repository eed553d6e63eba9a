"""Settings from a link and from the drawer, on a page that speaks German."""

from tests.support.browser.live_page import LivePage


def test_link_and_drawer_set_what_is_shown_in_the_readers_language(server, browser_with_face):
    live = LivePage(browser_with_face, f"{server.url}/?lang=de&unsure=1&faces=0&show=boxes,labels")
    page = live.page
    live.start()
    live.wait_until("document.querySelector('.face-label')?.textContent === 'Unsicher'")
    assert page.locator("html").get_attribute("lang") == "de"
    told = page.locator("[data-message='link-settings']").inner_text()
    assert "faces: erlaubt ist eine ganze Zahl von 1 bis 64; „0“ kam an." in told
    assert not page.locator(".bars").first.is_visible()

    page.keyboard.press(",")
    drawer = page.locator("#settings")
    drawer.get_by_label("Balken").check()
    page.locator("#setting-unsure").fill("0")
    live.wait_until("document.querySelector('.face-label')?.textContent !== 'Unsicher'")
    assert page.locator(".bars").first.is_visible()
    drawer.get_by_role("button", name="Link mit diesen Einstellungen kopieren").click()
    assert page.locator("#settings-link").input_value().endswith("?lang=de&unsure=0&show=boxes,labels,bars")
    page.keyboard.press("Escape")
    assert not drawer.is_visible()
    assert page.evaluate("document.activeElement.id") != "settings-close"

    page.goto(f"{server.url}/?lang=fr")
    stored = page.evaluate("Object.keys(localStorage).filter((name) => name.includes('setting.'))")
    assert sorted(stored) == ["fer-web.setting.show", "fer-web.setting.unsure"], "the link's are not stored"
    assert page.locator("#start-stop-label").inner_text() == "Démarrer la caméra"
    assert live.errors == []
