"""Events, in the OpenAPI document."""

from fer_web.events.delivery import CONNECTED, FAILING, WAITING
from fer_web.web.api.openapi.parts import (
    BOOLEAN,
    COUNT,
    TEXT,
    Json,
    answer,
    described,
    list_of,
    operation,
    record,
    ref,
)

TAG: Json = {
    "name": "Events",
    "description": "Rules that fire in live streams. docs/events.md has rules and receivers.",
}

SCHEMAS: Json = {
    "Receiver": record(
        "Who is told of events, as the events file names it.",
        name=TEXT,
        kind={"type": "string", "enum": ["webhook", "mqtt", "lsl"]},
        state={"type": "string", "enum": [WAITING, CONNECTED, FAILING]},
        reason=described(TEXT, "Why it fails; empty otherwise."),
        sent=described(COUNT, "Events that it took."),
        dropped=described(COUNT, "Events that it did not take in time."),
        waiting=described(COUNT, "Events that wait for it."),
    ),
    "ReceiverList": record(
        "All receivers; none for requests from elsewhere and for keys.",
        receivers=list_of(ref("Receiver")),
        may_send=described(BOOLEAN, "Whether the effect `send` of a page's rules reaches any."),
    ),
}

PATHS: Json = {
    "/events": {
        "get": operation(
            TAG["name"],
            "listenToEvents",
            "Listen to events",
            {
                "200": {
                    "description": "Server-sent events of the type `rule`, until either side ends it: of "
                    "one's own streams, of all for the host, of this machine's for a key.",
                    "content": {"text/event-stream": {"schema": TEXT}},
                }
            },
            errors={
                "403": "A visitor, or a key that the events file does not name: `forbidden`.",
                "429": "Too many listen: `too_many_jobs`.",
            },
        )
    },
    "/events/receivers": {
        "get": operation(
            TAG["name"],
            "listReceivers",
            "How receivers do",
            {"200": answer("Their states.", ref("ReceiverList"))},
        )
    },
}
