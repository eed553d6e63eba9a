"""What the pages leave out for visitors, who came by a link."""

import pytest
from flask import render_template

from fer_web.factory import create_application
from fer_web.inference.model_info import ModelInfo
from fer_web.settings import Settings
from fer_web.sharing.types import Admission, Link
from fer_web.web.pages.live import PageOptions
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline


@pytest.fixture(scope="module")
def flask(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    settings = Settings(
        model=write_empty_model(folder / "m"), async_mode="threading", detector="haar", data_dir=folder
    )
    built = create_application(settings, [InstantPipeline()])
    yield built.flask
    built.scheduler.stop()
    built.close()


def render(flask, template, **options):
    model = {"name": "m", "hash": "", "unsure_below": 0}
    session = {"id": "s", "name": "A session"}
    live = {"emotions": ["happy"], "retention_days": 30, "smoothing_s": 0.25, "max_faces": 10}
    given = {"model": model, "sessions": [session], **live, **options}
    with flask.test_request_context():
        return render_template(template, options=given, version="0")


def test_the_notice_says_where_pictures_go(flask):
    own, visitors = render(flask, "_notice.html"), render(flask, "_notice.html", visitor=visitor("join"))
    assert "nowhere else" not in own
    assert "a link of the host that shows the picture" in own
    assert "nowhere else" in visitors
    assert "a link of the host" not in visitors


def visitor(kind):
    return {"name": "Visitors", "kind": kind}


def admitted(kind, *, is_local=False):
    link = Link(id="l", kind=kind, name="Visitors", created_s=0, expires_s=9)
    return Admission(is_local=is_local, visitor="v", link=link)


def options_for(admission):
    model = ModelInfo(
        name="m", model_hash="0" * 64, size_hw=(48, 48), channels=1, unsure_below=0.3, max_uncertainty=1.0
    )
    return PageOptions(Settings(), model, "haar", 8, lambda: admission).to_wire()["visitor"]


def test_page_knows_by_which_link_a_visitor_came():
    assert options_for(admitted("join")) == {"name": "Visitors", "kind": "join"}
    assert options_for(Admission(is_local=True)) is None
    assert options_for(admitted("join", is_local=True)) is None


@pytest.mark.parametrize("template", ["index.html", "history.html", "compare.html", "history_session.html"])
def test_share_panel_is_on_every_page_but_not_for_visitors(flask, template):
    for_local, for_visitor = render(flask, template), render(flask, template, visitor=visitor("join"))
    assert 'id="share"' in for_local
    assert 'id="share-open"' in for_local
    assert 'id="share"' not in for_visitor
    assert 'id="share-' not in for_visitor
    assert 'href="/history"' in for_visitor


def test_visitor_of_one_session_gets_no_way_to_others(flask):
    page = render(flask, "history_session.html", visitor=visitor("session"), read_only=True)
    assert "Shared with you by the host, read-only" in page
    assert 'href="/"' not in page
    assert 'href="/history"' not in page
    for writing in (
        "<textarea",
        'id="name"',
        'id="delete"',
        'id="add-marker"',
        'data-part="delete"',
        'id="tag"',
    ):
        assert writing not in page, writing
    assert 'id="export-menu"' in page


def test_only_the_host_can_share_a_session(flask):
    assert 'id="share-session"' in render(flask, "history_session.html", is_host=True)
    assert 'id="share-session"' not in render(flask, "history_session.html", is_host=False)
    assert 'id="share-session"' not in render(flask, "history_session.html", is_host=True, read_only=True)
