"""Videos that wait or are done, and tests of folders: they outlive the server."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.create_table(
        "video_jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("place", sa.String(32), nullable=False, index=True),
        sa.Column("folder", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("client_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("wants_annotated", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("session", sa.String(32)),
        sa.Column("told", sa.Text, nullable=False),
    )
    op.create_table(
        "folder_tests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("client_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("faces", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("used_ms", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "folder_test_images",
        sa.Column(
            "test", sa.String(32), sa.ForeignKey("folder_tests.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("path", sa.String(400), primary_key=True),
        sa.Column("prediction", sa.Text, nullable=False),
        sa.Column("crop", sa.LargeBinary),
    )
