"""Sessions with their tags, markers, faces and samples."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _session_key(primary_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("sessions.key", ondelete="CASCADE")
    return sa.Column("session", _KEY, key, nullable=False, primary_key=primary_key)


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.create_table(
        "sessions",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("kept_from_ms", sa.BigInteger, nullable=False),
        sa.Column("length_ms", sa.BigInteger, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("strip", sa.String(60), nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_hash", sa.Text, nullable=False),
        sa.Column("sample_hz", sa.Float, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("deleted_ms", sa.BigInteger),
    )
    op.create_index("sessions_of_owner", "sessions", ["owner", "started_ms", "id"])
    op.create_index("sessions_by_start", "sessions", ["started_ms", "id"])
    op.create_index("ix_sessions_state", "sessions", ["state"])
    op.create_table(
        "tags",
        _session_key(primary_key=True),
        sa.Column("tag", sa.Text, primary_key=True),
        sa.Column("position", sa.SmallInteger, nullable=False),
    )
    op.create_index("tags_by_tag", "tags", ["tag"])
    op.create_table(
        "markers",
        sa.Column("id", sa.String(32), primary_key=True),
        _session_key(),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_markers_session", "markers", ["session"])
    op.create_table(
        "faces",
        _session_key(primary_key=True),
        sa.Column("face", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("last_ms", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
    )
    op.create_table(
        "samples",
        _session_key(primary_key=True),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("face", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("label", sa.SmallInteger, nullable=False),
        sa.Column("is_sure", sa.Boolean, nullable=False),
        sa.Column("measured", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
