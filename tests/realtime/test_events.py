import pytest

from fer_web.factory import create_application
from fer_web.settings import Settings
from tests.support.clients import socket_client
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline

JPEG = b"x"


@pytest.fixture
def application_for(tmp_path):
    started = []

    def build(**changes):
        model = write_empty_model(tmp_path / "model")
        settings = Settings(
            model=model, async_mode="threading", detector="haar", data_dir=tmp_path / "data", **changes
        )
        started.append(create_application(settings, [InstantPipeline()]))
        return started[-1]

    yield build
    for application in started:
        application.scheduler.stop()
        application.close()


def client_of(application):
    return socket_client(application)


def header(seq=1, captured_ms=100.0):
    return {"seq": seq, "captured_ms": captured_ms}


def test_frame_is_acknowledged_with_its_result(application_for):
    client = client_of(application_for())
    ack = client.emit("frame", header(7), JPEG, callback=True)
    assert ack["seq"] == 7
    assert ack["faces"][0]["box"] == [0.1, 0.2, 0.3, 0.4]
    assert ack["dropped"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (header(),),
        ("x", JPEG),
        ({"seq": 1}, JPEG),
        (header("1"), JPEG),
        (header(), "x"),
    ],
)
def test_malformed_frame_gets_one_clear_error_and_the_client_stays(application_for, arguments):
    client = client_of(application_for())
    ack = client.emit("frame", *arguments, callback=True)
    assert ack["error"]["code"] == "bad_message"
    assert "frame takes" in ack["error"]["message"] or "seq" in ack["error"]["message"]
    assert client.emit("frame", header(2), JPEG, callback=True)["seq"] == 2


def test_bad_jpeg_gets_the_error_of_its_frame(application_for):
    ack = client_of(application_for()).emit("frame", header(3), b"bad", callback=True)
    assert ack == {
        "seq": 3,
        "error": {"code": "bad_frame", "message": "The frame is bad.", "retryable": False},
    }


def test_unknown_event_is_answered_with_what_is_allowed(application_for):
    ack = client_of(application_for()).emit("fraem", {}, callback=True)
    assert "'fraem'" in ack["error"]["message"]
    assert "frame, stop, record, marker, name, rules, take, learn, correct" in ack["error"]["message"]


def test_stop_forgets_the_stream_and_a_new_frame_opens_another(application_for):
    application = application_for()
    client = client_of(application)
    client.emit("frame", header(), JPEG, callback=True)
    assert len(application.streams) == 1
    assert client.emit("stop", {}, callback=True) == {}
    assert len(application.streams) == 0
    assert client.emit("frame", header(), JPEG, callback=True)["dropped"] is None


def test_disconnect_forgets_the_stream(application_for):
    application = application_for()
    client = client_of(application)
    client.emit("frame", header(), JPEG, callback=True)
    client.disconnect()
    assert len(application.streams) == 0


def test_one_stream_too_many_is_refused_until_another_ends(application_for):
    application = application_for(max_clients=1)
    first, second = client_of(application), client_of(application)
    first.emit("frame", header(), JPEG, callback=True)
    error = second.emit("frame", header(), JPEG, callback=True)["error"]
    assert (error["code"], error["retryable"]) == ("server_full", True)
    assert "--max-clients" in error["message"]
    first.disconnect()
    assert second.emit("frame", header(), JPEG, callback=True)["dropped"] is None


def test_connection_alone_takes_no_stream(application_for):
    application = application_for(max_clients=1)
    client_of(application)
    assert client_of(application).emit("frame", header(), JPEG, callback=True)["dropped"] is None
