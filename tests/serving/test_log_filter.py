import logging

from fer_web.serving.log_filter import without_details


def test_without_details_drops_traceback_and_arguments():
    try:
        raise ValueError("sid-123")
    except ValueError as exc:
        info = (type(exc), exc, exc.__traceback__)
    record = logging.LogRecord("engineio.server", logging.ERROR, "f", 1, "Invalid %s", ("sid-123",), info)
    assert without_details(record)
    assert logging.Formatter().format(record) == "A request was not understood (ValueError)"
