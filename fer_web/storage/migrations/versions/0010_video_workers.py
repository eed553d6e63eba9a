"""Videos that workers of other processes take: who has one, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.add_column("video_jobs", sa.Column("holder", sa.String(32)))
    op.add_column("video_jobs", sa.Column("lease_ms", sa.BigInteger))
    op.add_column("video_jobs", sa.Column("started_ms", sa.BigInteger))
