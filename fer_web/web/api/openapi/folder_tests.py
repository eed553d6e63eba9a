"""Tests of folders, in the OpenAPI document."""

from fer_web.analysis.folders.folder_test_store import OUTCOMES
from fer_web.labels import CONTEMPT, EMOTIONS
from fer_web.web.api.openapi.parts import (
    BOOLEAN,
    COUNT,
    NO_CONTENT,
    SHARE,
    TEXT,
    TIME,
    Json,
    answer,
    described,
    error_or_null,
    file_answer,
    in_path,
    list_of,
    operation,
    or_null,
    query,
    record,
    ref,
)
from fer_web.web.api.openapi.predict import FACES_PARAMETER, IMAGE_BODY, IMAGE_ERRORS

TAG: Json = {
    "name": "Folder tests",
    "description": "Score the model on labelled images that are sent one by one. Images are not kept, but "
    "for small faces of the worst mistakes; a test is forgotten an hour after its last use.",
}

_TRUTH: Json = {"type": "string", "enum": [*EMOTIONS, CONTEMPT]}
_INTERVAL: Json = list_of(SHARE, minItems=2, maxItems=2)
_MAYBE_SHARE = or_null(SHARE, "null where nothing could be scored.")
_FACES: Json = FACES_PARAMETER["schema"]
_OWN: dict[str, Json] = {
    "id": TEXT,
    "name": described(TEXT, "Of the folder, as it was given."),
    "faces": _FACES,
    "images": described(COUNT, "Images so far."),
    "created_at": TIME,
}

SCHEMAS: Json = {
    "FolderTest": record("A test that images can be sent to.", **_OWN),
    "FolderImage": record(
        "What was said of an image.",
        images=described(COUNT, "Images so far; one that is sent again counts once."),
        path=TEXT,
        expression=described(_TRUTH, "What it shows, by its folder."),
        outcome=described(
            {"type": "string", "enum": list(OUTCOMES)}, "`apart`: it shows none of the seven expressions."
        ),
        label=or_null(ref("Emotion"), "What was shown; null without a face."),
        confidence=or_null(SHARE, "Probability of the label."),
        sure=or_null(BOOLEAN, "Whether it would be shown as sure."),
        original_label=or_null(ref("Emotion"), "By the output for FER-2013's own labels."),
        faces=described(COUNT, "Faces found; the largest counts."),
        error=error_or_null("Why it could not be read; null where it could."),
    ),
    "LabelScores": record(
        "Scores of one of the network's outputs.",
        count=COUNT,
        accuracy=_MAYBE_SHARE,
        interval_95=_INTERVAL,
        macro_f1=_MAYBE_SHARE,
        weighted_f1=_MAYBE_SHARE,
        balanced_accuracy=_MAYBE_SHARE,
        classes=described(
            {"type": "object", "additionalProperties": {"type": "object"}},
            "For each expression precision, recall with its interval, F1 and count.",
        ),
        confusion=described(list_of(list_of(COUNT)), "Rows are true, columns said, in the order of classes."),
    ),
    "FolderReport": record(
        "The scores of a test.",
        **_OWN,
        folder=TEXT,
        model=record("The network.", name=TEXT, sha256=TEXT),
        detector=or_null(TEXT, "What searched for faces."),
        skipped=COUNT,
        scored=described(COUNT, "Images of the seven expressions with a face."),
        accuracy=or_null(SHARE, "Of the expression that users are shown."),
        interval_95=_INTERVAL,
        accuracy_original=or_null(SHARE, "Of the output for FER-2013's own labels."),
        interval_95_original=or_null(_INTERVAL, "null without such an output."),
        macro_f1=_MAYBE_SHARE,
        macro_f1_original=_MAYBE_SHARE,
        difference=described(TEXT, "How the two accuracies differ, in words."),
        sure=record("Labels shown as sure.", count=COUNT, share=_MAYBE_SHARE, accuracy=_MAYBE_SHARE),
        no_face=record(
            "Images without a face, which count neither as right nor as wrong.",
            count=COUNT,
            note=TEXT,
            expressions={"type": "object", "additionalProperties": COUNT},
            files=list_of(TEXT),
        ),
        several_faces=COUNT,
        framing={"type": "object", "additionalProperties": COUNT},
        contempt=or_null({"type": "object"}, "Images of contempt, counted apart."),
        unreadable=list_of({"type": "object"}),
        shown=ref("LabelScores"),
        original=or_null(ref("LabelScores"), "null without such an output."),
        mistakes=described(
            list_of(
                record("A mistake.", file=TEXT, expression=_TRUTH, label=ref("Emotion"), confidence=SHARE)
            ),
            "The worst first.",
        ),
    ),
}

_TEST = in_path("test", "Id of a folder test.")
_GONE = "There is no such test, or it is somebody else's: `not_found`."
_EMPTY = "There is nothing to draw yet: `not_ready`."
_BODY: Json = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"faces": _FACES, "name": TEXT},
                "additionalProperties": False,
            }
        }
    },
}


def _file(name: str, summary: str, media_type: str, errors: dict[str, str]) -> Json:
    return operation(TAG["name"], name, summary, {"200": file_answer(summary, media_type)}, errors=errors)


PATHS: Json = {
    "/folder-tests": {
        "post": operation(
            TAG["name"],
            "beginFolderTest",
            "Begin a test",
            {
                "201": {
                    **answer("It waits for images.", ref("FolderTest")),
                    "headers": {"Location": {"schema": TEXT, "description": "Where its report is."}},
                }
            },
            body=_BODY,
            errors={"429": "Too many tests are under way: `too_many_jobs`."},
        )
    },
    "/folder-tests/{test}": {
        "parameters": [_TEST],
        "get": operation(
            TAG["name"],
            "getFolderReport",
            "The report so far",
            {"200": answer("The scores.", ref("FolderReport"))},
            errors={"404": _GONE},
        ),
        "delete": operation(
            TAG["name"], "removeFolderTest", "Forget a test", {"204": NO_CONTENT}, errors={"404": _GONE}
        ),
    },
    "/folder-tests/{test}/images": {
        "parameters": [_TEST],
        "post": operation(
            TAG["name"],
            "addFolderImage",
            "Send one image",
            {"200": answer("What was said of it. One that cannot be read counts too.", ref("FolderImage"))},
            parameters=(
                query(
                    "path",
                    {"type": "string", "minLength": 1, "maxLength": 300},
                    "The nearest folder that names an expression says what the image shows: happy/1.jpg",
                    required=True,
                ),
            ),
            body=IMAGE_BODY,
            errors={
                "400": "The path names no expression: `bad_folder`; or a form that is damaged.",
                "404": _GONE,
                "413": "The body is larger than an image may be: `too_large`.",
                "429": "The test has as many images as it may have: `too_many_jobs`.",
                "503": IMAGE_ERRORS["503"],
            },
        ),
    },
    "/folder-tests/{test}/report.txt": {
        "parameters": [_TEST],
        "get": _file("getFolderReportText", "The report as text", "text/plain", {"404": _GONE}),
    },
    "/folder-tests/{test}/confusion.png": {
        "parameters": [_TEST],
        "get": _file(
            "getConfusionPlot", "The confusion matrices", "image/png", {"404": _GONE, "409": _EMPTY}
        ),
    },
    "/folder-tests/{test}/mistakes.jpg": {
        "parameters": [_TEST],
        "get": _file("getMistakes", "The worst mistakes", "image/jpeg", {"404": _GONE, "409": _EMPTY}),
    },
}
