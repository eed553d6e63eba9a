import pytest

from tests.e2e import browser


def test_require_browser_none_to_be_had_fails_and_says_what_to_do(monkeypatch):
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    with pytest.raises(RuntimeError, match="apt-get install chromium"):
        browser.require_browser()


@pytest.mark.parametrize(("is_root", "first"), [(True, "apt-get"), (False, "playwright")])
def test_install_browser_tries_debians_as_root_then_playwrights_then_fails(monkeypatch, is_root, first):
    tried = []
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    monkeypatch.setattr(browser, "_is_root", lambda: is_root)
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(browser, "_run", lambda *command: tried.append(" ".join(command)))
    with pytest.raises(RuntimeError, match="cannot be tested"):
        browser.install_browser()
    assert first in tried[0]
    assert "playwright install chromium" in tried[-1]
