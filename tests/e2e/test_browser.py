import pytest

from tests.support.browser import chromium as browser


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


def test_require_tool_none_to_be_had_fails_and_names_its_package(monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name, path=None: None)
    with pytest.raises(RuntimeError, match=r"certutil was not found.*apt-get install libnss3-tools"):
        browser.require_tool("certutil")


@pytest.mark.parametrize("is_root", [True, False])
def test_install_tools_asks_apt_for_what_is_missing_as_root_alone(monkeypatch, is_root):
    tried = []
    present = {"apt-get", *browser.LINUX_TOOLS} - {"certutil"}
    monkeypatch.setattr(browser.sys, "platform", "linux")
    monkeypatch.setattr(browser, "_is_root", lambda: is_root)
    monkeypatch.setattr(browser.shutil, "which", lambda name, path=None: name if name in present else None)
    monkeypatch.setattr(browser, "_run", lambda *command: tried.append(command))
    with pytest.raises(RuntimeError, match="certutil"):
        browser.install_tools()
    assert [command[-1] for command in tried] == (["-qq", "libnss3-tools"] if is_root else [])


def test_install_tools_nothing_missing_installs_nothing(monkeypatch):
    monkeypatch.setattr(browser.sys, "platform", "linux")
    monkeypatch.setattr(browser.shutil, "which", lambda name, path=None: name)
    monkeypatch.setattr(browser, "_run", lambda *command: pytest.fail(str(command)))
    browser.install_tools()
