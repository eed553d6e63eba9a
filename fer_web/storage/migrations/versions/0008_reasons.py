"""What an unsure sample was told with: the rival and the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.add_column("samples", sa.Column("rival", sa.SmallInteger))
    op.add_column("samples", sa.Column("reason", sa.SmallInteger))
