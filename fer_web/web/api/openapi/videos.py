"""Videos, in the OpenAPI document."""

from typing import get_args

from fer_web.analysis.videos.video_job import JobState
from fer_web.analysis.videos.video_kinds import KINDS
from fer_web.analysis.videos.video_part import MAX_AT_S, MAX_EVERY
from fer_web.web.api.openapi.parts import (
    BOOLEAN,
    COUNT,
    FLAG,
    NO_CONTENT,
    SECONDS,
    SHARE,
    TEXT,
    TIME,
    Json,
    answer,
    described,
    error_or_null,
    file_answer,
    file_body,
    in_path,
    list_of,
    operation,
    or_null,
    query,
    record,
    ref,
)

TAG: Json = {
    "name": "Videos",
    "description": "Analyse videos in the background, one at a time; owners take turns. A finished one is a "
    "session of the history with the video's own times. Files are kept for a day at most, and not past the "
    "server's end.",
}

SCHEMAS: Json = {
    "Video": record(
        "A video and how far it is.",
        id=TEXT,
        name=described(TEXT, "Of the file, made harmless."),
        state={"type": "string", "enum": list(get_args(JobState))},
        position=or_null(
            {"type": "integer", "minimum": 1}, "Place in the queue, 1 is next; null unless it is queued."
        ),
        frames=described(COUNT, "Frames analysed so far."),
        frames_total=or_null(COUNT, "by its header, which counts roughly; null where it does not say."),
        progress=or_null(SHARE, "1 when it is finished; null where nobody knows."),
        eta_s=or_null(SECONDS, "Seconds that are left; null unless it runs and they can be told."),
        faces=described(COUNT, "Different faces seen so far."),
        fps=described({"type": "number", "minimum": 0}, "Frames analysed a second."),
        session=or_null(TEXT, "Id of its session in the history, when it is finished."),
        error=error_or_null("Why it failed; null where it did not."),
        remarks=described(list_of(TEXT), "What whoever reads the results should know."),
        annotated=described(BOOLEAN, "Whether the video with boxes can be had."),
        created_at=TIME,
    ),
    "Videos": record("Videos of one owner.", videos=described(list_of(ref("Video")), "Newest first.")),
}
_BODY: Json = file_body("video", KINDS, "video/*")
_AT_S: Json = {"type": "number", "minimum": 0, "maximum": MAX_AT_S}
_EVERY: Json = {"type": "integer", "minimum": 1, "maximum": MAX_EVERY, "default": 1}
_VIDEO = in_path("video", "Id of a video.")
_GONE = "There is no such video, or it is somebody else's: `not_found`."
_NOT_READY = "It is not finished, or was not asked for: `not_ready`."

PATHS: Json = {
    "/videos": {
        "get": operation(
            TAG["name"],
            "listVideos",
            "My videos",
            {"200": answer("Newest first.", ref("Videos"))},
            parameters=(query("everyone", FLAG, "1 lists those of all; only the host may."),),
        ),
        "post": operation(
            TAG["name"],
            "sendVideo",
            "Analyse a video",
            {
                "202": {
                    **answer("It waits for its turn.", ref("Video")),
                    "headers": {"Location": {"schema": TEXT, "description": "Where to ask how far it is."}},
                }
            },
            parameters=(
                query("name", TEXT, "What to call it; default: the file's name in a form."),
                query("annotated", FLAG, "1 makes the video with boxes and labels too."),
                query("start", _AT_S, "Where the part that is analysed begins, in seconds."),
                query("end", _AT_S, "Where it ends, in seconds; default: with the video."),
                query("every", _EVERY, "N analyses every N-th frame."),
            ),
            body=_BODY,
            errors={
                "400": "Empty (`bad_video`), or a form or value that is not allowed.",
                "408": "It came too slowly: `too_slow`.",
                "413": "Larger than the server takes: `video_too_large`, `too_large`.",
                "415": "Something else than a video, or a kind that is not read: `not_a_video`.",
                "429": "Too many videos wait: `too_many_jobs`. Send it again later.",
                "507": "The server's disk has no room: `disk_full`.",
            },
        ),
    },
    "/videos/{video}": {
        "parameters": [_VIDEO],
        "get": operation(
            TAG["name"],
            "getVideo",
            "How far a video is",
            {"200": answer("The video.", ref("Video"))},
            errors={"404": _GONE},
        ),
        "delete": operation(
            TAG["name"],
            "removeVideo",
            "Cancel a video, or forget it",
            {"204": NO_CONTENT},
            description="One that waits or runs is cancelled; its files go. A finished one's session stays "
            "in the history. The host may cancel everybody's.",
            errors={"404": _GONE},
        ),
    },
    "/videos/{video}/annotated": {
        "parameters": [_VIDEO],
        "get": operation(
            TAG["name"],
            "getAnnotatedVideo",
            "The video with boxes and labels",
            {"200": file_answer("The video.", "video/mp4", "video/x-msvideo")},
            errors={"404": _GONE, "409": _NOT_READY},
        ),
    },
    "/videos/{video}/table.csv": {
        "parameters": [_VIDEO],
        "get": operation(
            TAG["name"],
            "getVideoTable",
            "A row for each face of each frame",
            {"200": file_answer("With a line of headings.", "text/csv")},
            errors={"404": _GONE, "409": _NOT_READY},
        ),
    },
}
