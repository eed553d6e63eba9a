"""Which server records a session: it alone writes to it and finishes it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.add_column("sessions", sa.Column("holder", sa.String(16)))
    # Whoever recorded it has not let go of it in good order.
    op.execute("UPDATE sessions SET holder = 'unknown' WHERE state = 'running'")
