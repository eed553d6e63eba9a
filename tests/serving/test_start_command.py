import pytest

from fer_web.serving.start_command import start_command


@pytest.mark.parametrize(
    ("started_by", "arguments", "proposed"),
    [
        ("", [], "python app.py --port 5001"),
        ("", ["--port", "5000", "--detector", "haar"], "python app.py --detector haar --port 5001"),
        ("", ["--detector", "haar", "--port=5000"], "python app.py --detector haar --port 5001"),
        ("", ["--share"], "python app.py --share --port 5001"),
        ("", ["--model", "my model.h5"], "python app.py --model 'my model.h5' --port 5001"),
        ("make run", [], 'make run ARGS="--port 5001"'),
        ("make run", ["--port", "5000", "--workers", "2"], 'make run ARGS="--workers 2 --port 5001"'),
        (
            "make share",
            ["--share", "--share-port", "5443"],
            'make share ARGS="--share-port 5443 --port 5001"',
        ),
        ("make share", ["--share"], 'make share ARGS="--port 5001"'),
        ("make run", ["--share"], 'make run ARGS="--share --port 5001"'),
        ("", ["--port"], "python app.py --port 5001"),
    ],
)
def test_the_command_that_was_used_is_proposed_with_the_option(started_by, arguments, proposed):
    assert start_command(arguments, {"STARTED_BY": started_by}).with_option("port", 5001) == proposed


def test_an_option_that_only_begins_alike_stays():
    command = start_command(["--share-port", "5443", "--port", "1"], {})
    assert command.with_option("share-port", 5444) == "python app.py --port 1 --share-port 5444"
