"""Analysing one image, in the OpenAPI document."""

from fer_web.analysis.stills.images import KINDS
from fer_web.analysis.stills.stills import FACES
from fer_web.inference.affect import SECOND_LEAST
from fer_web.inference.certainty import REASONS
from fer_web.inference.heatmaps import CAM, GRAD_CAM
from fer_web.labels import EMOTIONS
from fer_web.web.api.openapi.parts import (
    BOOLEAN,
    FLAG,
    SHARE,
    SIGNED,
    TEXT,
    Json,
    answer,
    described,
    file_answer,
    file_body,
    list_of,
    operation,
    or_null,
    query,
    record,
    ref,
)

TAG: Json = {"name": "Images", "description": "Name the expressions in one image. Nothing of it is kept."}

_HEAT = described(
    list_of({"type": "integer", "minimum": 0, "maximum": 255}),
    "Row by row; all expressions of a face have one scale, so that they can be compared.",
)

SCHEMAS: Json = {
    "HeatMap": record(
        "What the network looked at for each expression, over the square of the face, turned upright.",
        side=described({"type": "integer", "minimum": 1}, "Values in a row, and rows."),
        corners=described(
            list_of(list_of({"type": "number"}, minItems=2, maxItems=2), minItems=4, maxItems=4),
            "Top left, top right, bottom right, bottom left of the square, in fractions of the image.",
        ),
        values=record("By expression.", **dict.fromkeys(EMOTIONS, _HEAT)),
        method={"type": "string", "enum": [CAM, GRAD_CAM]},
    ),
    "Emotion": {"type": "string", "enum": list(EMOTIONS)},
    "Scores": record("Seven probabilities that sum to 1.", **dict.fromkeys(EMOTIONS, SHARE)),
    "StillFace": record(
        "A face in an image.",
        {"heatmap": described(ref("HeatMap"), "Only with heatmap=1.")},
        box=described(
            list_of({"type": "number"}, minItems=4, maxItems=4),
            "Left, top, width, height in fractions of the image; may reach over its edge.",
        ),
        box_px=described(list_of({"type": "integer"}, minItems=4, maxItems=4), "The same in whole pixels."),
        scores=ref("Scores"),
        label=ref("Emotion"),
        confidence=described(SHARE, "Probability of the label."),
        sure=described(BOOLEAN, "False where the network should not name an expression."),
        rival=described(ref("Emotion"), "The next likely expression."),
        reason={
            "type": ["string", "null"],
            "enum": [*REASONS, None],
            "description": "What speaks against an unsure face; null where nothing stands out.",
        },
        valence=described(
            SIGNED,
            "Unpleasant below 0, pleasant above; derived from the scores, by positions of Russell and "
            "Mehrabian (1977): docs/trust.md.",
        ),
        arousal=described(SIGNED, "Calm below 0, active above; derived likewise."),
        intensity=described(SHARE, "How far the face is from neutral: 1 less neutral's score."),
        second={
            "type": ["string", "null"],
            "enum": [*EMOTIONS, None],
            "description": f"Another expression of at least {SECOND_LEAST}; null where there is none, or "
            "the label is neutral.",
        },
    ),
    "Still": record(
        "What was found in an image.",
        file=or_null(TEXT, "Name of the file, as it was sent."),
        width=described({"type": "integer", "minimum": 1}, "In pixels, of the image as it is seen upright."),
        height={"type": "integer", "minimum": 1},
        framing=described(
            {"type": "string", "enum": ["detect", "whole"]},
            "How faces were found: by search, or the whole image is one.",
        ),
        reason=described(TEXT, "Why so, in words."),
        found=described({"type": "integer", "minimum": 0}, "Faces found; the surest of them are in `faces`."),
        remarks=described(list_of(TEXT), "What to know about the file and the result, a sentence each."),
        faces=described(list_of(ref("StillFace")), "With detect, the surest first."),
        model=ref("Model"),
    ),
}

IMAGE_BODY: Json = file_body("image", KINDS, "image/*")

IMAGE_ERRORS: dict[str, str] = {
    "400": "Empty, damaged or cut short (`empty_image`, `bad_image`), or a value that is not allowed.",
    "413": "More bytes or pixels than the server takes: `image_too_large`.",
    "415": "Something else than an image, or a kind that is not read: `not_an_image`.",
    "503": "Too many wait for the same: `overloaded`. Send it again later.",
}

FACES_PARAMETER: Json = query(
    "faces",
    {"type": "string", "enum": list(FACES), "default": "auto"},
    "`detect` searches for faces, `whole` takes all of the image for one, `auto` decides by what it sees.",
)

_FORMAT = query(
    "format",
    {"type": "string", "enum": ["json", "csv", "annotated"], "default": "json"},
    "`csv` is a table with a row for each face, `annotated` a JPEG with boxes and labels.",
)

PATHS: Json = {
    "/predict": {
        "post": operation(
            TAG["name"],
            "predict",
            "Name the expressions in an image",
            {
                "200": {
                    "description": "What was found, in the format that was asked for.",
                    "content": {
                        **answer("", ref("Still"))["content"],
                        **file_answer("", "text/csv", "image/jpeg")["content"],
                    },
                }
            },
            parameters=(
                FACES_PARAMETER,
                query(
                    "heatmap",
                    FLAG,
                    "1 adds to each face what the network looked at; `bad_value` where the model cannot say.",
                ),
                _FORMAT,
                query("name", TEXT, "What the answer calls the file; default: the file's name in a form."),
            ),
            body=IMAGE_BODY,
            errors=IMAGE_ERRORS,
        )
    }
}
