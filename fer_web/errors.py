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

    def __init_subclass__(
        cls, code: str | None = None, http_status: int | None = None, retryable: bool | None = None
    ) -> None:
        """Set what a class names itself; the rest is that of its base."""
        super().__init_subclass__()
        cls.code = cls.code if code is None else code
        cls.http_status = cls.http_status if http_status is None else http_status
        cls.retryable = cls.retryable if retryable is None else retryable

    def to_wire(self) -> dict[str, object]:
        """The one error shape of HTTP and Socket.IO."""
        return {"code": self.code, "message": str(self), "retryable": self.retryable}


class SettingsError(FerWebError, code="bad_setting"):
    """A setting has a value that is not allowed."""


class PortTakenError(SettingsError):
    """The server cannot listen where it was told to.

    Attributes:
        option: name of the option that sets the port.
        free_port: another port that is free there; None where none is, as with a wrong host.
    """

    def __init__(self, message: str, option: str, free_port: int | None) -> None:
        """Args: message: what is wrong; what to do about it is the caller's to add."""
        super().__init__(message)
        self.option = option
        self.free_port = free_port


class SetupError(FerWebError, code="bad_setup"):
    """Something that the set-up should have put in place is missing or broken."""


class ModelArtifactError(FerWebError, code="bad_model"):
    """A model folder is missing, incomplete, altered, or does not fit this program."""


class ModelTrustError(ModelArtifactError, code="model_not_trusted"):
    """A model's file can run code, and nobody said that it may."""


class DataError(FerWebError, code="bad_data"):
    """A training data file cannot be used."""


class ProtocolError(FerWebError, code="bad_message", http_status=400):
    """A client's message has not the agreed form."""


class FrameError(FerWebError, code="bad_frame", http_status=400):
    """A frame cannot be decoded."""


class FrameTooLargeError(FrameError, code="frame_too_large", http_status=413):
    """A frame has more bytes or pixels than allowed."""


class ImageError(FerWebError, code="bad_image", http_status=400):
    """A still image cannot be read: damaged, or cut short."""


class EmptyImageError(ImageError, code="empty_image"):
    """There is nothing in the file."""


class NotAnImageError(ImageError, code="not_an_image", http_status=415):
    """A file is no image, or of a kind that we do not read."""


class ImageTooLargeError(ImageError, code="image_too_large", http_status=413):
    """An image has more bytes or pixels than allowed."""


class VideoError(FerWebError, code="bad_video", http_status=400):
    """A video cannot be read: empty, damaged, or without anything to see."""


class NotAVideoError(VideoError, code="not_a_video", http_status=415):
    """A file is no video, or of a kind that we do not read."""


class VideoTooLargeError(VideoError, code="video_too_large", http_status=413):
    """A video has more pixels or hours than allowed."""


class VideoWriteError(FerWebError, code="video_not_written", http_status=507):
    """An annotated video cannot be written."""


class DiskFullError(FerWebError, code="disk_full", http_status=507, retryable=True):
    """The server's disk has no room for a file."""


class SlowUploadError(FerWebError, code="too_slow", http_status=408):
    """A file comes so slowly that it holds a slot for nothing."""


class TooManyJobsError(FerWebError, code="too_many_jobs", http_status=429, retryable=True):
    """Somebody, or everybody together, has given the server as much to do as it takes."""


class JobStateError(FerWebError, code="not_ready", http_status=409):
    """A job does not have yet what was asked of it, or never will."""


class FileUnreadableError(FerWebError, code="file_unreadable", http_status=404):
    """A file or folder that was named is not there, or cannot be opened."""


class CameraError(FerWebError, code="camera_unreadable", http_status=502, retryable=True):
    """A camera or a stream cannot be opened, broke off, or sends nothing."""


class ClientGoneError(FerWebError, code="client_gone", http_status=400, retryable=True):
    """Who asked has hung up, so nothing is done."""


class UnsupportedTypeError(FerWebError, code="unsupported_media_type", http_status=415):
    """A request's body is of a kind that this address does not take."""


class FolderError(FerWebError, code="bad_folder", http_status=400):
    """A folder of labelled images has not the form that a test needs."""


class ServerFullError(FerWebError, code="server_full", http_status=503, retryable=True):
    """No further stream can be served."""


class OverloadedError(FerWebError, code="overloaded", http_status=503, retryable=True):
    """Too many wait for the same thing: a further one would wait for too long."""


class HistoryFullError(FerWebError, code="history_full", http_status=409):
    """A visitor has as much in the history as one may."""


class TooManyMessagesError(FerWebError, code="too_many_messages", http_status=429):
    """A client sends faster than any camera."""


class SlowReaderError(FerWebError, code="slow_reader", http_status=429):
    """A client does not read what is sent to it."""


class MovingError(FerWebError, code="moving", http_status=503, retryable=True):
    """A process ends, and another one of the same service goes on with its clients."""

    def __init__(self) -> None:
        super().__init__("This server ends. Connect again: another one goes on, with the same recording.")

    def to_wire(self) -> dict[str, object]:
        """As every error, and `moving`."""
        return {**super().to_wire(), "moving": True}


class NotFoundError(FerWebError, code="not_found", http_status=404):
    """There is no such thing, or it belongs to somebody else: the answer does not tell which."""


class ForbiddenError(FerWebError, code="forbidden", http_status=403):
    """Somebody asks for what they may not do, whatever they send."""


class InvalidValueError(FerWebError, code="bad_value", http_status=400):
    """A name, note, tag, marker or query has a value that is not allowed."""


class ImportRefusedError(FerWebError, code="bad_import", http_status=400):
    """A file is no session that can be taken in; nothing of it was stored."""


class ShareError(FerWebError, code="share_refused", http_status=403):
    """A link opens nothing, or sharing cannot do what was asked."""


class LinkUnknownError(ShareError, code="link_unknown", http_status=404):
    """No link has this token: it is mistyped, guessed, or long gone."""


class LinkExpiredError(ShareError, code="link_expired"):
    """The link's time is over."""


class LinkRevokedError(ShareError, code="link_revoked"):
    """The host withdrew the link."""


class SharingStoppedError(ShareError, code="sharing_stopped"):
    """The host stopped sharing, or the server that made the link ended."""


class VisitorRemovedError(ShareError, code="visitor_removed"):
    """The host removed this visitor."""


class LinkNeededError(ShareError, code="link_needed"):
    """Somebody on the network comes without a link."""


class SharedSessionGoneError(ShareError, code="session_gone", http_status=404):
    """A link's session was deleted."""


class TooManyGuessesError(ShareError, code="too_many_guesses", http_status=429, retryable=True):
    """An address tried too many links that do not exist."""

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class KeyRefusedError(FerWebError, code="key_refused", http_status=401):
    """A program's key opens nothing."""


class KeyUnknownError(KeyRefusedError, code="key_unknown"):
    """No key is like this: it is mistyped, guessed, or of another server."""


class KeyRevokedError(KeyRefusedError, code="key_revoked"):
    """The host ended this key."""


class TakeError(FerWebError, code="take_refused", http_status=409, retryable=True):
    """There are not the views of a face that a correction is to be learned from."""


class RecordingError(FerWebError, code="recording_refused", http_status=409):
    """A recording cannot start or go on."""


class NoOwnerError(RecordingError, code="no_owner", http_status=403):
    """A client without the owner's cookie wants to record."""


class RecordingStoppedError(RecordingError, code="recording_stopped"):
    """A recording ended, because its session was deleted or finished."""

    def __init__(
        self, message: str = "That recording has ended. Start a new one: send record with session null."
    ) -> None:
        super().__init__(message)


class RecordingGapError(RecordingError, code="recording_gap", retryable=True):
    """Samples were left out, because the database could not take them for too long."""


class DatabaseError(FerWebError, code="database_unavailable", http_status=503, retryable=True):
    """The history cannot be read or written; what was stored before is still there.

    `reason` is for the log and for who starts the server: it may name hosts, users and folders.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(f"{message} {reason}".strip())
        self.public_message = message

    def to_wire(self) -> dict[str, object]:
        """The error without its reason."""
        return {**super().to_wire(), "message": self.public_message}


class DatabaseFullError(DatabaseError, code="database_full", http_status=507):
    """No space is left for the history."""


class DatabaseLockedError(DatabaseError, code="database_locked"):
    """Another program holds the history's database."""


class InternalError(FerWebError, code="internal", retryable=True):
    """Something failed that the client cannot mend; the log says what."""
