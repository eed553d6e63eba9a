"""Every error that a user may see: a stable code, a public text, and what the caller should do."""


class FerWebError(Exception):
    """Base of all errors whose text is meant for users.

    The message says what is wrong, what is allowed, what was received and what to do. `code` is stable and
    may be relied on by clients; `http_status` is used by HTTP routes; `retryable` tells a client whether
    sending the same thing again can succeed.
    """

    code = "internal"
    http_status = 500
    retryable = False

    def to_wire(self) -> dict[str, object]:
        """The one error shape of HTTP and Socket.IO."""
        return {"code": self.code, "message": str(self), "retryable": self.retryable}


class SettingsError(FerWebError):
    """A setting has a value that is not allowed."""

    code = "bad_setting"


class SetupError(FerWebError):
    """Something that the set-up should have put in place is missing or broken."""

    code = "bad_setup"


class ModelArtifactError(FerWebError):
    """A model folder is missing, incomplete, altered, or does not fit this program."""

    code = "bad_model"


class ModelTrustError(ModelArtifactError):
    """A model's file can run code, and nobody said that it may."""

    code = "model_not_trusted"


class DataError(FerWebError):
    """A training data file cannot be used."""

    code = "bad_data"


class ProtocolError(FerWebError):
    """A client's message has not the agreed form."""

    code = "bad_message"
    http_status = 400


class FrameError(FerWebError):
    """A frame cannot be decoded."""

    code = "bad_frame"
    http_status = 400


class FrameTooLargeError(FrameError):
    """A frame has more bytes or pixels than allowed."""

    code = "frame_too_large"
    http_status = 413


class ImageError(FerWebError):
    """A still image cannot be read: damaged, or cut short."""

    code = "bad_image"
    http_status = 400


class EmptyImageError(ImageError):
    """There is nothing in the file."""

    code = "empty_image"


class NotAnImageError(ImageError):
    """A file is no image, or of a kind that we do not read."""

    code = "not_an_image"
    http_status = 415


class ImageTooLargeError(ImageError):
    """An image has more bytes or pixels than allowed."""

    code = "image_too_large"
    http_status = 413


class VideoError(FerWebError):
    """A video cannot be read: empty, damaged, or without anything to see."""

    code = "bad_video"
    http_status = 400


class NotAVideoError(VideoError):
    """A file is no video, or of a kind that we do not read."""

    code = "not_a_video"
    http_status = 415


class VideoTooLargeError(VideoError):
    """A video has more pixels or hours than allowed."""

    code = "video_too_large"
    http_status = 413


class VideoWriteError(FerWebError):
    """An annotated video cannot be written."""

    code = "video_not_written"
    http_status = 507


class DiskFullError(FerWebError):
    """The server's disk has no room for a file."""

    code = "disk_full"
    http_status = 507
    retryable = True


class SlowUploadError(FerWebError):
    """A file comes so slowly that it holds a slot for nothing."""

    code = "too_slow"
    http_status = 408


class TooManyJobsError(FerWebError):
    """Somebody, or everybody together, has given the server as much to do as it takes."""

    code = "too_many_jobs"
    http_status = 429
    retryable = True


class JobStateError(FerWebError):
    """What was asked of a job is not there yet, or will not come."""

    code = "not_ready"
    http_status = 409


class FileUnreadableError(FerWebError):
    """A file or folder that was named is not there, or cannot be opened."""

    code = "file_unreadable"
    http_status = 404


class UnsupportedTypeError(FerWebError):
    """A request's body is of a kind that this address does not take."""

    code = "unsupported_media_type"
    http_status = 415


class FolderError(FerWebError):
    """A folder of labelled images has not the form that a test needs."""

    code = "bad_folder"
    http_status = 400


class ServerFullError(FerWebError):
    """No further stream can be served."""

    code = "server_full"
    http_status = 503
    retryable = True


class OverloadedError(FerWebError):
    """So many wait for the same thing that a further one would wait for too long."""

    code = "overloaded"
    http_status = 503
    retryable = True


class TooManyMessagesError(FerWebError):
    """A client sends faster than any camera."""

    code = "too_many_messages"
    http_status = 429


class SlowReaderError(FerWebError):
    """A client does not read what is sent to it."""

    code = "slow_reader"
    http_status = 429


class NotFoundError(FerWebError):
    """There is no such thing, or it belongs to somebody else: the answer does not tell which."""

    code = "not_found"
    http_status = 404


class ForbiddenError(FerWebError):
    """Somebody asks for what they may not do, whatever they send."""

    code = "forbidden"
    http_status = 403


class InvalidValueError(FerWebError):
    """A name, note, tag, marker or query has a value that is not allowed."""

    code = "bad_value"
    http_status = 400


class ImportRefusedError(FerWebError):
    """A file is no session that can be taken in; nothing of it was stored."""

    code = "bad_import"
    http_status = 400


class ShareError(FerWebError):
    """A link opens nothing, or sharing cannot do what was asked."""

    code = "share_refused"
    http_status = 403


class LinkUnknownError(ShareError):
    """No link has this token: it is mistyped, guessed, or long gone."""

    code = "link_unknown"
    http_status = 404


class LinkExpiredError(ShareError):
    """The link's time is over."""

    code = "link_expired"


class LinkRevokedError(ShareError):
    """The host withdrew the link."""

    code = "link_revoked"


class SharingStoppedError(ShareError):
    """The host stopped sharing, or the server that made the link ended."""

    code = "sharing_stopped"


class VisitorRemovedError(ShareError):
    """The host removed this visitor."""

    code = "visitor_removed"


class LinkNeededError(ShareError):
    """Somebody on the network comes without a link."""

    code = "link_needed"


class SharedSessionGoneError(ShareError):
    """A link's session was deleted."""

    code = "session_gone"
    http_status = 404


class TooManyGuessesError(ShareError):
    """An address tried too many links that do not exist."""

    code = "too_many_guesses"
    http_status = 429
    retryable = True

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class KeyRefusedError(FerWebError):
    """A program's key opens nothing."""

    code = "key_refused"
    http_status = 401


class KeyUnknownError(KeyRefusedError):
    """No key is like this: it is mistyped, guessed, or of another server."""

    code = "key_unknown"


class KeyRevokedError(KeyRefusedError):
    """The host ended this key."""

    code = "key_revoked"


class RecordingError(FerWebError):
    """A recording cannot start or go on."""

    code = "recording_refused"
    http_status = 409


class NoOwnerError(RecordingError):
    """A client without the owner's cookie wants to record."""

    code = "no_owner"
    http_status = 403


class RecordingStoppedError(RecordingError):
    """A recording ended, because its session was deleted or finished."""

    code = "recording_stopped"


class RecordingGapError(RecordingError):
    """Samples were left out, because the database could not take them for too long."""

    code = "recording_gap"
    retryable = True


class DatabaseError(FerWebError):
    """The history cannot be read or written; what was stored before is still there.

    `reason` is for the log and for who starts the server: it may name hosts, users and folders.
    """

    code = "database_unavailable"
    http_status = 503
    retryable = True

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(f"{message} {reason}".strip())
        self.public_message = message

    def to_wire(self) -> dict[str, object]:
        """The error without its reason."""
        return {**super().to_wire(), "message": self.public_message}


class DatabaseFullError(DatabaseError):
    """No space is left for the history."""

    code = "database_full"
    http_status = 507


class DatabaseLockedError(DatabaseError):
    """Another program holds the history's database."""

    code = "database_locked"


class InternalError(FerWebError):
    """Something failed that the client cannot mend; the log says what."""

    code = "internal"
    retryable = True
