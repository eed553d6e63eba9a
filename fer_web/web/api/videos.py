"""Videos over HTTP: validate, call, reply. docs/api.md lists the addresses."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from flask import Blueprint, Response, jsonify, request, url_for

from fer_web.analysis.names import plain_file_name
from fer_web.analysis.videos.video_job import JobView
from fer_web.analysis.videos.video_part import MAX_AT_S, MAX_EVERY, VideoPart
from fer_web.errors import ForbiddenError, InvalidValueError, JobStateError
from fer_web.web.answers import attachment, keep_private
from fer_web.web.api.received_files import end_connection
from fer_web.web.api.video_access import VideoAccess
from fer_web.web.request_values import flag_argument, number_argument, whole_argument

API: Final = "/api/v1/videos"
_PART_BYTES: Final = 262_144
MEDIA_TYPES: Final = {".mp4": "video/mp4", ".avi": "video/x-msvideo", ".webm": "video/webm"}


def video_api_blueprint(videos: VideoAccess) -> Blueprint:
    """Routes under API."""
    api = Blueprint("video_api", __name__, url_prefix=API)
    api.after_request(keep_private)
    api.after_request(end_connection)
    _add_job_routes(api, videos)
    _add_file_routes(api, videos)
    return api


def _add_job_routes(api: Blueprint, videos: VideoAccess) -> None:
    @api.post("")
    def send_video() -> tuple[Response, int]:
        owner = videos.analysis.check().owner
        view = videos.take(owner, request.content_length or 0, flag_argument("annotated"), _part())
        answer = jsonify(video_to_wire(view))
        answer.headers["Location"] = url_for("video_api.one_video", video_id=view.id)
        return answer, 202

    @api.get("")
    def list_videos() -> Response:
        requester = videos.analysis.check()
        is_for_everyone = flag_argument("everyone")
        if is_for_everyone and not requester.is_host:
            raise ForbiddenError("Only the person at this machine sees what others sent.")
        owner = None if is_for_everyone else requester.owner
        return jsonify(
            videos=[video_to_wire(view) for view in videos.analysis.call(videos.jobs.list_of, owner)]
        )

    @api.get("/<video_id>")
    def one_video(video_id: str) -> Response:
        return jsonify(video_to_wire(_one(videos, video_id, videos.analysis.check().scope)))

    @api.delete("/<video_id>")
    def remove_video(video_id: str) -> tuple[str, int]:
        videos.analysis.call(videos.jobs.remove, video_id, videos.analysis.check().scope)
        return "", 204


def _add_file_routes(api: Blueprint, videos: VideoAccess) -> None:
    @api.get("/<video_id>/annotated")
    def annotated(video_id: str) -> Response:
        view = _one(videos, video_id, videos.analysis.check().owner)
        if view.state == "finished" and not view.annotated:
            raise JobStateError("This video was not asked for with boxes. Send it again, with annotated=1.")
        path = _ready(view, view.annotated)
        return _download(videos, path, view, f"-faces{path.suffix}", MEDIA_TYPES[path.suffix])

    @api.get("/<video_id>/table.csv")
    def table(video_id: str) -> Response:
        view = _one(videos, video_id, videos.analysis.check().owner)
        return _download(videos, _ready(view, view.table), view, ".csv", "text/csv; charset=utf-8")


def _part() -> VideoPart:
    """The part that the address names. Raises InvalidValueError."""
    start_s = number_argument("start", 0.0, low=0.0, high=MAX_AT_S)
    end_s = number_argument("end", 0.0, low=0.0, high=MAX_AT_S) if request.args.get("end") else None
    if end_s is not None and end_s <= start_s:
        raise InvalidValueError(f"end ({end_s:g} s) is not after start ({start_s:g} s). Name a later time.")
    return VideoPart(start_s, end_s, whole_argument("every", low=1, high=MAX_EVERY) or 1)


def _one(videos: VideoAccess, video_id: str, owner: str | None) -> JobView:
    view: JobView = videos.analysis.call(videos.jobs.get, video_id, owner)
    return view


def _ready(view: JobView, path: Path | None) -> Path:
    if path is None:
        raise JobStateError(f"This video is {view.state}: there is no file. Ask when it is finished.")
    return path


def _download(videos: VideoAccess, path: Path, view: JobView, ending: str, media_type: str) -> Response:
    file, size = videos.analysis.call(_opened, path)
    answer = attachment(_parts(videos, file), media_type, plain_file_name(view.name, ending))
    answer.call_on_close(file.close)
    answer.content_length = size
    return answer


def _opened(path: Path) -> tuple[IO[bytes], int]:
    try:
        return path.open("rb"), path.stat().st_size
    except FileNotFoundError as exc:
        raise JobStateError("The file was removed while it was asked for.") from exc


def _parts(videos: VideoAccess, file: IO[bytes]) -> Iterator[bytes]:
    """The file, each part read by a native thread: other clients go on."""
    with file:
        while part := videos.analysis.call(file.read, _PART_BYTES):
            yield part


def video_to_wire(view: JobView) -> dict[str, Any]:
    """A video as JSON."""
    return {
        "id": view.id,
        "name": view.name,
        "state": view.state,
        "position": view.position,
        "frames": view.frames,
        "frames_total": view.frames_total,
        "progress": None if view.progress is None else round(view.progress, 4),
        "eta_s": None if view.eta_s is None else round(view.eta_s, 1),
        "faces": view.faces,
        "fps": round(view.fps, 1),
        "session": view.session,
        "error": view.error,
        "remarks": list(view.remarks),
        "annotated": view.annotated is not None,
        "created_at": view.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
