"""Holds what the addresses of videos work with: the queue, the disk, and who may use them."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_web.analysis.videos.scratch import ScratchFolder
from fer_web.analysis.videos.upload_file import UploadFile
from fer_web.analysis.videos.video_job import SOURCE, JobView, NewVideo
from fer_web.analysis.videos.video_kinds import HEAD_BYTES, kind_of
from fer_web.analysis.videos.video_part import VideoPart
from fer_web.analysis.videos.video_service import VideoJobs, remove_folder
from fer_web.errors import VideoError, VideoTooLargeError
from fer_web.web.api.analysis_access import AnalysisAccess
from fer_web.web.api.received_files import FORM_BYTES, FileSource, receive

_EXAMPLE: Final = "curl -F video=@clip.mp4 ADDRESS"
_NAMELESS: Final = "video"


@dataclass(frozen=True)
class VideoAccess:
    """Takes videos in. `max_bytes`: of one video."""

    analysis: AnalysisAccess
    jobs: VideoJobs
    scratch: ScratchFolder
    max_bytes: int

    def take(self, owner: str, length: int, wants_annotated: bool, part: VideoPart) -> JobView:
        """Receive the request's video and queue it; nothing stays of one that is refused or breaks off.

        Args: length: of the body, in bytes.
        Raises: TooManyJobsError, DiskFullError, VideoError, ProtocolError.
        """
        client_key = self.analysis.client_key()
        with contextlib.ExitStack() as held, contextlib.ExitStack() as stack:
            slot = self.jobs.slot_for(owner, client_key)
            self.analysis.call(slot.__enter__)
            held.push(slot)
            held.enter_context(self.scratch.room_for(length))
            folder = self.analysis.call(self.scratch.new_folder)
            stack.callback(self.analysis.call, remove_folder, folder)
            path = folder / SOURCE
            name = self._receive(path)
            new = NewVideo(owner, name or _NAMELESS, folder, path, wants_annotated, client_key, part)
            view = self.analysis.call(self.jobs.submit, new)
            stack.pop_all()
            return view

    def _receive(self, path: Path) -> str:
        source = FileSource("video", self.max_bytes + FORM_BYTES, _EXAMPLE)
        upload = UploadFile(
            path,
            check_head=_check_head,
            head_bytes=HEAD_BYTES,
            check_size=self._check_size,
            call=self.analysis.call,
        )
        with contextlib.closing(upload):
            return receive(source, upload)

    def _check_size(self, size: int) -> None:
        if size > self.max_bytes:
            raise VideoTooLargeError(
                f"The video has more than {self.max_bytes / 1e6:.0f} MB, which is what is allowed. Send a "
                "smaller one, or raise --max-video-mb (FER_MAX_VIDEO_MB)."
            )


def _check_head(head: bytes) -> None:
    """Refuse what is no video before much of it came. Raises VideoError."""
    if not head:
        raise VideoError("The file is empty (0 bytes). Save or send the video again.")
    kind_of(head)
