"""Describes what the addresses of sessions answer, as sessions_json.py makes it, for OpenAPI."""

from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS
from fer_web.web.api.openapi.parts import (
    BOOLEAN,
    COUNT,
    SECONDS,
    SHARE,
    SIGNED,
    TEXT,
    TIME,
    Json,
    described,
    list_of,
    or_null,
    record,
    ref,
)

_SHOWN: Json = {"type": ["string", "null"], "enum": [*EMOTIONS, "unsure", None]}

_SESSION: Json = {
    "id": TEXT,
    "name": TEXT,
    "state": {"type": "string", "enum": ["running", "finished", "interrupted"]},
    "source": described(TEXT, "`camera`, `video`, or what an import said."),
    "started_at": TIME,
    "length_s": SECONDS,
    "faces": COUNT,
    "samples": COUNT,
    "dominant": described(_SHOWN, "What was shown most; null where nobody was there."),
    "strip": described(
        list_of(_SHOWN, minItems=60, maxItems=60),
        "What was shown most in each of 60 equal parts; null where nobody was there.",
    ),
    "tags": list_of(TEXT),
    "notes": TEXT,
    "mine": described(BOOLEAN, "Whether it belongs to who asks."),
}

_DETAILS: Json = {
    "labels": described(list_of(TEXT), "The expressions, in the order that numbers of labels mean."),
    "sample_hz": described({"type": "number"}, "Samples a second that were kept of each face, at most."),
    "model": record("The network that judged.", name=TEXT, hash=TEXT),
    "settings": described({"type": "object"}, "What else decided the result."),
    "markers": list_of(ref("Marker")),
    "face_list": list_of(ref("Face")),
}

_SAMPLES = record(
    "Samples in columns of the same length, ordered by time, then face.",
    {
        "box": described(list_of(list_of({"type": "number"}, minItems=4, maxItems=4)), "Only with boxes=1."),
        "step_s": described(SECONDS, "Only where they were thinned: each is the mean of so many seconds."),
    },
    at_s=described(list_of({"type": "number"}), "Seconds since the start."),
    face=list_of(COUNT),
    label=described(list_of({"type": "integer", "minimum": 0, "maximum": 6}), "Position in `labels`."),
    confidence=list_of(SHARE),
    sure=list_of({"type": "integer", "enum": [0, 1]}),
    scores=record("Probabilities, a column for each expression.", **dict.fromkeys(EMOTIONS, list_of(SHARE))),
)

_SUMMARY = record(
    "A session as a whole.",
    length_s=SECONDS,
    face_present_share=SHARE,
    unsure_share=SHARE,
    unsure_reasons=described(
        record("By reason.", **dict.fromkeys(REASONS, SHARE)), "Of the time with a face: why it was unsure."
    ),
    shares=described(record("By expression.", **dict.fromkeys(EMOTIONS, SHARE)), "Of the time with a face."),
    valence=or_null(SIGNED, "Mean of the time with a face: unpleasant below 0, pleasant above; derived."),
    arousal=or_null(SIGNED, "Likewise: calm below 0, active above."),
    intensity=or_null(SHARE, "Likewise: how far the faces were from neutral."),
    transitions=record(
        "How often one expression followed another, row by row.",
        labels=list_of(TEXT),
        counts=list_of(list_of(COUNT)),
        dwell_s=described(SECONDS, "Shorter showings do not count."),
    ),
    peaks=list_of(
        record("Where an expression was strongest.", label=TEXT, at_s=SECONDS, face=COUNT, score=SHARE)
    ),
    strips=described(
        {
            "type": "object",
            "additionalProperties": list_of(
                record("A stretch of time.", from_s=SECONDS, to_s=SECONDS, label=_SHOWN)
            ),
        },
        "What was shown when, by the number of the face.",
    ),
    gaps=list_of(record("Time without samples.", from_s=SECONDS, to_s=SECONDS)),
)

SCHEMAS: Json = {
    "Session": record("A session as it stands in the list.", **_SESSION),
    "SessionDetails": record(
        "A session with all that belongs to it but its samples.", **_SESSION, **_DETAILS
    ),
    "Face": record(
        "A face of the session.",
        face=COUNT,
        first_s=SECONDS,
        last_s=SECONDS,
        samples=COUNT,
        name=described(TEXT, "What the person is called; empty where nobody wrote it."),
        person=described(COUNT, "The face that stands for the person: its own number, unless it was merged."),
    ),
    "FaceList": record(
        "All faces of a session.",
        face_list=list_of(ref("Face")),
        faces=described(COUNT, "How many people they are."),
    ),
    "Marker": record("A moment that somebody named.", id=TEXT, at_s=SECONDS, text=TEXT),
    "SessionList": record(
        "A page of the list.",
        sessions=list_of(ref("Session")),
        next=or_null(TEXT, "The `cursor` of the next page; null on the last one."),
        total=described(COUNT, "Sessions that fit, on all pages."),
        tags=list_of(TEXT),
        retention_days=described(COUNT, "Days after which a session is removed; 0: never."),
    ),
    "Samples": _SAMPLES,
    "Summary": _SUMMARY,
}
