"""Limits what libraries that face the network may write into our log."""

import logging


def keep_to_one_line(logger_name: str) -> None:
    """Replace each record of a library's logger by one line without details.

    A request that cannot be understood is no bug of ours: a traceback for each would let anyone fill the log,
    and the details hold query strings and session ids.
    """
    logging.getLogger(logger_name).addFilter(without_details)


def without_details(record: logging.LogRecord) -> bool:
    """Change a record in place, keeping the kind of its exception."""
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "refused"
    record.msg, record.args, record.exc_info = f"A request was not understood ({kind})", (), None
    return True
