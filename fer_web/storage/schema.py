"""The tables of the history. A change here needs a migration: see migrations/versions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()

_KEY = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in a column called INTEGER


def _session_key(*, primary_key: bool = False, index: bool = False) -> Column[int]:
    key = ForeignKey("sessions.key", ondelete="CASCADE")
    return Column("session", _KEY, key, nullable=False, primary_key=primary_key, index=index)


sessions = Table(
    "sessions",
    metadata,
    Column("key", _KEY, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("owner", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("source", String(32), nullable=False),
    Column("started_ms", BigInteger, nullable=False),  # since 1970, UTC
    # Its age counts from here: a recording's last sample, or when it was imported.
    Column("kept_from_ms", BigInteger, nullable=False),
    Column("length_ms", BigInteger, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("strip", String(60), nullable=False),  # one character for each part; empty while it runs
    Column("model_name", Text, nullable=False),
    Column("model_hash", Text, nullable=False),
    Column("sample_hz", Float, nullable=False),
    Column(
        "settings", Text, nullable=False
    ),  # JSON; as text, because PostgreSQL's JSON refuses what ours allows
    Column("search", Text, nullable=False),  # name, notes and tags, case folded: the same on every database
    Column("lease_ms", BigInteger),  # until then a server vouches that it runs; it renews that
    Column("holder", String(16)),  # the server that records it; none where it was let go of
    Column("deleted_ms", BigInteger),  # when it was deleted, as long as that can be undone
    Index("sessions_of_owner", "owner", "started_ms", "id"),
    Index("sessions_by_start", "started_ms", "id"),
)

tags = Table(
    "tags",
    metadata,
    _session_key(primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Index("tags_by_tag", "tag"),
)

markers = Table(
    "markers",
    metadata,
    Column("id", String(32), primary_key=True),
    _session_key(index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
)

faces = Table(
    "faces",
    metadata,
    _session_key(primary_key=True),
    Column("face", Integer, primary_key=True, autoincrement=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("samples", Integer, nullable=False),
)

# What people said about faces; a face without a row has no name and is nobody else's.
people = Table(
    "people",
    metadata,
    _session_key(primary_key=True),
    Column("face", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("same_as", Integer),  # the face that it was merged into; samples keep their own number
)

# The key is the order in which samples are read, and SQLite keeps the rows in it: no second index is written.
samples = Table(
    "samples",
    metadata,
    _session_key(primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("face", Integer, primary_key=True, autoincrement=False),
    Column("label", SmallInteger, nullable=False),
    Column("is_sure", Boolean, nullable=False),
    Column("rival", SmallInteger),  # position of the expression that was told beside the label
    Column("reason", SmallInteger),  # position in certainty.REASONS
    Column("measured", LargeBinary, nullable=False),  # rows.py: scores, box, confidence
    sqlite_with_rowid=False,
)

# Not of the history: what sharing remembers of its links. Never their tokens, which would open them.
links = Table(
    "links",
    metadata,
    Column("token_hash", String(64), primary_key=True),  # SHA-256, hexadecimal
    Column("created_ms", BigInteger, nullable=False),  # since 1970, UTC
    Column("expires_ms", BigInteger, nullable=False, index=True),
    Column("ended", String(16)),  # how the host ended it before its time
    Column("link", Text),  # all of it as JSON, where several processes have it
)

# Visitors whom the host removed, where several processes must know.
removed_visitors = Table(
    "removed_visitors",
    metadata,
    Column("visitor", String(64), primary_key=True),
    Column("removed_ms", BigInteger, nullable=False, index=True),  # since 1970, UTC
)

# Videos that were sent, from when they wait until they are forgotten. Their files lie in the data folder.
video_jobs = Table(
    "video_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("place", String(32), nullable=False, index=True),  # the folder of uploads that has its files
    Column("folder", String(64), nullable=False),  # its own folder there, below that of any process
    Column("owner", String(64), nullable=False),
    Column("client_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("wants_annotated", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),  # since 1970, UTC
    Column("ended_ms", BigInteger),
    Column("session", String(32)),  # where its result is
    Column("told", Text, nullable=False),  # JSON: how much is done, its files, remarks and error
    Column("holder", String(32)),  # the worker of another process that has it
    Column("lease_ms", BigInteger),  # until when that worker vouches for it
    Column("started_ms", BigInteger),  # when a worker took it last
)

# Tests of folders of labelled images, image by image.
folder_tests = Table(
    "folder_tests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("client_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("faces", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),  # since 1970, UTC
    Column("used_ms", BigInteger, nullable=False, index=True),
)

folder_test_images = Table(
    "folder_test_images",
    metadata,
    Column("test", String(32), ForeignKey("folder_tests.id", ondelete="CASCADE"), primary_key=True),
    Column("path", String(400), primary_key=True),
    Column("prediction", Text, nullable=False),  # JSON
    Column("crop", LargeBinary),  # what the network saw of a mistake, as PNG
)

# Not of the history either: who may use the HTTP API. Never the keys themselves.
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", String(64), primary_key=True),  # SHA-256, hexadecimal
    Column("id", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("owner", String(64), nullable=False),  # of what is made with it, as in sessions
    Column("created_ms", BigInteger, nullable=False),  # since 1970, UTC
    Column("used_ms", BigInteger),  # about when it was used last
    Column("revoked_ms", BigInteger),  # when the host ended it
)
