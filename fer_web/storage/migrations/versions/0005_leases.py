"""Until when a server vouches for a running session; a recording's age counts from its last sample."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.add_column("sessions", sa.Column("lease_ms", sa.BigInteger))
    op.execute(
        "UPDATE sessions SET kept_from_ms = started_ms + length_ms "
        "WHERE source = 'camera' AND kept_from_ms = started_ms"  # an import's age counts from its import
    )
