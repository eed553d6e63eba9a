"""A session from the camera to the history and back, in a real browser."""

import csv

import pytest

from fer_web.labels import EMOTIONS
from tests.support.browser.history_page import HistoryPage
from tests.support.browser.live_page import LivePage
from tests.support.servers import ServerProcess


@pytest.fixture
def live(server, browser_with_face):
    return LivePage(browser_with_face, server.url)


def record(live, samples=10):
    """Start the camera and wait until so many samples are stored; returns the history in the same tab."""
    history = HistoryPage(live.page, live.page.url.rstrip("/"))
    live.page.click("#start-stop")
    live.page.wait_for_selector('#recorder[data-state="recording"]')
    wait_for_samples(history, samples)
    return history


def wait_for_samples(history, samples):
    history.wait_until(
        lambda: history.sessions() and history.sessions()[0]["samples"] >= samples,
        f"{samples} samples",
        timeout_s=60,
    )


def stop(live):
    """Stop and go to the session's page."""
    live.page.click("#start-stop")
    live.page.wait_for_selector("#recorder-link", state="visible")
    live.page.click("#recorder-link")


def test_recorded_session_is_found_read_exported_deleted_and_brought_back(live, tmp_path):
    history = record(live)
    live.page.keyboard.press("e")
    live.page.wait_for_selector("#marker-text", state="visible")
    live.page.keyboard.type("A joke")
    live.page.keyboard.press("Enter")
    wait_for_samples(history, 20)
    stop(live)

    history.wait_for_chart()
    head, *rows = history.table()
    expressions = [emotion.capitalize() for emotion in EMOTIONS]
    assert head == ["Time", "Expression", *expressions, "Valence", "Arousal"]
    assert {row[1] for row in rows} == {"Happy"}
    happy = [int(row[2 + EMOTIONS.index("happy")].strip(">%")) for row in rows]
    assert min(happy) > 50
    assert live.page.locator("#markers .marker input").input_value() == "A joke"

    name = live.page.locator("#name")
    name.fill("Rehearsal")
    name.press("Enter")
    live.page.wait_for_selector("#saved:has-text('Saved')")
    live.page.click("#export-menu summary")
    with live.page.expect_download() as download:
        live.page.click('[data-format="csv"]')
    path = tmp_path / "session.csv"
    download.value.save_as(path)
    with path.open(newline="") as file:
        exported = list(csv.DictReader(file))
    assert len(exported) == history.sessions()[0]["samples"]
    assert {row["label"] for row in exported} == {"happy"}

    live.page.click(".header-nav a[href='/history']")
    history.wait_for_names(["Rehearsal"])
    live.page.click(".session [data-part=delete]")
    live.page.wait_for_selector("#empty", state="visible")
    assert history.sessions() == []
    live.page.click(".message [data-part=action]")
    history.wait_for_names(["Rehearsal"])
    assert len(history.sessions()) == 1
    assert live.errors == []


def test_nothing_is_recorded_when_it_is_switched_off_before_start(live):
    history = HistoryPage(live.page, live.page.url.rstrip("/"))
    live.page.click("#record")
    live.start()
    live.wait_until_figure_passes("answered", 15)
    assert live.page.get_attribute("#recorder", "data-state") == "off"
    assert live.page.locator("#marker").is_disabled()
    assert history.sessions() == []
    # The choice is remembered.
    live.reload()
    assert live.page.get_attribute("#record", "aria-checked") == "false"


def test_recording_pauses_and_goes_on_in_the_same_session(live):
    history = record(live, samples=5)
    live.page.keyboard.press("r")
    live.page.wait_for_selector('#recorder[data-state="paused"]')
    # What was on its way when it was paused is stored within a batch.
    paused = live.settled(lambda: history.sessions()[0]["samples"], 1500)
    answered = live.figure("answered")
    live.wait_until_figure_passes("answered", answered + 10)
    assert history.sessions()[0]["samples"] == paused
    live.page.keyboard.press("r")
    wait_for_samples(history, paused + 5)
    assert len(history.sessions()) == 1


def test_session_deleted_while_it_is_recorded_is_told_and_the_live_view_goes_on(live):
    history = record(live, samples=3)
    session_id = history.sessions()[0]["id"]
    status = live.page.evaluate(
        """async (id) => (await fetch(`/api/v1/sessions/${id}`, {
          method: "DELETE", headers: { "Content-Type": "application/json" }, body: "{}",
        })).status""",
        session_id,
    )
    assert status == 200
    message = live.page.wait_for_selector('.message[data-message="recording"]')
    assert "live view goes on" in message.inner_text()
    live.wait_until_figure_passes("answered", live.figure("answered") + 10)
    assert history.sessions() == []


def test_server_restarted_while_it_records_goes_on_in_the_same_session(tmp_path, browser_with_face):
    with ServerProcess(data_dir=tmp_path) as first:
        port = first.port
        live = LivePage(browser_with_face, first.url)
        history = record(live)
        first.kill()
        live.page.wait_for_selector('#connection[data-state="reconnecting"]')
        assert "Connection lost" in live.page.inner_text("#recorder-state")
        live.page.keyboard.press("e")
        live.page.keyboard.type("restarted mm  f")
        live.page.keyboard.press("Enter")
    with ServerProcess(port=port, data_dir=tmp_path):
        live.page.wait_for_selector('#connection[data-state="connected"]')
        before = history.sessions()[0]["samples"]
        wait_for_samples(history, before + 10)
        (session,) = history.sessions()
        assert session["state"] == "running"
        history.wait_until(lambda: history.markers(session["id"]), "the marker", timeout_s=60)
        (marker,) = history.markers(session["id"])
        assert marker["text"] == "restarted mm  f"
        assert 0 < marker["at_s"] < session["length_s"]


def test_page_that_records_asks_before_it_is_left_and_opens_others_beside_it(live):
    record(live, samples=3)
    assert live.page.title().startswith("● ")
    with live.context.expect_page() as opened:
        live.page.click('header a[href="/history"]')
    opened.value.wait_for_selector("#session-count:not(:empty)")
    assert live.page.get_attribute("#recorder", "data-state") == "recording"
    with live.page.expect_event("dialog") as asked:
        live.reload()
    assert asked.value.type == "beforeunload"
    assert not live.page.title().startswith("● ")


def test_marker_is_named_at_once_and_no_letter_of_it_is_a_shortcut(live):
    history = record(live, samples=3)
    session_id = history.sessions()[0]["id"]
    # In one breath, as a person types: nothing waits for the server.
    live.page.evaluate(
        """() => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "e", bubbles: true}))"""
    )
    assert live.page.evaluate("document.activeElement.id") == "marker-text"
    live.page.keyboard.type("mm tfhs ?")
    live.page.keyboard.press("Enter")
    assert live.page.get_attribute("#mirror", "aria-pressed") == "true"
    assert live.page.get_attribute("#stage", "data-state") == "live"
    history.wait_until(
        lambda: [marker["text"] for marker in history.markers(session_id)] == ["mm tfhs ?"], "the name"
    )


def test_single_keys_can_be_switched_off_for_good(live):
    live.page.keyboard.press("?")
    live.page.click("text=Single keys are shortcuts")
    live.page.click("#help-close")
    for _ in range(2):
        live.page.keyboard.press("m")
        assert live.page.get_attribute("#mirror", "aria-pressed") == "true"
        live.reload()


def test_another_browser_sees_nothing_of_it(live, server):
    history = record(live, samples=3)
    session_id = history.sessions()[0]["id"]
    stop(live)
    history.wait_for_chart()
    with_other = HistoryPage.opened(live.context.browser, server.url)
    assert with_other.sessions() == []
    answer = with_other.page.goto(f"{server.url}/history/{session_id}")
    assert answer.status == 404
    assert "no such" in with_other.page.inner_text("main").lower()
