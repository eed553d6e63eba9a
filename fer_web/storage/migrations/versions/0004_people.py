"""What people are called, and which faces are one person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Forward only: there is no way back."""
    key = sa.ForeignKey("sessions.key", ondelete="CASCADE")
    op.create_table(
        "people",
        sa.Column("session", _KEY, key, nullable=False, primary_key=True),
        sa.Column("face", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("same_as", sa.Integer),
    )
